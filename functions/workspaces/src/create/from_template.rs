//! What a new workspace takes from its template (contract: lifecycle-and-sweepers 3.1).

use domain::{Result, template::Template};
use edge::App;

use super::request::CreateRequest;

impl CreateRequest {
    /// Fills in from its template what the caller did not say. One that is not there changes
    /// nothing: the defaults apply.
    pub(super) async fn look_up(&mut self, app: &App) -> Result<()> {
        let all_said = !self.runtime.is_empty()
            && !self.model.is_empty()
            && self.tier != 0
            && self.max_concurrent_tasks > 0;
        if self.template.is_empty() || all_said {
            return Ok(());
        }
        match app.store.template(&self.template).await? {
            Some(template) => self.fill(template),
            None => tracing::info!(template = self.template, "there is no such template"),
        }
        Ok(())
    }

    fn fill(&mut self, template: Template) {
        if self.runtime.is_empty() {
            self.runtime = template.runtime;
        }
        if self.model.is_empty() {
            self.model = template.model;
        }
        if self.tier == 0 {
            self.tier = template.tier;
        }
        if self.max_concurrent_tasks <= 0 {
            self.max_concurrent_tasks = template.max_concurrent_tasks;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> CreateRequest {
        serde_json::from_str(body).expect("a request")
    }

    #[test]
    fn a_template_fills_what_was_not_said() {
        let template = || Template {
            runtime: "crewai".to_owned(),
            model: "m".to_owned(),
            tier: 2,
            max_concurrent_tasks: 5,
            ..Template::default()
        };
        let filled = |body: &str| {
            let mut request = read(body);
            request.fill(template());
            (
                request.runtime,
                request.model,
                request.tier,
                request.max_concurrent_tasks,
            )
        };
        let from_template = ("crewai".to_owned(), "m".to_owned(), 2, 5);
        assert_eq!(
            filled(r#"{"name":"a","max_concurrent_tasks":-1}"#),
            from_template
        );
        let said = r#"{"name":"a","runtime":"r","model":"x","tier":4,"max_concurrent_tasks":1}"#;
        let said = filled(said);
        assert_eq!(said, ("r".to_owned(), "x".to_owned(), 4, 1));
    }
}

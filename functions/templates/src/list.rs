//! `GET /templates`: what workspaces can be made from (contract: lifecycle-and-sweepers 7.1).

use domain::{
    Result,
    template::{Model, Template},
};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;

/// A template on the wire.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Template")]
struct Row {
    id: String,
    name: String,
    description: String,
    tier: i64,
    runtime: String,
    model: String,
    skill_count: usize,
    skills: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<Model>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required_env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provision_timeout_seconds: Option<i64>,
}

impl Row {
    fn of(id: String, template: Template) -> Self {
        let Template {
            name,
            description,
            version: _,
            tier,
            runtime,
            model,
            max_concurrent_tasks: _,
            required_env,
            provision_timeout_seconds,
            skills,
            models,
        } = template;
        Self {
            id,
            name,
            description,
            tier,
            runtime,
            model,
            skill_count: skills.len(),
            skills,
            models,
            required_env,
            provision_timeout_seconds: Some(provision_timeout_seconds).filter(|it| *it > 0),
        }
    }
}

/// Lists the templates by folder, without those in folders of other templates.
///
/// # Errors
/// 401.
pub async fn handle(app: &'static App, caller: Caller, _input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let entries = app.store.templates().await?.into_iter();
    let top = entries.filter(|entry| !entry.dir.contains('/'));
    let rows = top.filter_map(|entry| Some(Row::of(entry.dir, entry.head?)));
    // The longest parts go first, should there be too many for one answer.
    let (reply, _) = Reply::list(rows.collect(), |row| {
        row.description.clear();
        row.models.clear();
        row.skills.clear();
    });
    Ok(reply)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "list_templates",
        "GET /templates",
        Who::Operator,
        "What workspaces are made from",
    )
    .ok::<Vec<Row>>("By folder.")
    .fails(&[]);
}

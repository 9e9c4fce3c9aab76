//! `GET /org/templates`: what organisations can be made from (contract: lifecycle-and-sweepers 7.4).

use domain::{Result, requirement::Requirement, template::OrgTemplate};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;

/// An organisation's template on the wire.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OrgTemplate")]
struct Row {
    dir: String,
    name: String,
    description: String,
    workspaces: usize,
    required_env: Vec<Requirement>,
    recommended_env: Vec<Requirement>,
}

impl Row {
    fn of(dir: String, template: OrgTemplate) -> Self {
        let OrgTemplate {
            name,
            description,
            workspaces,
            required_env,
            recommended_env,
        } = template;
        Self {
            dir,
            name,
            description,
            workspaces,
            required_env,
            recommended_env,
        }
    }
}

/// Lists the templates by folder.
///
/// # Errors
/// 401.
pub async fn handle(app: &'static App, caller: Caller, _input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let entries = app.store.org_templates().await?.into_iter();
    let rows = entries.filter_map(|entry| Some(Row::of(entry.dir, entry.head?)));
    let (reply, _) = Reply::list(rows.collect(), |row| row.description.clear());
    Ok(reply)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "What organisations are made from";
    api.route(
        "list_org_templates",
        "GET /org/templates",
        Who::Operator,
        summary,
    )
    .ok::<Vec<Row>>("By folder.")
    .fails(&[]);
}

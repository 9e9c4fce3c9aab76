//! `GET /workspaces`: all that are not removed, oldest first (contract: lifecycle-and-sweepers 3.2).

use domain::Result;
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::{keys, workspaces::Parts};

use crate::view::View;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkspaceRow")]
struct Row {
    #[serde(flatten)]
    view: View,
    last_sample_error: String,
    current_task: String,
    workspace_dir: Option<String>,
    budget_limit: Option<i64>,
    monthly_spend: i64,
}

/// Lists all workspaces. Where cards are more than an answer carries, the last ones are shortened.
///
/// # Errors
/// 401.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let beside = [keys::template_timeouts()];
    let (workspaces, rows) = app.store.workspaces_and(Parts::WithCard, beside).await?;
    let timeouts = rows.template_timeouts()?;
    let rows: Vec<Row> = workspaces
        .into_iter()
        .map(|workspace| Row {
            view: View::of(&workspace).with(&timeouts),
            monthly_spend: workspace
                .beat
                .as_ref()
                .map_or(0, |beat| beat.monthly_spend(input.now)),
            last_sample_error: workspace.meta.last_sample_error,
            current_task: workspace.meta.current_task,
            workspace_dir: workspace.meta.workspace_dir,
            budget_limit: workspace.meta.budget_limit,
        })
        .collect();
    let (reply, _) = Reply::list(rows, |row: &mut Row| row.view.shorten());
    Ok(reply)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "list_workspaces",
        "GET /workspaces",
        Who::Operator,
        "All workspaces",
    )
    .ok::<Vec<Row>>(
        "All that are not removed, oldest first. Of cards that are too much together the last are \
         `{\"name\", \"truncated\": true}`.",
    )
    .fails(&[]);
}

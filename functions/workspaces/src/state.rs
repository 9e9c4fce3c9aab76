//! `GET /workspaces/{id}/state`: whether a workspace is there, and how it stands (contract:
//! lifecycle-and-sweepers 3.4).

use domain::{Result, WorkspaceId, workspace::Status};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use store::workspaces::Parts;

/// The answer, also that of a 404.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkspaceState")]
struct State {
    workspace_id: WorkspaceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<bool>,
    deleted: bool,
}

/// Shows how a workspace stands: one batch get.
///
/// # Errors
/// 400, 401. A 404 says whether it was removed or never was.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let (rows, credential) = app.rows(&caller, Parts::Core.keys(id)).await?;
    auth::own(app.settings.mode, &caller, id, credential.as_ref())?;
    let status = rows.workspace(id)?.map(|found| found.status());
    let deleted = status.is_none_or(|status| status == Status::Removed);
    let state = State {
        workspace_id: id,
        status,
        paused: (!deleted).then_some(status == Some(Status::Paused)),
        deleted,
    };
    Ok(if deleted {
        Reply::json(StatusCode::NOT_FOUND, &state)
    } else {
        Reply::ok(&state)
    })
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/state";
    api.route(
        "get_state",
        path,
        Who::Own,
        "Whether a workspace is there, and how it stands",
    )
    .ok::<State>("It is there.")
    .answers::<State>(404, "It was removed, or never was.")
    .fails(&[]);
}

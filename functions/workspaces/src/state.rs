//! `GET /workspaces/{id}/state`: whether a workspace is there, and how it stands (contract:
//! lifecycle-and-sweepers 3.4).

use domain::{Result, WorkspaceId, workspace::Status};
use edge::{App, Caller, Input, Reply, auth};
use lambda_http::http::StatusCode;
use serde::Serialize;
use store::workspaces::Parts;

/// The answer, also that of a 404.
#[derive(Debug, Serialize)]
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

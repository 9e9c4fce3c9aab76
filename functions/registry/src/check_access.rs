//! `POST /registry/check-access`: may one workspace talk to another (contract: registry-and-auth
//! 8.6, decision 31).

use domain::{Error, Result, WorkspaceId, access::may_talk};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::keys;

const MAX_BYTES: usize = 16 * 1024;

/// The question.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({
    "caller_id": "3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69",
    "target_id": "8d5b1f72-0e3a-4d94-b6c7-5a4f3e2d1c0b",
}))]
pub struct CheckAccessRequest {
    caller_id: String,
    target_id: String,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckAccessReply {
    allowed: bool,
}

/// Answers from one batch get; workspaces that are not there may not talk, but to themselves.
///
/// # Errors
/// 400, 401.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let request: CheckAccessRequest = input.json(MAX_BYTES, "invalid request body")?;
    if request.caller_id.is_empty() || request.target_id.is_empty() {
        return Err(Error::invalid("invalid request body"));
    }
    let a: WorkspaceId = request.caller_id.parse()?;
    let b: WorkspaceId = request.target_id.parse()?;

    let (rows, credential) = app.rows(&caller, [keys::meta(a), keys::meta(b)]).await?;
    auth::anyone(app.settings.mode, &caller, credential.as_ref())?;
    let places = (rows.workspace(a)?, rows.workspace(b)?);
    let allowed = a == b
        || matches!(places, (Some(a), Some(b)) if may_talk(&a.meta.place(), &b.meta.place()));
    Ok(Reply::ok(&CheckAccessReply { allowed }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Whether one workspace may talk to another";
    api.route(
        "check_access",
        "POST /registry/check-access",
        Who::Anyone,
        summary,
    )
    .body::<CheckAccessRequest>(MAX_BYTES)
    .ok::<CheckAccessReply>("Whether it may. Workspaces that are not there may not.")
    .fails(&[]);
}

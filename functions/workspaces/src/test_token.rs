//! `GET /admin/workspaces/{id}/test-token`: a token for test suites, in development only (contract:
//! registry-and-auth 11.3).

use domain::{Error, Kind, Result, WorkspaceId};
use edge::{
    App, Bearer, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::tokens::live_token;

#[derive(Debug, Serialize, JsonSchema)]
struct TestToken {
    auth_token: String,
    workspace_id: WorkspaceId,
}

/// Mints a token. Where there is an admin token, only its holder may: organisation tokens do not
/// open this.
///
/// # Errors
/// 404 outside development, as if the route were not there; 400, 401, 404, 429 at the limit.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let mode = app.settings.mode;
    if !mode.is_development() {
        return Err(Error::missing("not found"));
    }
    if !mode.doors_open() && caller.bearer != Bearer::Admin {
        return Err(Error::unauthenticated("admin auth required"));
    }
    let id: WorkspaceId = input.param("id")?;
    let token = live_token(app, id, &input).await?;
    Ok(Reply::ok(&TestToken {
        auth_token: token.reveal().to_owned(),
        workspace_id: id,
    }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /admin/workspaces/{id}/test-token";
    api.route(
        "mint_test_token",
        path,
        Who::Admin,
        "A token for test suites",
    )
    .about("In development only: else 404.")
    .ok::<TestToken>("The token.")
    .fails(&[Kind::Missing]);
}

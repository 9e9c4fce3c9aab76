//! `GET /workspaces/{id}`: one workspace, removed ones included (contract:
//! lifecycle-and-sweepers 3.3, decision 31).

use domain::{Error, Kind, Result, WorkspaceId, time::wire};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::{keys, workspaces::Parts};

use crate::view::View;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkspaceView")]
struct Answer {
    #[serde(flatten)]
    view: View,
    last_outbound_at: Option<String>,
}

/// Shows one workspace: one batch get.
///
/// # Errors
/// 400, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let keys = Parts::All.keys(id).into_iter();
    let keys = keys.chain([keys::template_timeouts()]);
    let (rows, credential) = app.rows(&caller, keys).await?;
    auth::anyone(app.settings.mode, &caller, credential.as_ref())?;
    let workspace = rows
        .workspace(id)?
        .ok_or_else(|| Error::missing("workspace not found"))?;
    Ok(Reply::ok(&Answer {
        view: View::of(&workspace).with(&rows.template_timeouts()?),
        last_outbound_at: workspace
            .load
            .and_then(|load| load.last_outbound_at)
            .map(wire),
    }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "get_workspace",
        "GET /workspaces/{id}",
        Who::Anyone,
        "One workspace",
    )
    .ok::<Answer>("The workspace, also if it was removed.")
    .fails(&[Kind::Missing]);
}

//! `POST /workspaces/{id}/restart`: start a workspace anew (contract: lifecycle-and-sweepers 3.7).

use domain::{Error, Kind, Result, WorkspaceId, lifecycle::Act, workspace::Status};
use edge::{
    App, Caller, Identity, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::lifecycle::{Acted, Ask};

use crate::{life, resume};

const MAX_BYTES: usize = 64 * 1024;
/// Where its configuration comes from. There are no templates yet to choose from, and one that does
/// not resolve falls through to this.
const CONFIG_DIR: &str = "existing-volume";

/// What may be asked for. `template`, `apply_template` and `rebuild_config` choose among templates.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({"reset": true}))]
struct RestartRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    reset: bool,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RestartReply")]
struct Restarted {
    status: Status,
    config_dir: &'static str,
    reset_session: bool,
}

/// Starts a workspace anew, in whatever state it is. A body that makes no sense counts as none.
///
/// # Errors
/// 400, 401, 403 for the workspace itself while it is paused, 404, 409 below a paused ancestor, 413,
/// 503 when there is no backend.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let missing = || Error::missing("workspace not found");
    let id: WorkspaceId = input.param("id")?;
    let (identity, own) = life::own(app, &caller, id, missing).await?;
    let reset = resets(&input)?;
    if life::without_backend(app, &own) {
        // The reason that can be mended by the caller comes first.
        let paused = life::paused_above(app, &own).await?;
        return Err(paused.unwrap_or_else(life::no_provisioner));
    }
    let boot_within = app.settings.fleet.boot_within;
    let ask = Ask::new(&Act::Restart, boot_within, input.now)
        .resetting(reset)
        .adopting(&app.settings.fleet.images);
    // What an operator paused would resume itself by starting anew.
    let itself = matches!(identity, Identity::Workspace(_)) && !app.settings.mode.doors_open();
    let ask = ask.unless(if itself { &[Status::Paused] } else { &[] });
    match app.store.act(id, &ask).await? {
        Acted::Done { turn, .. } => Ok(Reply::ok(&Restarted {
            status: turn.to,
            config_dir: CONFIG_DIR,
            reset_session: reset,
        })),
        Acted::UnderPaused(ancestor) => Err(life::under_paused(app, ancestor).await),
        Acted::NotNow(Status::Paused) => Err(Error::forbidden(resume::REFUSAL)),
        Acted::Unknown | Acted::NotNow(_) | Acted::Working => Err(missing()),
    }
}

/// Whether the session of before is to be forgotten: by the query or by the body.
fn resets(input: &Input) -> Result<bool> {
    input.limit(MAX_BYTES)?;
    let body: Result<RestartRequest> = input.json(MAX_BYTES, "");
    let reset = body.unwrap_or_default().reset;
    Ok(reset || input.query("reset") == Some("true"))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/restart";
    api.route(
        "restart_workspace",
        path,
        Who::Own,
        "Starts a workspace anew",
    )
    .about(
        "A body that makes no sense counts as none. 403 for a workspace that is paused itself; 409 \
         below a paused ancestor.",
    )
    .query::<bool>("reset", "`true`: without the session it had.")
    .optional_body::<RestartRequest>(MAX_BYTES)
    .ok::<Restarted>("It starts.")
    .fails(&[Kind::Missing, Kind::Conflict]);
}

//! `POST /workspaces/{id}/pause`: stop a workspace and all below it (contract:
//! lifecycle-and-sweepers 3.9).

use domain::{Error, Kind, Result, WorkspaceId, lifecycle::Act, workspace::Status};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::lifecycle::Ask;

use crate::life::{self, MOST};

const REFUSAL: &str = "an operator pauses: a workspace cannot pause itself";

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PauseReply")]
struct Paused {
    status: Status,
    paused_count: usize,
    /// How many are left for the same call once more; absent when that is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<usize>,
}

/// Pauses the workspace first, which keeps all below it from being started, then those below. What
/// was interrupted is done by the same call: it looks below a paused workspace, too.
///
/// # Errors
/// 400, 401, 403 for the workspace itself, 404 when there is nothing to pause.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let missing = || Error::missing("workspace not found or already paused");
    let id: WorkspaceId = input.param("id")?;
    let own = life::operated(app, &caller, id, REFUSAL, missing).await?;
    let ask = Ask::new(&Act::Pause, None, input.now);
    let mut paused = 0;
    if own.status() != Status::Paused {
        paused += life::done(&life::act_on_all(app, &[id], &ask).await?);
    }
    let below = app.store.levels_below(id, |_| true).await?;
    let below: Vec<WorkspaceId> = below
        .iter()
        .flatten()
        .filter(|found| found.status() != Status::Paused)
        .map(|found| found.meta.id)
        .collect();
    let now = &below[..below.len().min(MOST)];
    paused += life::done(&life::act_on_all(app, now, &ask).await?);
    if paused == 0 {
        return Err(missing());
    }
    Ok(Reply::ok(&Paused {
        status: Status::Paused,
        paused_count: paused,
        remaining: below.len().checked_sub(MOST).filter(|left| *left > 0),
    }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/pause";
    api.route(
        "pause_workspace",
        path,
        Who::Operator,
        "Stops a workspace and all below it",
    )
    .about("In open development also for the workspace itself.")
    .ok::<Paused>("They are paused.")
    .fails(&[Kind::Missing]);
}

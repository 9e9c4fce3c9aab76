//! `POST /workspaces/{id}/schedules/{schedule_id}/run`: fires now (contract: lifecycle-and-sweepers
//! 6.6; decision 19).

use domain::{
    Error, Kind, Result, ScheduleId, WorkspaceId,
    schedule::{Seen, Step, step},
    workspace::Status,
};
use edge::{
    App, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::workspaces::{Parts, Workspace};

use super::known;

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RunScheduleReply")]
struct Fired {
    status: &'static str,
    workspace_id: WorkspaceId,
    prompt: String,
}

/// Fires, whether or not it is enabled and whatever its next slot is.
pub(super) async fn run(
    app: &App,
    workspace: WorkspaceId,
    id: ScheduleId,
    input: &Input,
) -> Result<Reply> {
    let (found, prompt) = known(app, workspace, id).await?;
    let target = app.store.workspace(workspace, Parts::Core).await?;
    let status = target.as_ref().map_or(Status::Removed, Workspace::status);
    let seen = Seen {
        status,
        native: false,
        running: None,
    };
    match step(&seen, input.now) {
        Step::Fire | Step::Pass => {}
        Step::Retire(_) => return Err(Error::missing("workspace not found")),
        Step::Skip(_) => {
            let sentence = format!("workspace is {status}: resume or restart it first");
            return Err(Error::conflict(sentence).with("status", status.as_str()));
        }
    }
    if !app.store.fire_now(&found, input.now).await? {
        // Deleted, or at work.
        known(app, workspace, id).await?;
        return Err(Error::conflict(
            "the schedule is running: it fires again once that run has ended",
        ));
    }
    Ok(Reply::ok(&Fired {
        status: "fired",
        workspace_id: workspace,
        prompt,
    }))
}

/// For the API's description.
pub(super) fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/schedules/{schedule_id}/run";
    api.route("run_schedule", path, Who::Own, "Fires a schedule now")
        .about("409 while it still runs, and for a workspace that is paused or failed (`status`).")
        .ok::<Fired>("It fires; nobody else is to send the prompt.")
        .fails(&[Kind::Missing, Kind::Conflict]);
}

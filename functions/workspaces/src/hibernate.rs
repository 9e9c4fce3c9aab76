//! `POST /workspaces/{id}/hibernate`: send a workspace to sleep; a message wakes it (contract:
//! lifecycle-and-sweepers 3.11).

use domain::{Error, Kind, Result, WorkspaceId, lifecycle::Act, workspace::Status};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::{
    lifecycle::{Acted, Ask},
    workspaces::{Parts, Workspace},
};

use crate::life;

const REFUSAL: &str = "an operator sends to sleep: a workspace cannot hibernate itself";

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HibernateReply")]
struct Hibernated {
    status: Status,
}

/// Sends a workspace to sleep that has nothing to do, or any with `force=true`. One on a machine of
/// ours is `hibernating` until that has stopped.
///
/// # Errors
/// 400, 401, 403 for the workspace itself, 404 unless it is online or degraded, 409 while it has something to do.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let missing = || {
        Error::missing(
            "workspace not found or not in a hibernatable state (must be online or degraded)",
        )
    };
    let id: WorkspaceId = input.param("id")?;
    life::operated(app, &caller, id, REFUSAL, missing).await?;
    let act = Act::Hibernate {
        force: input.query("force") == Some("true"),
    };
    match app.store.act(id, &Ask::new(&act, None, input.now)).await? {
        Acted::Done { turn, .. } => Ok(Reply::ok(&Hibernated { status: turn.to })),
        Acted::Working => {
            let found = app.store.workspace(id, Parts::WithLoad).await?;
            let error = "workspace has active tasks; use ?force=true to terminate them";
            Err(Error::conflict(error).with("active_tasks", found.map_or(0, |it| tasks(&it))))
        }
        Acted::NotNow(_) | Acted::UnderPaused(_) | Acted::Unknown => Err(missing()),
    }
}

/// What it has to do: as it says itself, or as the ledger knows, which counts those in line.
fn tasks(workspace: &Workspace) -> i64 {
    let said = workspace.beat.as_ref().map_or(0, |beat| beat.active_tasks);
    let counts = workspace.load.as_ref().map(|load| load.counts);
    said.max(counts.map_or(0, |counts| counts.running + counts.waiting))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/hibernate";
    api.route(
        "hibernate_workspace",
        path,
        Who::Operator,
        "Sends a workspace to sleep",
    )
    .about(
        "404 unless it is online or degraded; 409 with its `active_tasks` while it works. In open \
         development also for the workspace itself.",
    )
    .query::<bool>("force", "`true`: also while it works.")
    .ok::<Hibernated>("It sleeps, or is about to.")
    .fails(&[Kind::Missing, Kind::Conflict]);
}

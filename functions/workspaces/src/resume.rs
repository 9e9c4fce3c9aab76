//! `POST /workspaces/{id}/resume`: a paused workspace and all paused ones below it go on (contract:
//! lifecycle-and-sweepers 3.10).

use domain::{Error, Kind, Result, WorkspaceId, lifecycle::Act, workspace::Status};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::lifecycle::{Acted, Ask};

use crate::life::{self, MOST};

pub(crate) const REFUSAL: &str = "an operator resumes: a workspace cannot resume itself";

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResumeReply")]
struct Resumed {
    status: Status,
    resumed_count: usize,
    /// How many are left for the same call once more; absent when that is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<usize>,
}

/// Resumes from below, the workspace itself last: what was interrupted is done by the same call,
/// for the workspace is still paused. The look below ends at whoever is not paused.
///
/// # Errors
/// 400, 401, 403 for the workspace itself, 404 unless it is paused, 409 below a paused ancestor, 503 when there is no backend.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let missing = || Error::missing("workspace not found or not paused");
    let id: WorkspaceId = input.param("id")?;
    let own = life::operated(app, &caller, id, REFUSAL, missing).await?;
    if own.status() != Status::Paused {
        return Err(missing());
    }
    if life::without_backend(app, &own) {
        return Err(life::no_provisioner());
    }
    let boot_within = app.settings.fleet.boot_within;
    let ask = Ask::new(&Act::Resume, boot_within, input.now).with(id);
    let is_paused = |status| status == Status::Paused;
    let below = app.store.levels_below(id, is_paused).await?;
    let (mut resumed, mut left) = (0, 1 + below.iter().map(Vec::len).sum::<usize>());
    let mut status = Status::Paused;
    let levels = below.iter().rev().map(|level| {
        let ids = level.iter().map(|found| found.meta.id);
        ids.collect::<Vec<_>>()
    });
    for level in levels.chain([vec![id]]) {
        let now = &level[..level.len().min(MOST.saturating_sub(resumed))];
        let acted = life::act_on_all(app, now, &ask).await?;
        for done in &acted {
            match done {
                Acted::Done { turn, .. } => status = turn.to,
                Acted::UnderPaused(ancestor) => {
                    return Err(life::under_paused(app, *ancestor).await);
                }
                Acted::NotNow(_) | Acted::Working | Acted::Unknown => {}
            }
        }
        resumed += life::done(&acted);
        left -= now.len();
        if now.len() < level.len() {
            break;
        }
    }
    if resumed == 0 {
        return Err(missing());
    }
    Ok(Reply::ok(&Resumed {
        status,
        resumed_count: resumed,
        remaining: (left > 0).then_some(left),
    }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/resume";
    let summary = "A paused workspace and the paused ones below it go on";
    api.route("resume_workspace", path, Who::Operator, summary)
        .about("409 below a paused ancestor. In open development also for the workspace itself.")
        .ok::<Resumed>("They start.")
        .fails(&[Kind::Missing, Kind::Conflict]);
}

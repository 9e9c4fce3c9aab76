//! The schedules of a workspace (contract: lifecycle-and-sweepers 6.2 to 6.8).

mod create;
mod health;
mod list;
mod run;
mod update;

use domain::{Error, Kind, Result, ScheduleId, WorkspaceId};
use edge::{
    App, Caller, Input, Reply,
    http::Done,
    openapi::{Api, Who},
};
use lambda_http::http::Method;
use store::schedules::Schedule;

/// A prompt may be 64 KB, and each of its bytes six in JSON.
const MAX_BYTES: usize = 512 * 1024;
/// How often a change that met another one is decided anew.
const TRIES: usize = 5;

/// The family of one resource. Whoever may talk to the workspace sees its health; the rest is for the
/// workspace itself and operators.
///
/// # Errors
/// 400, 401, 403, 404, 409, 413.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    // To whoever changes or deletes one, it is the id of none.
    let shows_health = input
        .path
        .trim_end_matches('/')
        .ends_with("/schedules/health");
    if shows_health && !input.has_param("schedule_id") {
        return health::show(app, &caller, id).await;
    }
    app.own(&caller, id).await?;
    if !input.has_param("schedule_id") {
        return match input.method {
            Method::POST => create::create(app, id, &input).await,
            _ => list::list(app, id).await,
        };
    }
    let schedule: ScheduleId = input.param("schedule_id")?;
    match input.method {
        Method::PATCH => update::update(app, id, schedule, &input).await,
        Method::DELETE => delete(app, id, schedule).await,
        Method::POST => run::run(app, id, schedule, &input).await,
        _ => list::history(app, id, schedule, &input).await,
    }
}

async fn delete(app: &App, workspace: WorkspaceId, id: ScheduleId) -> Result<Reply> {
    for _ in 0..TRIES {
        let (found, _) = known(app, workspace, id).await?;
        if app.store.delete_schedule(&found).await? {
            return Ok(Reply::ok(&Done { status: "deleted" }));
        }
    }
    Err(changing())
}

/// A schedule of this workspace, and its prompt.
async fn known(app: &App, workspace: WorkspaceId, id: ScheduleId) -> Result<(Schedule, String)> {
    let found = app.store.schedule(workspace, id).await?;
    found.ok_or_else(|| Error::missing("schedule not found"))
}

fn changing() -> Error {
    Error::unavailable("the schedule kept changing")
}

fn name_taken(name: &str) -> Error {
    Error::conflict(format!(
        "the workspace has a schedule named {name:?} already: names are unique"
    ))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    list::describe(api);
    create::describe(api);
    update::describe(api);
    let path = "DELETE /workspaces/{id}/schedules/{schedule_id}";
    api.route("delete_schedule", path, Who::Own, "Deletes a schedule")
        .ok::<Done>("It is gone.")
        .fails(&[Kind::Missing]);
    run::describe(api);
    health::describe(api);
}

//! `GET /workspaces/{id}/schedules/health`: for those it may talk to (contract:
//! lifecycle-and-sweepers 6.8, registry-and-auth 4.8).

use domain::{Error, Mode, Result, ScheduleId, WorkspaceId, access::may_talk, time::wire};
use edge::{
    App, Bearer, Caller, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::{keys, schedules::Schedule, tokens::Credential};

/// What others may see of a schedule: never what it says or when.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScheduleHealth")]
struct Row {
    id: ScheduleId,
    name: String,
    enabled: bool,
    last_run_at: Option<String>,
    next_run_at: Option<String>,
    run_count: i64,
    last_status: String,
    last_error: String,
}

impl From<Schedule> for Row {
    fn from(schedule: Schedule) -> Self {
        Self {
            id: schedule.id,
            name: schedule.name,
            enabled: schedule.enabled,
            last_run_at: schedule.last_run_at.map(wire),
            next_run_at: schedule.next_run_at.map(wire),
            run_count: schedule.run_count,
            last_status: schedule.last_status,
            last_error: schedule.last_error,
        }
    }
}

pub(super) async fn show(app: &App, caller: &Caller, target: WorkspaceId) -> Result<Reply> {
    let claimed = caller.workspace.as_deref().map(str::parse).transpose();
    // Who says it is part of the platform is nobody.
    let claimed: Option<WorkspaceId> =
        claimed.map_err(|_: Error| Error::unauthenticated("invalid caller auth token"))?;
    let metas = [Some(target), claimed]
        .into_iter()
        .flatten()
        .map(keys::meta);
    let (rows, credential) = app.rows(caller, metas).await?;
    if let Some(id) = asker(app.settings.mode, caller, claimed, credential.as_ref())?
        && id != target
    {
        let places = (rows.workspace(id)?, rows.workspace(target)?);
        match places {
            (Some(a), Some(b)) if may_talk(&a.meta.place(), &b.meta.place()) => {}
            _ => return Err(Error::forbidden("access denied")),
        }
    }
    let found = app.store.schedules(target).await?;
    let found: Vec<Row> = found.into_iter().map(Row::from).collect();
    Ok(Reply::ok(&found))
}

/// The workspace that asks; none is an operator.
fn asker(
    mode: Mode,
    caller: &Caller,
    claimed: Option<WorkspaceId>,
    credential: Option<&Credential>,
) -> Result<Option<WorkspaceId>> {
    match (caller.bearer, credential, claimed) {
        (Bearer::Admin, _, _) | (Bearer::Token(_), Some(Credential::Org { .. }), _) => Ok(None),
        (_, _, None) => Err(Error::unauthenticated("X-Workspace-ID header required")),
        (Bearer::Token(_), Some(Credential::Workspace { workspace_id, .. }), Some(id))
            if *workspace_id == id =>
        {
            Ok(Some(id))
        }
        (Bearer::Token(_), _, Some(_)) => Err(Error::unauthenticated("invalid caller auth token")),
        (Bearer::None, _, Some(id)) if mode.doors_open() => Ok(Some(id)),
        (Bearer::None, _, Some(_)) => Err(Error::unauthenticated("missing caller auth token")),
    }
}

/// For the API's description.
pub(super) fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/schedules/health";
    let summary = "How the schedules of a neighbour are";
    api.route(
        "list_neighbours_schedules_health",
        path,
        Who::Neighbour,
        summary,
    )
    .asker(false)
    .ok::<Vec<Row>>("Never what they say or when.")
    .fails(&[]);
}

//! `GET /workspaces/{id}/schedules`, `GET …/{schedule_id}/history` (contract: lifecycle-and-sweepers
//! 6.2, 6.7).

use domain::{Result, ScheduleId, WorkspaceId, schedule::prompt_preview, time::wire};
use edge::{
    App, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::schedules::{FireRow, Schedule, Source};

/// A schedule on the wire.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Schedule")]
struct Row {
    id: ScheduleId,
    workspace_id: WorkspaceId,
    name: String,
    cron_expr: String,
    timezone: String,
    prompt: String,
    enabled: bool,
    last_run_at: Option<String>,
    next_run_at: Option<String>,
    run_count: i64,
    last_status: String,
    last_error: String,
    source: Source,
    created_at: String,
    updated_at: String,
}

impl Row {
    fn of(schedule: Schedule, prompt: String) -> Self {
        Self {
            id: schedule.id,
            workspace_id: schedule.workspace,
            name: schedule.name,
            cron_expr: schedule.cron_expr,
            timezone: schedule.timezone,
            prompt,
            enabled: schedule.enabled,
            last_run_at: schedule.last_run_at.map(wire),
            next_run_at: schedule.next_run_at.map(wire),
            run_count: schedule.run_count,
            last_status: schedule.last_status,
            last_error: schedule.last_error,
            source: schedule.source,
            created_at: wire(schedule.created_at),
            updated_at: wire(schedule.updated_at),
        }
    }
}

/// A run on the wire.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScheduleRun")]
struct Run {
    timestamp: String,
    duration_ms: Option<i64>,
    status: Option<String>,
    error_detail: String,
    request: Value,
}

impl From<FireRow> for Run {
    fn from(fire: FireRow) -> Self {
        Self {
            timestamp: wire(fire.ended_at.unwrap_or(fire.claimed_at)),
            duration_ms: fire.duration_ms(),
            request: fire.request(),
            status: Some(fire.status),
            error_detail: fire.error,
        }
    }
}

/// Oldest first. Prompts that the answer cannot carry are cut, and it says so: who writes back what it
/// read would lose the rest.
pub(super) async fn list(app: &App, workspace: WorkspaceId) -> Result<Reply> {
    let found = app.store.schedules(workspace).await?;
    let prompts = app.store.prompts(&found).await?;
    let rows = found.into_iter().zip(prompts);
    let rows = rows.map(|(schedule, prompt)| Row::of(schedule, prompt));
    let (reply, whole) = Reply::list(rows.collect(), |row: &mut Row| {
        row.prompt = prompt_preview(&row.prompt);
    });
    Ok(if whole {
        reply
    } else {
        reply.header("x-prompts-truncated", "true")
    })
}

/// The last runs, newest first; none of a schedule that is not there.
pub(super) async fn history(
    app: &App,
    workspace: WorkspaceId,
    id: ScheduleId,
    input: &Input,
) -> Result<Reply> {
    let runs = app.store.runs(id, input.now).await?.into_iter();
    let own = runs.filter(|run| run.workspace == workspace);
    let runs: Vec<Run> = own.map(Run::from).collect();
    Ok(Reply::ok(&runs))
}

/// For the API's description.
pub(super) fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/schedules";
    api.route("list_schedules", path, Who::Own, "A workspace's schedules")
        .ok::<Vec<Row>>("Oldest first.")
        .with_header(
            200,
            "X-Prompts-Truncated",
            "`true` where prompts were cut to their beginning, as the answer cannot carry them.",
        )
        .fails(&[]);
    let path = "GET /workspaces/{id}/schedules/{schedule_id}/history";
    api.route(
        "list_schedule_runs",
        path,
        Who::Own,
        "The last runs of a schedule",
    )
    .ok::<Vec<Run>>("Newest first; none of a schedule that is not there.")
    .fails(&[]);
}

//! `GET /admin/schedules/health`: the schedules of all workspaces (contract: lifecycle-and-sweepers
//! 6.9).

use std::collections::HashMap;

use domain::{
    Result, ScheduleId, WorkspaceId,
    schedule::{self, health, stale_after},
    time::wire,
};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::workspaces::Parts;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScheduleHealthOfAll")]
struct Row {
    workspace_id: WorkspaceId,
    workspace_name: String,
    schedule_id: ScheduleId,
    schedule_name: String,
    cron_expr: String,
    last_run_at: Option<String>,
    expected_next_run: Option<String>,
    status: &'static str,
    stale_threshold_seconds: i64,
}

/// By the names of workspaces, then of schedules; disabled ones as well.
///
/// # Errors
/// 401.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let found = app.store.all_schedules().await?;
    let mut ids: Vec<WorkspaceId> = found.iter().map(|it| it.workspace).collect();
    ids.sort_unstable();
    ids.dedup();
    let workspaces = app.store.load_workspaces(&ids, Parts::Core).await?;
    let names: HashMap<_, _> = workspaces
        .into_iter()
        .map(|workspace| (workspace.meta.id, workspace.meta.name))
        .collect();
    let mut rows = Vec::with_capacity(found.len());
    for found in found {
        // Those of removed workspaces are on their way out.
        let Some(name) = names.get(&found.workspace) else {
            continue;
        };
        let cron = schedule::parse(&found.cron_expr, &found.timezone).ok();
        let threshold = stale_after(cron.as_ref(), input.now);
        rows.push(Row {
            workspace_id: found.workspace,
            workspace_name: name.clone(),
            schedule_id: found.id,
            schedule_name: found.name,
            cron_expr: found.cron_expr,
            last_run_at: found.last_run_at.map(wire),
            expected_next_run: found.next_run_at.map(wire),
            status: health(found.last_run_at, threshold, input.now),
            stale_threshold_seconds: threshold,
        });
    }
    rows.sort_by(|a, b| {
        (&a.workspace_name, &a.schedule_name).cmp(&(&b.workspace_name, &b.schedule_name))
    });
    let (reply, _) = Reply::list(rows, |_| {});
    Ok(reply)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /admin/schedules/health";
    api.route(
        "list_schedules_health",
        path,
        Who::Operator,
        "How all schedules are",
    )
    .ok::<Vec<Row>>("By the names of workspaces, then of schedules.")
    .fails(&[]);
}

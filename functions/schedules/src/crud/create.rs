//! `POST /workspaces/{id}/schedules` (contract: lifecycle-and-sweepers 6.3).

use domain::{
    Error, Kind, Result, ScheduleId, WorkspaceId,
    schedule::{Asked, MAX_SCHEDULES},
    time::wire,
};
use edge::{
    App, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::schedules::{Created, Schedule, Source};

use super::{MAX_BYTES, name_taken};

/// The contract's sentence for whatever does not read as a schedule.
const REQUIRED: &str = "cron_expr and prompt are required";

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CreateScheduleRequest")]
#[schemars(example = serde_json::json!({
    "name": "Morning",
    "cron_expr": "0 9 * * mon-fri",
    "timezone": "Europe/Berlin",
    "prompt": "What is new?",
}))]
struct CreateRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    name: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    cron_expr: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    timezone: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    prompt: String,
    #[serde(default)]
    enabled: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreateScheduleReply")]
struct CreateReply {
    id: ScheduleId,
    status: &'static str,
    next_run_at: Option<String>,
}

pub(super) async fn create(app: &App, workspace: WorkspaceId, input: &Input) -> Result<Reply> {
    let CreateRequest {
        name,
        cron_expr,
        timezone,
        prompt,
        enabled,
    } = input.json(MAX_BYTES, REQUIRED)?;
    let asked = Asked {
        name: &name,
        cron_expr: &cron_expr,
        timezone: &timezone,
        prompt: &prompt,
        enabled,
    };
    let draft = asked.draft(input.now)?;
    let schedule = Schedule::of(&draft, workspace, Source::Runtime, input.now);
    match app.store.create_schedule(&schedule, &draft.prompt).await? {
        Created::Yes => Ok(Reply::created(&CreateReply {
            id: schedule.id,
            status: "created",
            next_run_at: schedule.next_run_at.map(wire),
        })),
        Created::NameTaken => Err(name_taken(&schedule.name)),
        Created::Full => Err(Error::conflict(format!(
            "maximum {MAX_SCHEDULES} schedules per workspace: delete one first"
        ))),
        Created::NoWorkspace => Err(Error::missing("workspace not found")),
    }
}

/// For the API's description.
pub(super) fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/schedules";
    api.route(
        "create_schedule",
        path,
        Who::Own,
        "A prompt that comes by the clock",
    )
    .about("409 for a name that is taken, and at 100 schedules.")
    .body::<CreateRequest>(MAX_BYTES)
    .created::<CreateReply>("When it fires first.")
    .fails(&[Kind::Missing, Kind::Conflict]);
}

//! `GET /workspaces/{id}/metrics`: tokens used today (contract: extended-surface 17).

use domain::{Error, Kind, Result, WorkspaceId};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use store::workspaces::Parts;

const DAY_SECONDS: i64 = 24 * 3600;

/// What was used in a day.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TokenUsage")]
struct Used {
    input_tokens: i64,
    output_tokens: i64,
    total_calls: i64,
    estimated_cost_usd: String,
    period_start: String,
    period_end: String,
}

/// Shows the tokens of the current UTC day, and what they cost.
///
/// # Errors
/// 400, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    app.own(&caller, id).await?;
    let found = app.store.workspace(id, Parts::Core).await?;
    if found.is_none_or(|found| found.beat.is_none()) {
        return Err(Error::missing("workspace not found"));
    }
    let usage = app.store.usage(id, input.now).await?;
    let micro = usage.micro_dollars();
    let start = midnight(input.now);
    Ok(Reply::ok(&Used {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        total_calls: usage.calls,
        estimated_cost_usd: format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000),
        period_start: start.to_string(),
        period_end: (start + SignedDuration::from_secs(DAY_SECONDS)).to_string(),
    }))
}

fn midnight(now: Timestamp) -> Timestamp {
    let seconds = now.as_second() - now.as_second().rem_euclid(DAY_SECONDS);
    Timestamp::from_second(seconds).unwrap_or(now)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/metrics";
    api.route(
        "get_metrics",
        path,
        Who::Own,
        "Tokens that a workspace used today",
    )
    .ok::<Used>("Since midnight, UTC.")
    .fails(&[Kind::Missing]);
}

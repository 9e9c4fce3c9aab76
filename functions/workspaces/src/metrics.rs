//! `GET /workspaces/{id}/metrics`: tokens used today (contract: extended-surface 17).

use domain::{Error, Result, WorkspaceId};
use edge::{App, Caller, Input, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::workspaces::Parts;

const DAY_SECONDS: i64 = 24 * 3600;

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
    Ok(Reply::ok(&json!({
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_calls": usage.calls,
        "estimated_cost_usd": format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000),
        "period_start": start.to_string(),
        "period_end": (start + SignedDuration::from_secs(DAY_SECONDS)).to_string(),
    })))
}

fn midnight(now: Timestamp) -> Timestamp {
    let seconds = now.as_second() - now.as_second().rem_euclid(DAY_SECONDS);
    Timestamp::from_second(seconds).unwrap_or(now)
}

//! `GET|PATCH /workspaces/{id}/budget`: what a month may cost (contract: lifecycle-and-sweepers 5).

use domain::{Error, Kind, Result, WorkspaceId};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use lambda_http::http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::workspaces::{Parts, Workspace};

const MAX_BYTES: usize = 16 * 1024;

/// A budget on the wire, in US cents.
#[derive(Debug, Serialize, JsonSchema)]
struct Budget {
    budget_limit: Option<i64>,
    monthly_spend: i64,
    /// May be negative: what was spent is spent.
    budget_remaining: Option<i64>,
}

impl Budget {
    fn new(limit: Option<i64>, workspace: &Workspace, now: Timestamp) -> Self {
        let beat = workspace.beat.as_ref();
        let spend = beat.map_or(0, |beat| beat.monthly_spend(now));
        Self {
            budget_limit: limit,
            monthly_spend: spend,
            budget_remaining: limit.map(|limit| limit - spend),
        }
    }
}

/// Shows a budget to its workspace and to operators; lets operators change it.
///
/// # Errors
/// 400, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    if input.method == Method::PATCH {
        return change(app, &caller, &input).await;
    }
    let id: WorkspaceId = input.param("id")?;
    app.own(&caller, id).await?;
    let workspace = live(app, id).await?;
    let limit = workspace.meta.budget_limit;
    Ok(Reply::ok(&Budget::new(limit, &workspace, input.now)))
}

async fn change(app: &App, caller: &Caller, input: &Input) -> Result<Reply> {
    app.admin(caller).await?;
    let id: WorkspaceId = input.param("id")?;
    let body: Map<String, Value> = input.json(MAX_BYTES, "invalid request body")?;
    let limit = limit(&body)?;
    let workspace = live(app, id).await?;
    if !app.store.set_budget(id, limit).await? {
        return Err(missing());
    }
    Ok(Reply::ok(&Budget::new(limit, &workspace, input.now)))
}

async fn live(app: &App, id: WorkspaceId) -> Result<Workspace> {
    let found = app.store.workspace(id, Parts::Core).await?;
    found
        .filter(|found| found.beat.is_some())
        .ok_or_else(missing)
}

fn missing() -> Error {
    Error::missing("workspace not found")
}

/// The new limit: `null` clears it, a fraction is cut off.
fn limit(body: &Map<String, Value>) -> Result<Option<i64>> {
    let whole = || Error::invalid("budget_limit must be an integer (USD cents) or null");
    match body.get("budget_limit") {
        None => Err(Error::invalid("budget_limit field is required")),
        Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => {
            let cents = number.as_f64().ok_or_else(whole)?;
            if cents < 0.0 {
                return Err(Error::invalid("budget_limit must be >= 0 (USD cents)"));
            }
            // Beyond 2^53 a JSON number is no exact count any more.
            let exact = number.as_i64();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "cut off on purpose, and in range"
            )]
            let cut = (cents < 9.0e15).then_some(cents as i64);
            exact.or(cut).map(Some).ok_or_else(whole)
        }
        Some(_) => Err(whole()),
    }
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "get_budget",
        "GET /workspaces/{id}/budget",
        Who::Own,
        "What a month may cost",
    )
    .ok::<Budget>("The budget, in US cents.")
    .fails(&[Kind::Missing]);
    let limit = json!({
        "type": "object",
        "examples": [{"budget_limit": 5000}],
        "required": ["budget_limit"],
        "properties": {"budget_limit": {
            "type": ["number", "null"],
            "minimum": 0,
            "description": "US cents, a fraction is cut off; null is none.",
        }},
    });
    let summary = "Changes what a month may cost";
    api.route(
        "set_budget",
        "PATCH /workspaces/{id}/budget",
        Who::Operator,
        summary,
    )
    .body_of("application/json", limit, MAX_BYTES)
    .ok::<Budget>("The budget, in US cents.")
    .fails(&[Kind::Missing]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_the_contract_reads_them() {
        let read = |text: &str| limit(&serde_json::from_str(text).expect("an object"));
        for (body, expected) in [
            (r#"{"budget_limit":null}"#, None),
            (r#"{"budget_limit":0}"#, Some(0)),
            (r#"{"budget_limit":250}"#, Some(250)),
            (r#"{"budget_limit":250.9}"#, Some(250)),
        ] {
            assert_eq!(read(body).expect(body), expected);
        }
        for (body, expected) in [
            ("{}", "budget_limit field is required"),
            (
                r#"{"budget_limit":-1}"#,
                "budget_limit must be >= 0 (USD cents)",
            ),
            (
                r#"{"budget_limit":"5"}"#,
                "budget_limit must be an integer (USD cents) or null",
            ),
            (
                r#"{"budget_limit":1e300}"#,
                "budget_limit must be an integer (USD cents) or null",
            ),
        ] {
            assert_eq!(read(body).expect_err(body).message(), expected);
        }
    }
}

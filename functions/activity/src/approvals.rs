//! `GET`, `POST /workspaces/{id}/approvals`, `POST …/approvals/{approval_id}/decide`,
//! `GET /approvals/pending`: what an agent may only do once a person has said yes (contract:
//! a2a-notify-events 13).
//!
//! What nobody decides is denied by the minute tick (`store::approvals`), not by who looks: until then
//! it shows as pending and can be decided.

use domain::{
    ApprovalId, Error, Kind, Result, WorkspaceId,
    approval::{Asked, Decision, HUMAN, MAX_DECIDED_BY, Status, WAITS, at_most},
    time::wire,
};
use edge::{
    App, Caller, Input, Reply, auth,
    http::Fields,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use lambda_http::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{approvals::Approval, windows::Allowance, workspaces::Parts};

/// Room for every text at its limit, each of its bytes six in JSON.
const MAX_BYTES: usize = 256 * 1024;
/// How often one workspace may ask. The list of what waits shows the newest 50 of all workspaces: one that asks without
/// end would hide what the others ask. Any ten minutes may be of two windows, of which the second begins ten minutes
/// after the first question of the first: 49 at most.
const QUESTIONS: Allowance = Allowance {
    what: "APPROVALS",
    times: 25,
    within: WAITS,
};
/// How often a request that met a move of its workspace is made anew.
const TRIES: usize = 5;

/// A request as agents send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({
    "action": "deploy",
    "reason": "all tests pass",
    "context": {"version": "1.4.0"},
}))]
struct ApprovalRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    action: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    reason: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    task_id: String,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

/// A decision as people send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({"decision": "approved", "decided_by": "Ann"}))]
struct DecisionRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    decision: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    decided_by: String,
}

/// A request that was taken.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RequestedApproval")]
struct Requested {
    approval_id: ApprovalId,
    status: Status,
}

/// A request that was decided.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DecidedApproval")]
struct Decided {
    status: Decision,
    approval_id: ApprovalId,
}

/// A request as its workspace lists it: its context is kept, and not shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Approval")]
struct Row {
    id: ApprovalId,
    task_id: String,
    action: String,
    reason: String,
    status: Status,
    decided_by: Option<String>,
    decided_at: Option<String>,
    created_at: String,
}

/// A request as people see what waits for them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PendingApproval")]
struct Pending {
    id: ApprovalId,
    workspace_id: WorkspaceId,
    workspace_name: String,
    action: String,
    reason: String,
    status: Status,
    created_at: String,
}

impl From<Approval> for Row {
    fn from(approval: Approval) -> Self {
        let Approval {
            id,
            workspace: _,
            action,
            reason,
            task_id,
            status,
            decided_by,
            decided_at,
            created_at,
        } = approval;
        Self {
            id,
            task_id,
            action,
            reason,
            status,
            decided_by,
            decided_at: decided_at.map(wire),
            created_at: wire(created_at),
        }
    }
}

/// The family of one resource: asking, listing, deciding, and what waits everywhere.
///
/// # Errors
/// 400; 401; 403 when a workspace decides what it asked for; 404 for a workspace that is not there, and
/// for a request that is not there or was decided; 413.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    if !input.has_param("id") {
        app.admin(&caller).await?;
        return pending(app).await;
    }
    let id: WorkspaceId = input.param("id")?;
    match input.method {
        Method::POST if input.has_param("approval_id") => decide(app, &caller, id, &input).await,
        Method::POST => ask(app, &caller, id, &input).await,
        _ => {
            app.own(&caller, id).await?;
            let rows = app.store.approvals(id).await?;
            let rows: Vec<Row> = rows.into_iter().map(Row::from).collect();
            Ok(Reply::ok(&rows))
        }
    }
}

async fn pending(app: &App) -> Result<Reply> {
    let found = app.store.pending_approvals().await?;
    let rows: Vec<Pending> = found
        .into_iter()
        .map(|(approval, workspace_name)| Pending {
            id: approval.id,
            workspace_id: approval.workspace,
            workspace_name,
            action: approval.action,
            reason: approval.reason,
            status: approval.status,
            created_at: wire(approval.created_at),
        })
        .collect();
    Ok(Reply::ok(&rows))
}

async fn ask(app: &App, caller: &Caller, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let mut counted = false;
    for _ in 0..TRIES {
        let (rows, credential) = app.rows(caller, Parts::Core.keys(id)).await?;
        auth::own(app.settings.mode, caller, id, credential.as_ref())?;
        let request: ApprovalRequest = input.json(MAX_BYTES, "invalid request body")?;
        let asked = Asked::from(request);
        asked.check()?;
        let found = rows.workspace(id)?.filter(|it| it.beat.is_some());
        let found = found.ok_or_else(|| Error::missing("workspace not found"))?;
        if !counted {
            allowed(app, id, input.now).await?;
            counted = true;
        }
        let asked = app.store.request_approval(&found.meta, &asked, input.now);
        if let store::approvals::Requested::Pending(approval_id) = asked.await? {
            return Ok(Reply::created(&Requested {
                approval_id,
                status: Status::Pending,
            }));
        }
    }
    Err(Error::unavailable("the workspace kept moving"))
}

/// # Errors
/// 429 when it has asked as often as it may for now.
async fn allowed(app: &App, id: WorkspaceId, now: Timestamp) -> Result<()> {
    let taken = app.store.take(QUESTIONS, &id.to_string(), now).await?;
    if taken.allowed {
        return Ok(());
    }
    let wait = taken.resets_at.duration_since(now).as_secs();
    let wait = u32::try_from(wait).unwrap_or_default().max(1);
    let sentence = format!(
        "{} requests for approval in ten minutes are the most: wait for answers to them",
        QUESTIONS.times
    );
    Err(Error::new(Kind::TooMany, sentence).retry_after(wait))
}

impl From<ApprovalRequest> for Asked {
    fn from(request: ApprovalRequest) -> Self {
        let ApprovalRequest {
            action,
            reason,
            task_id,
            context,
        } = request;
        Self {
            action,
            reason,
            task_id,
            context: context.map(|context| Value::Object(context).to_string()),
        }
    }
}

async fn decide(app: &App, caller: &Caller, id: WorkspaceId, input: &Input) -> Result<Reply> {
    // The reference lets the one who asks decide; a question to oneself asks nobody.
    let refusal = "an operator decides: a workspace cannot decide its own request";
    app.operator_of(caller, id, refusal).await?;
    let approval: ApprovalId = input.param("approval_id")?;
    let (decision, decided_by) = decision(input)?;
    let decided = app
        .store
        .decide_approval(id, approval, decision, &decided_by, input.now);
    if !decided.await? {
        return Err(Error::missing("approval not found or already decided"));
    }
    Ok(Reply::ok(&Decided {
        status: decision,
        approval_id: approval,
    }))
}

fn decision(input: &Input) -> Result<(Decision, String)> {
    let request: DecisionRequest = input.json(MAX_BYTES, "invalid request body")?;
    let DecisionRequest {
        decision,
        decided_by,
    } = request;
    if decision.is_empty() {
        return Err(Error::invalid("invalid request body"));
    }
    let decision = Decision::parse(&decision)?;
    at_most("decided_by", &decided_by, MAX_DECIDED_BY)?;
    let by = Some(decided_by).filter(|by| !by.is_empty());
    Ok((decision, by.unwrap_or_else(|| HUMAN.to_owned())))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/approvals";
    api.route(
        "request_approval",
        path,
        Who::Own,
        "Asks people whether it may do something",
    )
    .body::<ApprovalRequest>(MAX_BYTES)
    .created::<Requested>("It waits for somebody; nobody's answer is a no.")
    .fails(&[Kind::Missing, Kind::TooMany]);
    let path = "GET /workspaces/{id}/approvals";
    api.route(
        "list_approvals",
        path,
        Who::Own,
        "What a workspace asked for",
    )
    .ok::<Vec<Row>>("Newest first.")
    .fails(&[]);
    let path = "POST /workspaces/{id}/approvals/{approval_id}/decide";
    api.route("decide_approval", path, Who::Operator, "Says yes or no")
        .about("In open development also for the workspace itself.")
        .body::<DecisionRequest>(MAX_BYTES)
        .ok::<Decided>("It is decided.")
        .fails(&[Kind::Missing]);
    let path = "GET /approvals/pending";
    api.route(
        "list_pending_approvals",
        path,
        Who::Operator,
        "What waits for somebody",
    )
    .ok::<Vec<Pending>>("Of all workspaces.")
    .fails(&[]);
}

#[cfg(test)]
mod tests {
    use store::approvals::NEWEST;

    use super::*;

    #[test]
    fn one_workspace_cannot_fill_the_list_of_what_waits() {
        assert_eq!(QUESTIONS.within, WAITS);
        let most = 2 * QUESTIONS.times - 1;
        assert!(most < i64::from(NEWEST), "{most} at once");
    }
}

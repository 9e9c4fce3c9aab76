//! `GET /workspaces/{id}/a2a/requests/{request_id}`: where a message stands (decision 43).

use domain::{
    BodyId, Error, Kind, RequestId, Result, WorkspaceId,
    json::Text,
    request::{Priority, Request, State, Step},
    time::wire,
};
use edge::{
    App, Caller, Identity, Input, Reply, auth,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Rows, ledger::Ledger as _};

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageRequest")]
struct Answer {
    id: RequestId,
    state: &'static str,
    caller_id: Option<WorkspaceId>,
    target_id: WorkspaceId,
    message_id: String,
    priority: Priority,
    /// In line, from 1; 0 while it runs; absent once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
    attempts: u32,
    delivery_confirmed: bool,
    accepted_at: String,
    started_at: Option<String>,
    ended_at: Option<String>,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    result: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    timeline: Vec<Entry>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageStep")]
struct Entry {
    at: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<Step> for Entry {
    fn from(step: Step) -> Self {
        Self {
            at: wire(step.at),
            state: step.state.wire(),
            note: step.note,
        }
    }
}

/// Shows a request to whoever sent it, whoever it is for, and operators. To all others it is not
/// there.
///
/// # Errors
/// 400, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let target: WorkspaceId = input.param("id")?;
    let id: RequestId = input.param("request_id")?;
    let (_, credential): (Rows, _) = app.rows(&caller, []).await?;
    let identity = auth::anyone(app.settings.mode, &caller, credential.as_ref())?;
    let missing = || Error::missing("request not found");
    let request = app.store.request(id).await?.ok_or_else(missing)?;
    if request.target != target || !may_see(&identity, &request) {
        return Err(missing());
    }
    let result = match request.result {
        Some(body) => result(app, body, input.now).await?,
        None => None,
    };
    let position = match request.state {
        State::Waiting => Some(app.store.place(&request).await?.1),
        State::Offered | State::Running => Some(0),
        State::Completed | State::Failed | State::Expired | State::Dropped => None,
    };
    Ok(Reply::ok(&Answer {
        id,
        priority: request.priority,
        position,
        expires_at: wire(request.valid_until),
        state: request.state.wire(),
        caller_id: request.caller.id(),
        target_id: request.target,
        message_id: request.message_id,
        attempts: request.attempts,
        delivery_confirmed: request.delivery_confirmed,
        accepted_at: wire(request.accepted_at),
        started_at: request.started_at.map(wire),
        ended_at: request.ended_at.map(wire),
        result,
        error: request.error,
        timeline: request.timeline.into_iter().map(Entry::from).collect(),
    }))
}

/// The reply as it was written; what is no JSON shows as `null`, as in lists of activity. It is not taken
/// apart: ten megabytes of it can be more than the function has. What no answer carries comes as whoever
/// sent the message got it.
async fn result(app: &App, id: BodyId, now: Timestamp) -> Result<Option<Text>> {
    let Some(bytes) = app.store.body(id, now).await? else {
        return Ok(None);
    };
    if Reply::measure(&bytes) <= Reply::MAX_BODY {
        return Ok(Some(Text::of_bytes(&bytes).unwrap_or_default()));
    }
    let result_url = app.store.body_url(id).await?;
    let link = json!({"truncated": true, "result_url": result_url});
    Ok(Some(link.into()))
}

fn may_see(identity: &Identity, request: &Request) -> bool {
    match identity {
        Identity::Anyone | Identity::Admin | Identity::Org => true,
        Identity::Workspace(id) => *id == request.target || request.caller.id() == Some(*id),
    }
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/a2a/requests/{request_id}";
    api.route("get_request", path, Who::Anyone, "Where a message stands")
        .about(
            "For its sender, its target and operators; to all others it is not there. A result that no \
             answer carries comes as `truncated` and a `result_url`.",
        )
        .ok::<Answer>("Also, for a day, how it ended.")
        .fails(&[Kind::Missing]);
}

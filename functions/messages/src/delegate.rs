//! `POST /workspaces/{id}/delegate`: a task for another workspace, answered at once, done in its
//! turn, tracked to its result (contract: a2a-notify-events 4.1, 4.2).

use domain::{DelegationId, Error, Result, WorkspaceId, activity::Source, envelope};
use edge::{
    App, Caller, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    bodies,
    delegations::{self, Delegation, Status, Told},
    ledger::{Accepted, Ledger as _},
    workspaces::Parts,
};
use uuid::Uuid;

use crate::{
    Messages,
    dispatch::wake,
    flow::front,
    options::Options,
    revive,
    route::{self, Route},
    rows,
    submit::Sent,
};

const MAX_BYTES: usize = 1024 * 1024;

/// A delegation as agents send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(example = json!({
    "target_id": "8d5b1f72-0e3a-4d94-b6c7-5a4f3e2d1c0b",
    "task": "Summarise the report",
    "idempotency_key": "report-7",
}))]
pub struct DelegateRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    target_id: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    task: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    idempotency_key: String,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DelegateReply")]
struct Delegated {
    delegation_id: DelegationId,
    status: &'static str,
    target_id: WorkspaceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotent_hit: Option<bool>,
}

/// Takes a delegation. Whether the target is there, may be spoken to and has budget shows later, as
/// a failed result.
///
/// # Errors
/// 400, 401, 413.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let source: WorkspaceId = input.param("id")?;
    app.own(&caller, source).await?;
    let request: DelegateRequest = input.json(MAX_BYTES, "invalid delegation request")?;
    if request.target_id.trim().is_empty() || request.task.trim().is_empty() {
        return Err(Error::invalid("invalid delegation request"));
    }
    let target = uuid(&request.target_id)?;
    if target == source {
        return Err(Error::invalid("self-delegation not permitted"));
    }
    let id = delegations::new_id();
    let task = json!({"task": request.task, "delegation_id": id}).to_string();
    let delegation = Delegation {
        id,
        source,
        target,
        task: bodies::new_id(),
        status: Status::Pending,
        created_at: input.now,
        ended_at: None,
        trace: input.trace,
    };
    app.store
        .put_body(delegation.task, task.as_bytes(), input.now)
        .await?;
    let key = (!request.idempotency_key.is_empty())
        .then(|| envelope::hash(&format!("{source}\n{}", request.idempotency_key)));
    let told = app
        .store
        .delegate(&delegation, &request.task, key.as_deref())
        .await?;
    Ok(match told {
        Told::New => Reply::json(
            StatusCode::ACCEPTED,
            &Delegated {
                delegation_id: id,
                status: "delegated",
                target_id: target,
                idempotent_hit: None,
            },
        ),
        Told::Before(before) => Reply::ok(&Delegated {
            delegation_id: before.id,
            status: before.status.as_str(),
            target_id: before.target,
            idempotent_hit: Some(true),
        }),
    })
}

/// A target as agents write it: any form of a UUID.
pub(crate) fn uuid(text: &str) -> Result<WorkspaceId> {
    Uuid::try_parse(text.trim())
        .map(WorkspaceId::from_uuid)
        .map_err(|_| Error::invalid("target_id must be a valid UUID"))
}

/// Sends a delegation's message. A job that comes twice finds it sent: its id is the message id.
///
/// # Errors
/// The datastore did not answer: the job is tried again.
pub async fn send(
    messages: &'static Messages,
    source: WorkspaceId,
    id: DelegationId,
) -> Result<()> {
    let store = &messages.app.store;
    let Some(delegation) = store.delegation(source, id).await? else {
        return Ok(());
    };
    if delegation.status != Status::Pending {
        return Ok(());
    }
    let now = domain::time::to_micros(Timestamp::now());
    match submit_task(messages, &delegation, now).await {
        Ok(queued) => store.delegation_sent(&delegation, queued, now).await,
        Err(error) if is_ours(&error) => Err(error),
        Err(error) => {
            store
                .delegation_refused(&delegation, error.message(), now)
                .await
        }
    }
}

/// Trouble of our own is tried again; everything else is the delegation's result.
fn is_ours(error: &Error) -> bool {
    matches!(
        error.kind(),
        domain::Kind::PlatformUnavailable | domain::Kind::Internal
    )
}

/// Puts the task into the ledger; says whether it stands in line.
async fn submit_task(
    messages: &'static Messages,
    delegation: &Delegation,
    now: Timestamp,
) -> Result<bool> {
    let store = &messages.app.store;
    let body = store.body(delegation.task, now).await?.unwrap_or_default();
    let task: Value = serde_json::from_slice(&body).map_err(Error::internal)?;
    let sent = addressed(messages, delegation, now).await?;
    let envelope = envelope::read(&message(delegation.id, &task["task"]), Uuid::new_v4)?;
    let options = Options {
        trace: delegation.trace,
        ..Options::default()
    };
    let mut request = sent.request(&envelope, options, now)?;
    request.delegation = Some(delegation.id);
    store.put_body(request.body, &envelope.body, now).await?;
    if sent.route == Route::Poll {
        request.slot = false;
        let row = rows::fetched(&request, &sent.target.meta.name, now);
        store.leave(&request, &row).await?;
        wake(messages, &sent.target).await;
        return Ok(false);
    }
    match store.accept(&request, true).await? {
        Accepted::Offered => Ok(false),
        Accepted::Waiting => {
            wake(messages, &sent.target).await;
            Ok(true)
        }
        Accepted::Repeat { of, .. } => {
            let live = store.request(of).await?;
            Ok(live.is_some_and(|live| live.state == domain::request::State::Waiting))
        }
        Accepted::QueueFull(depth) => Err(front::full(depth)),
        Accepted::ShareTaken(depth) => Err(front::share_taken(depth)),
        Accepted::Paused => Err(route::no_url(domain::workspace::Status::Paused)),
        Accepted::Closed => Err(Error::missing("workspace not found")),
    }
}

/// The message an agent gets (contract: a2a-notify-events 4.2).
fn message(id: DelegationId, task: &Value) -> Vec<u8> {
    let message = json!({
        "method": "message/send",
        "params": {
            "message": {
                "role": "user",
                "messageId": id,
                "parts": [{"type": "text", "text": task}],
                "metadata": {"delegation_id": id},
            },
        },
    });
    message.to_string().into_bytes()
}

async fn addressed(messages: &Messages, delegation: &Delegation, now: Timestamp) -> Result<Sent> {
    let keys = [delegation.source, delegation.target]
        .into_iter()
        .flat_map(|id| Parts::WithMachine.keys(id));
    let rows = messages.app.store.rows(keys).await?;
    let source = Source::Workspace(delegation.source);
    let (sender, target) = (
        rows.workspace(delegation.source)?,
        rows.workspace(delegation.target)?,
    );
    let route = route::decide(&source, sender.as_ref(), target.as_ref(), now)?;
    let sent = Sent {
        source,
        sender,
        target: target.ok_or_else(|| Error::missing("workspace not found"))?,
        route,
        restarts: false,
    };
    let sent = revive::revived(messages, sent, now).await?;
    if let Route::Push(url) = &sent.route {
        messages
            .agents
            .address(url, sent.target.inside())
            .map_err(|_| {
                Error::new(
                    domain::Kind::Unreachable,
                    "workspace URL is not publicly routable",
                )
            })?;
    }
    Ok(sent)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/delegate";
    api.route("delegate", path, Who::Own, "A task for another workspace")
        .about("Whether the target is there, may be spoken to and has budget shows later.")
        .body::<DelegateRequest>(MAX_BYTES)
        .answers::<Delegated>(202, "It is under way.")
        .ok::<Delegated>("It was there before, by its `idempotency_key`.")
        .fails(&[]);
}

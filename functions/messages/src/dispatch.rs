//! `POST /workspaces/{id}/a2a`: check, accept, hand over, wait a while (contract:
//! a2a-notify-events 2).

use aws_sdk_lambda::primitives::Blob;
use domain::{
    Error, Kind, RequestId, Result, WorkspaceId,
    envelope::{self, Envelope},
    lifecycle::Host,
    request::Request,
    workspace::Status,
};
use edge::{
    Caller, Input, Reply,
    openapi::{Api, Who},
};
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::{
    ledger::Ledger as _,
    workspaces::{DeliveryMode, Parts, Workspace},
};
use uuid::Uuid;

use crate::{
    Messages,
    flow::{
        Clock as _,
        deliver::{Call, Offer},
        front::{self, Answer, Arrival, Starts},
    },
    options,
    outcome::Outcome,
    revive,
    route::{self, Route},
    rows, sender,
    submit::{Sent, refuses_other_messages},
};

/// The most a message may be, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// When a caller of a sleeping workspace may look again.
const WAKE_SECONDS: u64 = 15;

/// The answer for an agent that fetches its messages.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageLeft")]
struct Fetched {
    status: &'static str,
    delivery_mode: DeliveryMode,
    method: String,
    queue_id: RequestId,
}

/// The contract's answer for a message that waits.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageQueued")]
struct Queued {
    queued: bool,
    queue_id: RequestId,
    queue_depth: usize,
    /// In line, from 1; 0 while it runs.
    position: usize,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    waking: Option<bool>,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restarting: Option<bool>,
}

/// Takes a message. The answer is the agent's if it comes while the front door is held open, else
/// 202: the message is kept, delivered in its turn, and its result can be asked for.
///
/// # Errors
/// The contract's, in the contract's order.
pub async fn handle(messages: &'static Messages, caller: Caller, input: Input) -> Result<Reply> {
    let target: WorkspaceId = input.param("id")?;
    input.limit(MAX_BYTES)?;
    let sent = check(messages, &caller, &input, target).await?;
    let envelope = envelope::read(&input.body, Uuid::new_v4)?;
    let options = options::read(&input, &envelope.body)?;
    let request = sent.request(&envelope, options, input.now)?;
    match &sent.route {
        Route::Poll => leave(messages, &sent, request, &envelope).await,
        Route::Push(url) => {
            // The client checks again when it connects; this is the text alone.
            messages
                .agents
                .address(url, sent.target.inside())
                .map_err(|_| {
                    Error::new(Kind::Unreachable, "workspace URL is not publicly routable")
                })?;
            let call = call(&sent, url, &envelope, options.deadline);
            carry(messages, &sent, &request, call, &envelope, &input).await
        }
        Route::Wake | Route::Revive => {
            carry(messages, &sent, &request, None, &envelope, &input).await
        }
    }
}

/// Everything that can be known from one batch get.
async fn check(
    messages: &Messages,
    caller: &Caller,
    input: &Input,
    target: WorkspaceId,
) -> Result<Sent> {
    let (app, claimed) = (messages.app, sender::claimed(caller)?);
    let keys = [Some(target), claimed]
        .into_iter()
        .flatten()
        .flat_map(|id| Parts::WithMachine.keys(id));
    let (rows, credential) = app.rows(caller, keys).await?;
    let mode = app.settings.mode;
    let source = sender::proven(mode, caller, claimed, target, credential.as_ref(), &rows)?;
    let sender = match source.id() {
        Some(id) if claimed == Some(id) || id == target => rows.workspace(id)?,
        // A workspace that names itself only by its token: one more read.
        Some(id) => app.store.workspace(id, Parts::WithLoad).await?,
        None => None,
    };
    let target = rows.workspace(target)?;
    let route = route::decide(&source, sender.as_ref(), target.as_ref(), input.now)?;
    let sent = Sent {
        source,
        sender,
        target: target.ok_or_else(|| Error::missing("workspace not found"))?,
        route,
        restarts: false,
    };
    revive::revived(messages, sent, input.now).await
}

fn call(
    sent: &Sent,
    url: &str,
    envelope: &Envelope,
    deadline: Option<jiff::Timestamp>,
) -> Option<Call> {
    let beat = sent.target.beat.as_ref();
    Some(Call {
        url: url.to_owned(),
        recorded: sent.target.inside(),
        body: String::from_utf8_lossy(&envelope.body).into_owned(),
        target_name: sent.target.meta.name.clone(),
        idle_timeout_seconds: beat.and_then(|beat| beat.idle_timeout),
        deadline,
    })
}

/// Leaves the message where its target fetches it.
async fn leave(
    messages: &Messages,
    sent: &Sent,
    mut request: Request,
    envelope: &Envelope,
) -> Result<Reply> {
    request.slot = false;
    let store = &messages.app.store;
    let now = request.accepted_at;
    store.put_body(request.body, &envelope.body, now).await?;
    let row = rows::fetched(&request, &sent.target.meta.name, now);
    if !store.leave(&request, &row).await? {
        return Err(Error::missing("workspace not found"));
    }
    wake(messages, &sent.target).await;
    Ok(Reply::ok(&Fetched {
        status: "queued",
        delivery_mode: DeliveryMode::Poll,
        method: envelope.method.clone(),
        queue_id: request.id,
    }))
}

/// Accepts the message and has it delivered, now or in its turn.
async fn carry(
    messages: &Messages,
    sent: &Sent,
    request: &Request,
    call: Option<Call>,
    envelope: &Envelope,
    input: &Input,
) -> Result<Reply> {
    let arrival = Arrival {
        request,
        body: &envelope.body,
        call,
        // A machine takes longer to boot than the door can be held open.
        until: match sent.route {
            Route::Wake | Route::Revive => input.received_at,
            Route::Push(_) | Route::Poll => input.received_at + messages.hold,
        },
        refuses_others: refuses_other_messages(messages.app.settings.mode),
    };
    let answer = front::take(&messages.flow(), messages, arrival).await?;
    if let Answer::Queued { .. } = answer {
        wake(messages, &sent.target).await;
    }
    match answer {
        Answer::Delivered(Outcome::Unreachable) if sent.restarts => Err(revive::restarting()),
        Answer::Delivered(outcome) => outcome.reply(),
        Answer::Kept(outcome) => outcome.for_caller(envelope.rpc_id.as_ref()).reply(),
        Answer::Queued {
            id,
            depth,
            position,
        } => Ok(queued(id, depth, position, sent)),
        Answer::OtherMessage => Err(Error::conflict("messageId was used for another message")),
        Answer::QueueFull(depth) => Err(front::full(depth)),
        Answer::ShareTaken(depth) => Err(front::share_taken(depth)),
        Answer::Paused => Err(route::no_url(Status::Paused)),
        Answer::Closed => Err(Error::missing("workspace not found")),
    }
}

/// Wakes the target of a message that is kept. If that fails the message is not lost: the next one
/// or the minute tick tries again.
pub(crate) async fn wake(messages: &Messages, target: &Workspace) {
    let app = messages.app;
    let (id, now) = (target.meta.id, messages.flow().clock.now());
    let boot_within = app.settings.fleet.boot_within;
    let woken = match (target.status(), target.host()) {
        (Status::Hibernated, _) => app.store.wake(id, boot_within, now).await,
        (Status::Offline, Host::Machine) => revive::revive(app, id, now).await.map(drop),
        _ => return,
    };
    if let Err(error) = woken {
        edge::http::log_failure(&error, "wake");
    }
}

impl Starts for Messages {
    async fn start(&self, offer: &Offer) -> Result<Outcome, String> {
        let payload = serde_json::to_vec(offer).map_err(|error| error.to_string())?;
        let answer = self
            .lambda
            .invoke()
            .function_name(self.deliver_for(offer))
            .payload(Blob::new(payload))
            .send()
            .await
            .map_err(|error| format!("{:?}", error.into_service_error()))?;
        let payload = answer.payload.unwrap_or_else(|| Blob::new(Vec::new()));
        if let Some(kind) = answer.function_error {
            let said: Value = serde_json::from_slice(payload.as_ref()).unwrap_or_default();
            return Err(format!("{kind}: {said}"));
        }
        serde_json::from_slice(payload.as_ref()).map_err(|error| error.to_string())
    }
}

/// The contract's queued body, with the place in line: 0 is running.
fn queued(id: RequestId, depth: usize, position: usize, sent: &Sent) -> Reply {
    let mut body = Queued {
        queued: true,
        queue_id: id,
        queue_depth: depth,
        position,
        message: "workspace agent busy — request queued, will dispatch when capacity available",
        waking: None,
        retry_after: None,
        restarting: None,
    };
    if sent.route != Route::Wake {
        return Reply::json(StatusCode::ACCEPTED, &body);
    }
    // The contract's words and figures of a wake; that the message is kept is ours.
    body.waking = Some(true);
    body.retry_after = Some(WAKE_SECONDS);
    body.message = match sent.target.status() {
        Status::Hibernating | Status::Hibernated => {
            "workspace is waking from hibernation — request queued, will dispatch when awake"
        }
        _ if sent.restarts => {
            "workspace agent unreachable — restart triggered, request queued, will dispatch when its \
             agent has registered"
        }
        _ => "workspace is starting — request queued, will dispatch when its agent has registered",
    };
    if sent.restarts {
        body.restarting = Some(true);
    }
    Reply::json(StatusCode::ACCEPTED, &body).header("retry-after", WAKE_SECONDS.to_string())
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let message = json!({
        "type": ["object", "null"],
        "examples": [{"method": "message/send", "params": {"message": {
            "role": "user",
            "parts": [{"kind": "text", "text": "hello"}],
        }}}],
        "description": "A JSON-RPC call of A2A. What is missing of the envelope, and a missing \
                        `messageId`, is completed; all else is passed on as it is.",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {},
            "method": {"type": "string", "examples": ["message/send"]},
            "params": {"type": "object", "properties": {
                "message": {"type": "object", "properties": {
                    "role": {"type": "string", "examples": ["user"]},
                    "messageId": {
                        "type": "string",
                        "description": "The same message again gets the first one's answer.",
                    },
                    "parts": {"type": "array", "items": {"type": "object"}},
                }},
                "metadata": {"type": "object", "properties": {
                    "priority": {
                        "description": "`critical`, `task` or `info`; anything else is passed on and ignored.",
                        "examples": ["info"],
                    },
                    "expires_in": {
                        "description": "Seconds, up to 604,800; anything else is passed on and ignored.",
                        "examples": [3600],
                    },
                }},
            }},
        },
    });
    let path = "POST /workspaces/{id}/a2a";
    api.route("send_message", path, Who::Neighbour, "Sends a message to a workspace")
        .about(
            "The answer is the agent's, if it comes within 25 s: below 300 byte for byte, else its \
             status with what it said as `error`. 403 also for a workspace that is not there; 503 with \
             its `status`, or with `busy`.",
        )
        .asker(false)
        .header::<String>("X-Priority", "`critical`, `task` (the rule) or `info`.")
        .header::<u32>("X-Expires-In", "How long it may wait, in seconds; a day is the rule.")
        .header::<u32>("X-Timeout", "When its delivery ends, come what may, in seconds.")
        .header::<String>("traceparent", "W3C Trace Context; the agent is told.")
        .body_of("application/json", message, MAX_BYTES)
        .answers::<Fetched>(200, "The agent fetches its messages, and this is one of them.")
        .answers::<Value>(200, "The agent's answer; or `queued`, where it fetches its messages.")
        .answers::<Queued>(202, "It is kept: `queue_id` tells how it stands.")
        .otherwise("Whatever else an agent answered: its status, and what it said.")
        .fails(&[
            Kind::OverBudget,
            Kind::Missing,
            Kind::Conflict,
            Kind::Unreachable,
        ]);
}

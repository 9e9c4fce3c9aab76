//! `POST /workspaces/{id}/a2a`: check, accept, hand over, wait a while (contract:
//! a2a-notify-events 2).

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use domain::{
    Error, Result, WorkspaceId,
    activity::Source,
    capabilities::Capability,
    request::{MAX_CHAIN, OFFER, Request, State, Step, chain_of, is_reply_into_chain},
};
use edge::{Caller, Input, Reply};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use serde_json::json;
use store::{
    bodies,
    requests::{self, Accepted},
    workspaces::{Parts, Workspace},
};
use uuid::Uuid;

use crate::{
    Messages,
    deliver::{Call, Offer},
    envelope::{self, Envelope},
    outcome::{Outcome, busy},
    route::{self, Route},
    rows, sender,
};

/// The most a message may be, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Takes a message. The answer is the agent's if it comes while the front door is held open, else
/// 202: the delivery goes on and its result is kept.
///
/// # Errors
/// The contract's, in the contract's order.
pub async fn handle(messages: &'static Messages, caller: Caller, input: Input) -> Result<Reply> {
    let target: WorkspaceId = input.param("id")?;
    input.limit(MAX_BYTES)?;
    let sent = check(messages, &caller, &input, target).await?;
    let envelope = envelope::read(&input.body, Uuid::new_v4)?;
    match &sent.route {
        Route::Poll => leave(messages, &sent, &envelope, &input).await,
        Route::Push(url) => {
            // The client checks again when it connects; this is the text alone.
            messages.agents.address(url).map_err(|_| {
                Error::new(
                    domain::Kind::Unreachable,
                    "workspace URL is not publicly routable",
                )
            })?;
            carry(messages, &sent, url, envelope, &input).await
        }
    }
}

/// A message whose sender may send it.
struct Sent {
    source: Source,
    sender: Option<Workspace>,
    target: Workspace,
    route: Route,
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
        .flat_map(|id| Parts::WithLoad.keys(id));
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
    Ok(Sent {
        source,
        sender,
        target: target.ok_or_else(|| Error::missing("workspace not found"))?,
        route,
    })
}

impl Sent {
    /// The request as it will be recorded.
    fn request(&self, envelope: &Envelope, now: Timestamp) -> Result<Request> {
        let target = self.target.meta.id;
        let running = || {
            let load = self.sender.as_ref().and_then(|sender| sender.load.as_ref());
            load.into_iter().flat_map(|load| load.slots.values())
        };
        let chain = chain_of(&self.source, running(), target);
        if chain.len() > MAX_CHAIN {
            return Err(Error::conflict(format!(
                "this would be call number {} in one chain; {MAX_CHAIN} are allowed",
                chain.len()
            )));
        }
        // Who waits for this very answer must not wait for itself; who queues by itself needs no
        // slots of ours.
        let native = self
            .target
            .beat
            .as_ref()
            .is_some_and(|beat| beat.capabilities.has(Capability::Session));
        let free =
            self.source.id() == Some(target) || is_reply_into_chain(running(), target) || native;
        Ok(Request {
            id: requests::new_id(),
            caller: self.source.clone(),
            target,
            method: envelope.method.clone(),
            message_id: envelope.message_id.clone(),
            body: bodies::new_id(),
            chain,
            slot: !free,
            state: State::Offered,
            fence: 1,
            attempts: 0,
            accepted_at: now,
            lease_until: Some(now + OFFER),
            started_at: None,
            ended_at: None,
            delivery_confirmed: false,
            result: None,
            result_status: None,
            error: None,
            timeline: vec![Step {
                at: now,
                state: State::Offered,
                note: Some("accepted".to_owned()),
            }],
        })
    }
}

/// Leaves the message where its target fetches it.
async fn leave(
    messages: &Messages,
    sent: &Sent,
    envelope: &Envelope,
    input: &Input,
) -> Result<Reply> {
    let mut request = sent.request(envelope, input.now)?;
    request.slot = false;
    let store = &messages.app.store;
    store
        .put_body(request.body, &envelope.body, input.now)
        .await?;
    let row = rows::fetched(&request, &sent.target.meta.name, input.now);
    if !store.leave(&request, &row, input.now).await? {
        return Err(Error::missing("workspace not found"));
    }
    Ok(Reply::ok(&json!({
        "status": "queued",
        "delivery_mode": "poll",
        "method": envelope.method,
        "queue_id": request.id,
    })))
}

/// Accepts the message and has it delivered.
async fn carry(
    messages: &Messages,
    sent: &Sent,
    url: &str,
    envelope: Envelope,
    input: &Input,
) -> Result<Reply> {
    let request = sent.request(&envelope, input.now)?;
    let store = &messages.app.store;
    // Side by side: the body is only looked at by who finds the request.
    let (kept, accepted) = tokio::join!(
        store.put_body(request.body, &envelope.body, input.now),
        store.accept(&request),
    );
    match accepted? {
        Accepted::Yes => {}
        Accepted::Full(_) => return Err(busy()),
        Accepted::Closed => return Err(Error::missing("workspace not found")),
    }
    if let Err(error) = kept {
        give_up(
            messages,
            &request,
            &sent.target.meta.name,
            "the message could not be kept",
        )
        .await?;
        return Err(error);
    }
    let beat = sent.target.beat.as_ref();
    let offer = Offer {
        request_id: request.id,
        fence: request.fence,
        call: Call {
            url: url.to_owned(),
            body: String::from_utf8_lossy(&envelope.body).into_owned(),
            target_name: sent.target.meta.name.clone(),
            idle_timeout_seconds: beat.and_then(|beat| beat.idle_timeout),
            deadline: deadline(input),
        },
    };
    let window = window(input.received_at, messages.hold);
    match tokio::time::timeout(window, invoke(messages, &offer)).await {
        Err(_) => Ok(held_too_long(&request)),
        Ok(Ok(outcome)) => outcome.reply(),
        Ok(Err(error)) => {
            // Nobody claimed it: the slot goes back. If somebody did, its own end stands.
            give_up(
                messages,
                &request,
                &sent.target.meta.name,
                "no delivery could be started",
            )
            .await?;
            tracing::error!(request_id = %request.id, "deliver could not be invoked: {error}");
            Err(busy())
        }
    }
}

/// What is left of the hold window, counted from when the gateway took the request.
fn window(received_at: Timestamp, hold: Duration) -> Duration {
    let passed = Timestamp::now().duration_since(received_at);
    hold.saturating_sub(Duration::try_from(passed).unwrap_or_default())
}

/// `X-Timeout: N` ends the delivery N seconds after it was accepted; zero, negative and nonsense
/// are ignored.
fn deadline(input: &Input) -> Option<Timestamp> {
    let seconds: i64 = input.header("x-timeout")?.trim().parse().ok()?;
    let longest = domain::request::LONGEST_DELIVERY.as_secs();
    (seconds > 0).then(|| input.now + SignedDuration::from_secs(seconds.min(longest)))
}

async fn invoke(messages: &Messages, offer: &Offer) -> Result<Outcome, String> {
    let payload = serde_json::to_vec(offer).map_err(|error| error.to_string())?;
    let answer = messages
        .lambda
        .invoke()
        .function_name(&messages.deliver_function)
        .payload(Blob::new(payload))
        .send()
        .await
        .map_err(|error| format!("{:?}", error.into_service_error()))?;
    let payload = answer.payload.unwrap_or_else(|| Blob::new(Vec::new()));
    if let Some(kind) = answer.function_error {
        return Err(format!(
            "{kind}: {}",
            String::from_utf8_lossy(payload.as_ref())
        ));
    }
    serde_json::from_slice(payload.as_ref()).map_err(|error| error.to_string())
}

async fn give_up(messages: &Messages, request: &Request, name: &str, why: &str) -> Result<()> {
    let now = Timestamp::now();
    let row = rows::failed(request, name, why, 0, now);
    let ending = requests::Ending::failed(503, false, why, row);
    messages.app.store.finish(request, &ending, now).await?;
    Ok(())
}

/// The contract's queued body; the request runs, so its position is 0.
fn held_too_long(request: &Request) -> Reply {
    Reply::json(
        StatusCode::ACCEPTED,
        &json!({
            "queued": true,
            "queue_id": request.id,
            "queue_depth": 0,
            "position": 0,
            "message": "workspace agent busy — request queued, will dispatch when capacity available",
        }),
    )
}

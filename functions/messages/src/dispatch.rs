//! `POST /workspaces/{id}/a2a`: check, accept, hand over, wait a while (contract:
//! a2a-notify-events 2).

use aws_sdk_lambda::primitives::Blob;
use domain::{Error, Kind, RequestId, Result, WorkspaceId, request::Request};
use edge::{Caller, Input, Reply};
use lambda_http::http::StatusCode;
use serde_json::{Value, json};
use store::{
    ledger::{Accepted, Ledger as _},
    workspaces::Parts,
};
use uuid::Uuid;

use crate::{
    Messages,
    envelope::{self, Envelope},
    flow::deliver::{Call, Offer, give_back},
    options,
    outcome::Outcome,
    route::{self, Route},
    rows, sender,
    submit::{Sent, refuses_other_messages},
    wait,
};

/// The most a message may be, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

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
            messages.agents.address(url).map_err(|_| {
                Error::new(Kind::Unreachable, "workspace URL is not publicly routable")
            })?;
            let call = call(&sent, url, &envelope, options.deadline);
            carry(messages, &request, call, &envelope, &input).await
        }
        Route::Wake => carry(messages, &request, None, &envelope, &input).await,
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

fn call(
    sent: &Sent,
    url: &str,
    envelope: &Envelope,
    deadline: Option<jiff::Timestamp>,
) -> Option<Call> {
    let beat = sent.target.beat.as_ref();
    Some(Call {
        url: url.to_owned(),
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
    Ok(Reply::ok(&json!({
        "status": "queued",
        "delivery_mode": "poll",
        "method": envelope.method,
        "queue_id": request.id,
    })))
}

/// Accepts the message and has it delivered, now or in its turn.
async fn carry(
    messages: &Messages,
    request: &Request,
    call: Option<Call>,
    envelope: &Envelope,
    input: &Input,
) -> Result<Reply> {
    let store = &messages.app.store;
    // Side by side: the body is only looked at by who finds the request.
    let (kept, accepted) = tokio::join!(
        store.put_body(request.body, &envelope.body, input.now),
        store.accept(request, false),
    );
    let accepted = accepted?;
    if let Err(error) = kept
        && matches!(accepted, Accepted::Offered | Accepted::Waiting)
    {
        // Whoever carries it finds no body and fails it; the caller knows at once.
        return Err(error);
    }
    match accepted {
        Accepted::Offered => hand_over(messages, request, call, input).await,
        Accepted::Waiting => in_line(messages, request, envelope, input).await,
        Accepted::Repeat { of, digest } => {
            let other = digest != envelope.digest;
            if other && refuses_other_messages(messages.app.settings.mode) {
                return Err(Error::conflict("messageId was used for another message"));
            }
            attach(messages, of, envelope, input).await
        }
        Accepted::QueueFull(depth) => Err(Error::new(Kind::TooMany, "queue is full")
            .with("queue_depth", depth)
            .retry_after(60)),
        Accepted::Closed => Err(Error::missing("workspace not found")),
    }
}

/// Has an offered request delivered while the front door is held open.
async fn hand_over(
    messages: &Messages,
    request: &Request,
    call: Option<Call>,
    input: &Input,
) -> Result<Reply> {
    let offer = Offer {
        request_id: request.id,
        fence: 1,
        call,
    };
    let window = wait::window(input.received_at, messages.hold);
    match tokio::time::timeout(window, invoke(messages, &offer)).await {
        Err(_) => queued(messages, request).await,
        Ok(Ok(Outcome::Queued)) => queued(messages, request).await,
        Ok(Ok(Outcome::NotOurs)) => match messages.app.store.request(request.id).await? {
            Some(found) if found.state.is_final() => {
                wait::outcome(messages.app, &found).await?.reply()
            }
            _ => queued(messages, request).await,
        },
        Ok(Ok(outcome)) => outcome.reply(),
        Ok(Err(why)) => {
            // Nobody took it: back in line. If somebody did, its own end stands.
            tracing::error!(request_id = %request.id, "deliver could not be invoked: {why}");
            give_back(&messages.flow(), request, "no delivery could be started").await?;
            queued(messages, request).await
        }
    }
}

/// Waits at the head of the line; further back there is no point in holding the door.
async fn in_line(
    messages: &Messages,
    request: &Request,
    envelope: &Envelope,
    input: &Input,
) -> Result<Reply> {
    let app = messages.app;
    let key = request.line_key();
    let (_, position) = app.store.place_in_line(request.target, &key).await?;
    if position <= 1 {
        let window = wait::window(input.received_at, messages.hold);
        if let Some(ended) = wait::ended(app, request, window).await? {
            return answer(messages, &ended, envelope).await;
        }
    }
    queued(messages, request).await
}

/// Waits for the request that this one repeats.
async fn attach(
    messages: &Messages,
    of: RequestId,
    envelope: &Envelope,
    input: &Input,
) -> Result<Reply> {
    let missing = || Error::unavailable("a repeated message is not in the ledger");
    let app = messages.app;
    let live = app.store.request(of).await?.ok_or_else(missing)?;
    let window = wait::window(input.received_at, messages.hold);
    match wait::ended(app, &live, window).await? {
        Some(ended) => answer(messages, &ended, envelope).await,
        None => queued(messages, &live).await,
    }
}

/// The stored answer, with the caller's own JSON-RPC id.
async fn answer(messages: &Messages, ended: &Request, envelope: &Envelope) -> Result<Reply> {
    let outcome = wait::outcome(messages.app, ended).await?;
    outcome.for_caller(envelope.rpc_id.as_ref()).reply()
}

/// Runs `deliver` and waits for what it says.
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
        let said: Value = serde_json::from_slice(payload.as_ref()).unwrap_or_default();
        return Err(format!("{kind}: {said}"));
    }
    serde_json::from_slice(payload.as_ref()).map_err(|error| error.to_string())
}

/// The contract's queued body, with the place in line: 0 is running.
async fn queued(messages: &Messages, request: &Request) -> Result<Reply> {
    let store = &messages.app.store;
    let (depth, position) = store
        .place_in_line(request.target, &request.line_key())
        .await?;
    let body = json!({
        "queued": true,
        "queue_id": request.id,
        "queue_depth": depth,
        "position": position,
        "message": "workspace agent busy — request queued, will dispatch when capacity available",
    });
    Ok(Reply::json(StatusCode::ACCEPTED, &body))
}

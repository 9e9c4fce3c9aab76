//! Sending a schedule's prompt: a fire becomes a message, once (contract: lifecycle-and-sweepers 11.6,
//! 12.4; decision 17).

use domain::{
    Error, Kind, Result, WorkspaceId,
    activity::Source,
    envelope,
    request::{Request, State},
    schedule::{self, Fire, Step},
};
use jiff::Timestamp;
use serde_json::json;
use store::{
    ledger::{Accepted, Ledger as _},
    schedules::{Refusal, ToSend},
    workspaces::{Parts, Workspace},
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

/// What became of a fire's message.
enum Sending {
    /// It is in the ledger.
    As(Box<Request>),
    /// It will not be.
    Refused(Refusal),
}

/// Sends a fire. A job that comes twice finds it sent: its request has one id.
///
/// # Errors
/// The datastore did not answer: the job is tried again.
pub async fn send(messages: &'static Messages, workspace: WorkspaceId, fire: Fire) -> Result<()> {
    let store = &messages.app.store;
    let Some(found) = store.fire_to_send(workspace, &fire).await? else {
        return Ok(());
    };
    let now = domain::time::to_micros(Timestamp::now());
    let sending = match store.request(fire.request_id()).await? {
        // Accepted by a job that did not come to say so.
        Some(request) => Sending::As(Box::new(request)),
        None => match submit(messages, workspace, &found, now).await {
            Ok(sending) => sending,
            Err(error) if is_ours(&error) => return Err(error),
            Err(error) => Sending::Refused(Refusal {
                skipped: false,
                sentence: error.message().to_owned(),
            }),
        },
    };
    match sending {
        Sending::As(request) => store.fire_sent(&found, &request, now).await,
        Sending::Refused(why) => store.fire_refused(&found, &why, now).await,
    }
}

/// Trouble of our own is tried again; everything else is what the run came to.
fn is_ours(error: &Error) -> bool {
    matches!(error.kind(), Kind::PlatformUnavailable | Kind::Internal)
}

/// Puts the prompt into the ledger.
async fn submit(
    messages: &'static Messages,
    workspace: WorkspaceId,
    found: &ToSend,
    now: Timestamp,
) -> Result<Sending> {
    let store = &messages.app.store;
    let target = store.workspace(workspace, Parts::WithMachine).await?;
    let status = target.as_ref().map(Workspace::status);
    let seen = schedule::Seen {
        status: status.unwrap_or(domain::workspace::Status::Removed),
        native: false,
        running: None,
    };
    if let Step::Skip(sentence) | Step::Retire(sentence) = schedule::step(&seen, now) {
        return Ok(Sending::Refused(Refusal {
            skipped: true,
            sentence,
        }));
    }
    let fire = found.fire().fire;
    let sent = revive::revived(messages, addressed(messages, target, now)?, now).await?;
    let envelope = envelope::read(&message(&fire, &found.prompt), Uuid::new_v4)?;
    let mut request = sent.request(&envelope, Options::default(), now)?;
    request.id = fire.request_id();
    request.idempotency = Some(found.idempotency());
    request.fire = Some(fire);
    store.put_body(request.body, &envelope.body, now).await?;
    if sent.route == Route::Poll {
        request.slot = false;
        let row = rows::fetched(&request, &sent.target.meta.name, now);
        if !store.leave(&request, &row).await? {
            return Err(Error::missing("workspace not found"));
        }
        wake(messages, &sent.target).await;
        request.state = State::Completed;
        return Ok(Sending::As(Box::new(request)));
    }
    match store.accept(&request, true).await? {
        Accepted::Offered => {}
        Accepted::Waiting => {
            wake(messages, &sent.target).await;
            request.state = State::Waiting;
        }
        Accepted::QueueFull(depth) => return Err(front::full(depth)),
        Accepted::ShareTaken(depth) => return Err(front::share_taken(depth)),
        Accepted::Repeat { .. } | Accepted::Paused | Accepted::Closed => {
            // Its id is taken where another job was faster; else the workspace takes no messages.
            return Ok(match store.request(request.id).await? {
                Some(request) => Sending::As(Box::new(request)),
                None => Sending::Refused(Refusal {
                    skipped: true,
                    sentence: "skipped: workspace takes no messages".to_owned(),
                }),
            });
        }
    }
    Ok(Sending::As(Box::new(request)))
}

/// The message an agent gets.
fn message(fire: &Fire, prompt: &str) -> Vec<u8> {
    let message = json!({
        "method": "message/send",
        "params": {
            "message": {
                "role": "user",
                "messageId": fire.message_id(),
                "parts": [{"kind": "text", "text": prompt}],
            },
        },
    });
    message.to_string().into_bytes()
}

/// A schedule speaks as a person, so it may reach whoever has it (contract: 11.6 step 4).
fn addressed(messages: &Messages, target: Option<Workspace>, now: Timestamp) -> Result<Sent> {
    let route = route::decide(&Source::Person, None, target.as_ref(), now)?;
    let target = target.ok_or_else(|| Error::missing("workspace not found"))?;
    if let Route::Push(url) = &route {
        messages
            .agents
            .address(url, target.inside())
            .map_err(|_| Error::new(Kind::Unreachable, "workspace URL is not publicly routable"))?;
    }
    Ok(Sent {
        restarts: false,
        source: Source::Person,
        sender: None,
        target,
        route,
    })
}

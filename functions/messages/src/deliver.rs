//! Carrying a message to its agent: claim it once, call, keep the lease, record the end.
//!
//! Invoked synchronously by `dispatch`, and it runs to its end even when `dispatch` stops waiting.

use std::time::Duration;

use domain::{
    RequestId, Result,
    request::{LONGEST_DELIVERY, RENEW_EVERY, Request, State},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{bodies, requests::Ending, workspaces::Parts};

use crate::{
    Messages,
    agent::{BodyFailure, Failure, Headers},
    outcome::{Body, Outcome},
    rows,
};

/// A request to deliver. What the call needs comes along, so that the claim is the only read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Offer {
    /// The request.
    pub request_id: RequestId,
    /// The fence of this offer: an older one loses.
    pub fence: u32,
    /// The call to make.
    pub call: Call,
}

/// One call to an agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Where the agent answers.
    pub url: String,
    /// The JSON-RPC body.
    pub body: String,
    /// What people call the target.
    pub target_name: String,
    /// How long the agent may be silent, if its workspace says so.
    pub idle_timeout_seconds: Option<u32>,
    /// When the caller wants it to end.
    pub deadline: Option<Timestamp>,
}

/// Delivers what is offered, unless somebody else does.
///
/// # Errors
/// The datastore did not answer: the lease runs out and somebody looks again.
pub async fn handle(messages: &'static Messages, offer: Offer) -> Result<Outcome> {
    let store = &messages.app.store;
    let claimed = store
        .claim(offer.request_id, offer.fence, Timestamp::now())
        .await?;
    let Some(request) = claimed else {
        return Ok(Outcome::NotOurs);
    };
    let Some(end) = converse(messages, &request, &offer.call).await? else {
        return Ok(Outcome::NotOurs);
    };
    record(messages, &request, &offer.call, end).await
}

/// How the call ended, and how long the agent took to its headers.
struct End {
    what: What,
    duration_ms: i64,
}

enum What {
    Reply {
        status: u16,
        body: Vec<u8>,
    },
    Lost {
        status: u16,
        confirmed: bool,
        why: String,
    },
    Busy {
        why: String,
    },
    Failed(Failure),
}

/// Calls the agent while keeping the lease; nothing if the lease was lost.
async fn converse(messages: &Messages, request: &Request, call: &Call) -> Result<Option<End>> {
    let started = Timestamp::now();
    let idle = call
        .idle_timeout_seconds
        .map_or(messages.idle_timeout, |seconds| {
            Duration::from_secs(seconds.into())
        });
    let mut watch = Watch {
        messages,
        request,
        last_sign: started,
        idle: SignedDuration::try_from(idle).unwrap_or(LONGEST_DELIVERY),
        ends_at: call
            .deadline
            .unwrap_or(started + LONGEST_DELIVERY)
            .min(started + LONGEST_DELIVERY),
    };
    let mut talk = std::pin::pin!(talk(messages, call, started));
    loop {
        tokio::select! {
            end = &mut talk => return Ok(Some(end)),
            () = tokio::time::sleep(watch.pause()) => match watch.look().await? {
                Seen::GoOn => {}
                Seen::LeaseLost => return Ok(None),
                Seen::Enough(why) => {
                    return Ok(Some(End {
                        duration_ms: since(started),
                        what: What::Busy { why: why.to_owned() },
                    }));
                }
            },
        }
    }
}

async fn talk(messages: &Messages, call: &Call, started: Timestamp) -> End {
    let sent = messages
        .agents
        .send(&call.url, call.body.clone().into_bytes())
        .await;
    let duration_ms = since(started);
    let what = match sent {
        Err(Failure::Broken(why)) => What::Busy { why },
        Err(failure) => What::Failed(failure),
        Ok(headers) if headers.is_busy() => What::Busy {
            why: format!("the agent said {}", headers.status),
        },
        Ok(headers) => reply(headers).await,
    };
    End { what, duration_ms }
}

async fn reply(headers: Headers) -> What {
    let (status, confirmed) = (headers.status, headers.confirms());
    match headers.body().await {
        Ok(body) => What::Reply { status, body },
        Err(failure) => What::Lost {
            status,
            confirmed,
            why: match failure {
                BodyFailure::TooLong => "the reply is over 10 MiB".to_owned(),
                BodyFailure::Broken(why) => why,
            },
        },
    }
}

fn since(started: Timestamp) -> i64 {
    let passed = Timestamp::now().duration_since(started).as_millis();
    i64::try_from(passed).unwrap_or(i64::MAX)
}

/// Keeps the lease and looks for signs of life of the agent.
struct Watch<'a> {
    messages: &'a Messages,
    request: &'a Request,
    last_sign: Timestamp,
    idle: SignedDuration,
    ends_at: Timestamp,
}

enum Seen {
    GoOn,
    LeaseLost,
    Enough(&'static str),
}

impl Watch<'_> {
    /// Until the next look: the lease's turn, the end, or the end of the agent's patience.
    fn pause(&self) -> Duration {
        let now = Timestamp::now();
        let next = (self.last_sign + self.idle).min(self.ends_at);
        let until = next.duration_since(now).min(RENEW_EVERY);
        // Never a busy loop, whatever the clocks say.
        Duration::try_from(until)
            .unwrap_or_default()
            .max(Duration::from_millis(50))
    }

    async fn look(&mut self) -> Result<Seen> {
        let store = &self.messages.app.store;
        let now = Timestamp::now();
        if now >= self.ends_at {
            return Ok(Seen::Enough("the time for this message is over"));
        }
        let (renewed, target) = tokio::join!(
            store.renew(self.request.id, self.request.fence, now),
            store.workspace(self.request.target, Parts::Core),
        );
        if !renewed? {
            return Ok(Seen::LeaseLost);
        }
        if let Some(beat) = target?.and_then(|target| target.beat) {
            let signs = [beat.beat_at, beat.active_at];
            self.last_sign = signs
                .into_iter()
                .flatten()
                .fold(self.last_sign, Timestamp::max);
        }
        if now.duration_since(self.last_sign) >= self.idle {
            return Ok(Seen::Enough("the agent was silent for too long"));
        }
        Ok(Seen::GoOn)
    }
}

/// Keeps the reply, ends the request, and says what the caller gets.
async fn record(messages: &Messages, request: &Request, call: &Call, end: End) -> Result<Outcome> {
    let store = &messages.app.store;
    let (now, name, took) = (Timestamp::now(), call.target_name.as_str(), end.duration_ms);
    let failed = |status, confirmed, why: &str| {
        let row = rows::failed(request, name, why, took, now);
        Ending::failed(status, confirmed, why, row)
    };
    let (ending, outcome) = match end.what {
        What::Reply { status, body } => {
            let id = bodies::new_id();
            store.put_body(id, &body, now).await?;
            let row = rows::answered(request, name, status, Some((id, &body)), took, now);
            let ending = Ending {
                state: State::Completed,
                status,
                result: Some(id),
                delivery_confirmed: (200..400).contains(&status),
                error: None,
                activity: row,
                answered: status < 400,
            };
            (ending, answered(messages, status, id, &body).await?)
        }
        What::Lost {
            status,
            confirmed,
            why,
        } => {
            let row = rows::answered(request, name, status, None, took, now);
            (
                Ending::failed(502, confirmed, &why, row),
                Outcome::ReplyLost {
                    delivery_confirmed: confirmed,
                },
            )
        }
        What::Busy { why } => (failed(503, false, &why), Outcome::Busy),
        What::Failed(Failure::Unroutable(why)) => (failed(500, false, &why), Outcome::Unroutable),
        What::Failed(Failure::Unreachable(why) | Failure::Broken(why)) => {
            (failed(502, false, &why), Outcome::Unreachable)
        }
    };
    store.finish(request, &ending, now).await?;
    tracing::info!(
        request_id = %request.id,
        workspace_id = %request.target,
        state = %ending.state,
        status = ending.status,
        duration_ms = took,
        "message ended"
    );
    Ok(outcome)
}

async fn answered(
    messages: &Messages,
    status: u16,
    id: domain::BodyId,
    bytes: &[u8],
) -> Result<Outcome> {
    let body = Body::of(bytes);
    Ok(if body.fits() {
        Outcome::Answered { status, body }
    } else {
        Outcome::TooLong {
            status,
            result_url: messages.app.store.body_url(id).await?,
        }
    })
}

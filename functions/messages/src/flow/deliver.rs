//! Carrying a message to its agent: claim it once, call, keep the lease, record the end.

use std::net::IpAddr;

use domain::{
    RequestId, Result,
    request::{Hold, Next, Request, State, Trouble, after},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{
    bodies,
    ledger::{Ended, Ending, Ledger},
};

use super::{
    Clock, Exchange, Flow, Shelf, Talks, line,
    watch::{Seen, Watch},
};
use crate::{
    outcome::{Body, Outcome},
    reply, rows,
};

/// A request to deliver.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Offer {
    /// The request.
    pub request_id: RequestId,
    /// The fence of this offer: an older one loses.
    pub fence: u32,
    /// The call, when the front door is waiting and has everything at hand: then the claim is the
    /// only read.
    #[serde(default)]
    pub call: Option<Call>,
}

/// One call to an agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Where the agent answers.
    pub url: String,
    /// Where the machine of ours that it runs on is, inside the VPC.
    #[serde(default)]
    pub recorded: Option<IpAddr>,
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
pub async fn deliver<W, T, C>(flow: &Flow<'_, W, T, C>, offer: Offer) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let claimed = flow
        .world
        .claim(offer.request_id, offer.fence, flow.now())
        .await?;
    let Some(request) = claimed else {
        return Ok(Outcome::NotOurs);
    };
    let direct = offer.call.is_some();
    let call = match offer.call {
        Some(call) => Ok(call),
        None => call_of(flow, &request).await?,
    };
    let (end, name) = match &call {
        Ok(call) => {
            let Some(end) = converse(flow, &request, call).await? else {
                return Ok(Outcome::NotOurs);
            };
            (end, call.target_name.as_str())
        }
        Err(exchange) => (End::now(exchange.clone()), ""),
    };
    settle(flow, &request, name, direct, end).await
}

/// The call of a request that came by the queue, or why there can be none.
async fn call_of<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
) -> Result<Result<Call, Exchange>>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let (target, body) = tokio::join!(
        flow.world.target(request.target),
        flow.world.fetch(request.body, flow.now()),
    );
    let Some(body) = body? else {
        // Its acceptance broke off half way, and its caller was told so.
        let why = "the message was not kept".to_owned();
        return Ok(Err(Exchange::Unroutable { why }));
    };
    let Some(target) = target?.filter(|target| !target.url.is_empty()) else {
        let why = "it has no address now".to_owned();
        return Ok(Err(Exchange::Unreachable { why }));
    };
    Ok(Ok(Call {
        url: target.url,
        recorded: target.recorded,
        body: String::from_utf8_lossy(&body).into_owned(),
        target_name: target.name,
        idle_timeout_seconds: target
            .idle_timeout
            .and_then(|idle| u32::try_from(idle.as_secs()).ok()),
        deadline: None,
    }))
}

/// How an exchange ended, and after how many milliseconds the headers came.
struct End {
    exchange: Exchange,
    took_ms: i64,
}

impl End {
    fn now(exchange: Exchange) -> Self {
        Self {
            exchange,
            took_ms: 0,
        }
    }
}

/// Calls the agent while keeping the lease; nothing if the lease was lost.
async fn converse<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    call: &Call,
) -> Result<Option<End>>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let started = flow.now();
    let idle = call
        .idle_timeout_seconds
        .map(|seconds| std::time::Duration::from_secs(seconds.into()));
    let mut watch = Watch::new(flow, request, idle, call.deadline);
    let body = call.body.clone().into_bytes();
    let mut talk = std::pin::pin!(flow.agents.talk(&call.url, call.recorded, body));
    loop {
        // In this order: an answer that is there counts, however late it is looked at.
        tokio::select! {
            biased;
            (exchange, took_ms) = &mut talk => return Ok(Some(End { exchange, took_ms })),
            () = flow.clock.sleep(watch.pause()) => match watch.look().await? {
                Seen::GoOn => {}
                Seen::LeaseLost => return Ok(None),
                Seen::Enough(why) => {
                    let took = flow.now().duration_since(started).as_millis();
                    return Ok(Some(End {
                        exchange: Exchange::Broken { why: why.to_owned(), at_once: false },
                        took_ms: i64::try_from(took).unwrap_or(i64::MAX),
                    }));
                }
            },
        }
    }
}

/// Records what an exchange came to, and says what the caller gets.
async fn settle<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    name: &str,
    direct: bool,
    end: End,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let took = end.took_ms;
    let fail = |status, why: &str| {
        Ending::failed(status, why, rows::failed(request, name, why, took, now))
    };
    let (ending, outcome) = match end.exchange {
        Exchange::Reply { status, body } => {
            return answered(flow, request, name, status, body, took).await;
        }
        Exchange::Lost { status, why } => {
            let delivery_confirmed = (200..400).contains(&status);
            let mut ending = Ending::failed(
                502,
                &why,
                rows::answered(request, name, status, None, took, now),
            );
            ending.delivery_confirmed = delivery_confirmed;
            (ending, Outcome::ReplyLost { delivery_confirmed })
        }
        Exchange::Unroutable { why } => (fail(500, &why), Outcome::Unroutable),
        Exchange::Nonsense { why } => {
            let why = format!("outcome_unknown: the answer is no HTTP: {why}");
            (fail(502, &why), Outcome::Unreachable)
        }
        Exchange::Unreachable { why } if direct => (fail(502, &why), Outcome::Unreachable),
        Exchange::Unreachable { why } => {
            let trouble = Trouble::Refused {
                retry_after: None,
                why,
            };
            return troubled(flow, request, name, trouble, took).await;
        }
        Exchange::Busy { why, retry_after } => {
            let retry_after = retry_after.map(|s| SignedDuration::from_secs(s.into()));
            let trouble = Trouble::Refused { retry_after, why };
            return troubled(flow, request, name, trouble, took).await;
        }
        Exchange::Broken { why, at_once } => {
            let trouble = if at_once {
                Trouble::Refused {
                    retry_after: None,
                    why,
                }
            } else {
                Trouble::Unknown { why }
            };
            return troubled(flow, request, name, trouble, took).await;
        }
    };
    finish(flow, request, ending, outcome, now).await
}

/// Back in line, or at the end of its tries.
async fn troubled<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    name: &str,
    trouble: Trouble,
    took: i64,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let unknown = matches!(trouble, Trouble::Unknown { .. });
    let next = if request.native {
        // It queues by itself, so nothing is queued for it.
        let (Trouble::Refused { why, .. } | Trouble::Unknown { why }) = trouble;
        let why = if unknown {
            format!("outcome_unknown: {why}")
        } else {
            why
        };
        Next::Fail { why }
    } else {
        after(trouble, request, now)
    };
    match next {
        Next::Wait { hold, why } => {
            let redelivered = request.redelivered || unknown;
            let put = flow
                .world
                .requeue(request, hold, &why, redelivered, now)
                .await?;
            if put {
                return Ok(Outcome::Queued);
            }
            let dropped = line::drop_if_gone(flow, request).await?;
            Ok(dropped.unwrap_or(Outcome::NotOurs))
        }
        Next::Fail { why } => {
            let row = rows::failed(request, name, &why, took, now);
            let outcome = Outcome::Busy {
                native: request.native,
            };
            finish(flow, request, Ending::failed(503, &why, row), outcome, now).await
        }
    }
}

/// Keeps the reply and ends the request with it.
async fn answered<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    name: &str,
    status: u16,
    bytes: Vec<u8>,
    took: i64,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let id = bodies::new_id();
    flow.world.put(id, &bytes, now).await?;
    let text = match request.delegation.filter(|_| status < 300) {
        Some(delegation) => {
            let text = reply::text(&bytes);
            let kept = serde_json::json!({"text": text, "delegation_id": delegation}).to_string();
            let id = bodies::new_id();
            flow.world.put(id, kept.as_bytes(), now).await?;
            Some((id, text))
        }
        None => None,
    };
    let body = Body::of(&bytes);
    let outcome = if body.fits() {
        Outcome::Answered { status, body }
    } else {
        let result_url = flow.world.address(id).await?;
        Outcome::TooLong { status, result_url }
    };
    let ending = Ending {
        state: State::Completed,
        status,
        result: Some(id),
        delivery_confirmed: (200..400).contains(&status),
        error: None,
        told: None,
        sentence: None,
        activity: rows::answered(request, name, status, Some((id, &bytes)), took, now),
        answered: status < 400,
        text,
        usage: reply::usage(&bytes),
    };
    finish(flow, request, ending, outcome, now).await
}

/// Ends a request, and sees to the line if nobody else does.
pub(super) async fn finish<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    mut ending: Ending,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    if request.redelivered && ending.state != State::Completed && !ending.may_have_arrived() {
        // However this try went: an earlier one may have brought it there.
        let why = ending.error.unwrap_or_default();
        ending.error = Some(format!("outcome_unknown: {why}"));
    }
    if ending.state != State::Completed {
        ending.told = serde_json::to_string(&outcome).ok();
    }
    if request.delegation.is_some() && ending.text.is_none() {
        ending.sentence = Some(outcome.sentence());
    }
    let ended = flow.world.finish(request, &ending, now).await?;
    tracing::info!(
        request_id = %request.id,
        workspace_id = %request.target,
        state = %ending.state,
        status = ending.status,
        first = ended != Ended::Before,
        "message ended"
    );
    if ended == Ended::LookAtLine {
        line::look(flow, request.target).await?;
    }
    Ok(outcome)
}

/// Gives back an offer that nobody can carry now.
///
/// # Errors
/// The datastore did not answer.
pub async fn give_back<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    why: &str,
) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let put = flow
        .world
        .requeue(request, Hold::None, why, request.redelivered, now)
        .await?;
    if put {
        line::look(flow, request.target).await
    } else {
        line::drop_if_gone(flow, request).await.map(drop)
    }
}

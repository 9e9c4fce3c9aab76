//! Carrying a message to its agent: claim it once, call, keep the lease, record the end.

use std::net::IpAddr;

use domain::{
    RequestId, Result,
    request::{Hold, Request},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::ledger::Ledger;

use super::{
    Clock, Exchange, Flow, Shelf, Talks, line,
    settle::settle,
    watch::{Seen, Watch},
};
use crate::outcome::Outcome;

/// After this long nobody keeps a body any more: whoever accepts has 30 s for it all.
const ACCEPTANCE: SignedDuration = SignedDuration::from_secs(30);

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
        return Ok(Err(not_kept(request, flow.now())));
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

/// A body that is not there. It is written beside the acceptance: when the table throttles, a line may move
/// faster. Afterwards its acceptance broke off half way, and its caller was told so.
fn not_kept(request: &Request, now: Timestamp) -> Exchange {
    if now < request.accepted_at + ACCEPTANCE {
        return Exchange::Busy {
            why: "the message is not kept yet".to_owned(),
            retry_after: Some(1),
        };
    }
    Exchange::Unroutable {
        why: "the message was not kept".to_owned(),
    }
}

/// How an exchange ended, and after how many milliseconds the headers came.
pub(super) struct End {
    pub(super) exchange: Exchange,
    pub(super) took_ms: i64,
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
    let talk = flow
        .agents
        .talk(&call.url, call.recorded, body, request.trace);
    let mut talk = std::pin::pin!(talk);
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
        line::look(flow, request.target).await.map(drop)
    } else {
        line::drop_if_gone(flow, request).await.map(drop)
    }
}

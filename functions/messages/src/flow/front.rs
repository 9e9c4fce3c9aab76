//! The front door: accept once, have it delivered, wait a while, say what is known.

use std::{borrow::Cow, time::Duration};

use domain::{
    Error, Kind, RequestId, Result,
    request::{Request, SHARE, State},
};
use jiff::Timestamp;
use store::ledger::{Accepted, Ledger};

use super::{
    Clock, Flow, Shelf, Talks,
    deliver::{Call, Offer, give_back},
};
use crate::outcome::{Body, Outcome};

/// How often the ledger is asked: often at first, when the answer is near.
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(2);

/// Starts deliveries, and waits for what they come to.
pub trait Starts: Send + Sync {
    /// Runs a delivery to its end. That nobody waits for it stops nothing.
    ///
    /// # Errors
    /// It may not have run; what happened.
    fn start(&self, offer: &Offer) -> impl Future<Output = Result<Outcome, String>> + Send;
}

/// A message at the front door.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The request to record.
    pub request: &'a Request,
    /// Its body.
    pub body: &'a [u8],
    /// How to call its target; none: by its line only.
    pub call: Option<Call>,
    /// Until when the front door is held open.
    pub until: Timestamp,
    /// Whether another message under the same id is refused, or counts as the same.
    pub refuses_others: bool,
}

/// What the front door says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the delivery came to.
    Delivered(Outcome),
    /// What is kept of a delivery that somebody else waited for, or nobody.
    Kept(Outcome),
    /// It is kept and will be delivered.
    Queued {
        /// The request: of a repeat, the one it repeats.
        id: RequestId,
        /// How many wait.
        depth: usize,
        /// Its place among them, from 1; 0 when it does not wait.
        position: usize,
    },
    /// Its id was used for another message.
    OtherMessage,
    /// So many wait already.
    QueueFull(i64),
    /// So many wait, and as many of the sender's among them as one may have in a crowd.
    ShareTaken(i64),
    /// The target takes no messages now.
    Paused,
    /// The target takes no messages any more.
    Closed,
}

/// 429: as many wait as may.
pub fn full(depth: i64) -> Error {
    try_later(depth, "queue is full")
}

/// 429: others may still stand in line; who sent this has as many places in it as one may have in a crowd.
pub fn share_taken(depth: i64) -> Error {
    let sentence = format!("queue is crowded, and {SHARE} of your messages wait in it");
    try_later(depth, sentence)
}

fn try_later(depth: i64, sentence: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Kind::TooMany, sentence)
        .with("queue_depth", depth)
        .retry_after(60)
}

/// Takes a message, and waits for its end while the door is held open.
///
/// # Errors
/// The datastore did not answer: whether the message was accepted is not known to the caller. With
/// a message id it can be sent again.
pub async fn take<W, T, C, S>(
    flow: &Flow<'_, W, T, C>,
    starts: &S,
    arrival: Arrival<'_>,
) -> Result<Answer>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
    S: Starts,
{
    let request = arrival.request;
    // Side by side: the body is only looked at by who finds the request.
    let (kept, accepted) = tokio::join!(
        flow.world
            .put(request.body, arrival.body, request.accepted_at),
        flow.world.accept(request, false),
    );
    let accepted = accepted?;
    if let Err(error) = kept
        && matches!(accepted, Accepted::Offered | Accepted::Waiting)
    {
        // Whoever carries it finds no body and fails it, unless the caller, who knows at once, has come
        // again by then.
        return Err(error);
    }
    match accepted {
        Accepted::Offered => hand_over(flow, starts, arrival).await,
        Accepted::Waiting => in_line(flow, request, arrival.until).await,
        Accepted::Repeat { of, digest } => {
            let own = request.idempotency.as_ref();
            let same = own.is_some_and(|own| own.digest == digest);
            if arrival.refuses_others && !same {
                return Ok(Answer::OtherMessage);
            }
            attach(flow, of, &arrival, same).await
        }
        Accepted::QueueFull(depth) => Ok(Answer::QueueFull(depth)),
        Accepted::ShareTaken(depth) => Ok(Answer::ShareTaken(depth)),
        Accepted::Paused => Ok(Answer::Paused),
        Accepted::Closed => Ok(Answer::Closed),
    }
}

/// Has an offered request delivered.
async fn hand_over<W, T, C, S>(
    flow: &Flow<'_, W, T, C>,
    starts: &S,
    arrival: Arrival<'_>,
) -> Result<Answer>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
    S: Starts,
{
    let request = arrival.request;
    let offer = Offer {
        request_id: request.id,
        fence: 1,
        call: arrival.call,
    };
    let said = tokio::select! {
        biased;
        said = starts.start(&offer) => said,
        () = flow.clock.sleep(left(flow, arrival.until)) => return queued(flow, request).await,
    };
    match said {
        Ok(Outcome::Queued) => queued(flow, request).await,
        Ok(Outcome::NotOurs) => match flow.world.request(request.id).await? {
            Some(found) if found.state.is_final() => {
                Ok(Answer::Delivered(kept_outcome(flow, &found).await?))
            }
            _ => queued(flow, request).await,
        },
        Ok(outcome) => Ok(Answer::Delivered(outcome)),
        Err(why) => {
            // Nobody took it: back in line. If somebody did, its own end stands.
            tracing::error!(request_id = %request.id, "deliver could not be invoked: {why}");
            give_back(flow, request, "no delivery could be started").await?;
            queued(flow, request).await
        }
    }
}

/// Waits at the head of the line; further back there is no point in holding the door.
async fn in_line<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    until: Timestamp,
) -> Result<Answer>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let (_, position) = flow.world.place(request).await?;
    if position <= 1
        && let Some(ended) = ended(flow, request.id, until).await?
    {
        return Ok(Answer::Kept(kept_outcome(flow, &ended).await?));
    }
    queued(flow, request).await
}

/// Waits for the request that this one repeats; `same` is whether it says the same.
async fn attach<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    of: RequestId,
    arrival: &Arrival<'_>,
    same: bool,
) -> Result<Answer>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let missing = || Error::unavailable("a repeated message is not in the ledger");
    let live = flow.world.request(of).await?.ok_or_else(missing)?;
    if same && !live.state.is_final() {
        // Its body may not have been kept. Then its caller was told to come again, and brings it now.
        let kept = flow.world.fetch(live.body, flow.now()).await?;
        if kept.is_none() {
            flow.world.put(live.body, arrival.body, flow.now()).await?;
        }
    }
    match ended(flow, of, arrival.until).await? {
        Some(ended) => Ok(Answer::Kept(kept_outcome(flow, &ended).await?)),
        None => queued(flow, &live).await,
    }
}

/// The request once it has ended; none when the door closes before.
async fn ended<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    id: RequestId,
    until: Timestamp,
) -> Result<Option<Request>>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let mut pause = FIRST;
    loop {
        let Some(found) = flow.world.request(id).await? else {
            return Ok(None);
        };
        if found.state.is_final() {
            return Ok(Some(found));
        }
        if left(flow, until) < pause {
            return Ok(None);
        }
        flow.clock.sleep(pause).await;
        pause = (pause * 3 / 2).min(LAST);
    }
}

/// What the caller of a request that has ended is told.
async fn kept_outcome<W, T, C>(flow: &Flow<'_, W, T, C>, request: &Request) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    if request.state != State::Completed {
        let told = request.told.as_deref();
        let told = told.and_then(|told| serde_json::from_str(told).ok());
        return Ok(told.unwrap_or(Outcome::Busy { native: false }));
    }
    let status = request.result_status.unwrap_or(200);
    let Some(id) = request.result else {
        return Ok(Outcome::Answered {
            status,
            body: Body::Text("null".to_owned()),
        });
    };
    let bytes = flow.world.fetch(id, flow.now()).await?.unwrap_or_default();
    let body = Body::of(&bytes);
    Ok(if body.fits() {
        Outcome::Answered { status, body }
    } else {
        Outcome::TooLong {
            status,
            result_url: flow.world.address(id).await?,
        }
    })
}

async fn queued<W, T, C>(flow: &Flow<'_, W, T, C>, request: &Request) -> Result<Answer>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let (depth, position) = flow.world.place(request).await?;
    Ok(Answer::Queued {
        id: request.id,
        depth,
        position,
    })
}

fn left<W, T, C>(flow: &Flow<'_, W, T, C>, until: Timestamp) -> Duration
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    Duration::try_from(until.duration_since(flow.now())).unwrap_or_default()
}

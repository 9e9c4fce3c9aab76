//! Looking at a line: whoever may go is offered, whoever waited too long is let go.

use domain::{
    Result, WorkspaceId,
    request::{GONE, LOOK_AGAIN, Request, State},
};
use jiff::Timestamp;
use store::ledger::{Ending, Entry, Gate, Ledger, Line};

use super::{Clock, Flow, Shelf, Talks, settle::finish};
use crate::{outcome::Outcome, rows};

/// How often one look starts over because something changed meanwhile.
const TRIES: usize = 40;

/// What to do with a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Offer this one.
    Offer(Entry),
    /// It waited too long.
    Expire(Entry),
    /// Its target takes no messages any more.
    Drop(Entry),
    /// Nobody can go until it is awake: wake it, and look again then.
    Wake(Timestamp),
    /// Nobody can go; look again then.
    Rest(Timestamp),
    /// Nobody waits.
    Empty,
}

/// Decides the next step: the first in line goes first, and holds up those behind it.
pub fn plan(line: &Line, now: Timestamp) -> Step {
    let Some(first) = line.entries.first() else {
        return Step::Empty;
    };
    if line.load.gate == Gate::Closed {
        return Step::Drop(first.clone());
    }
    if let Some(late) = line.entries.iter().find(|entry| entry.valid_until <= now) {
        return Step::Expire(late.clone());
    }
    let has_capacity = line.active_tasks < line.load.max_concurrent_tasks;
    let may_go = line.load.gate == Gate::Open
        && (!first.slot || line.load.free() > 0)
        && first.hold.is_over(now, line.beat_at, has_capacity);
    if may_go {
        return Step::Offer(first.clone());
    }
    let soon = now + LOOK_AGAIN;
    let held = first.hold.ends_at().filter(|at| *at > now);
    let next = held.map_or(soon, |at| at.min(soon)).min(first.valid_until);
    if line.asleep {
        // Whoever accepted the message was to wake it, and did not get to it.
        return Step::Wake(next);
    }
    Step::Rest(next)
}

/// Looks at a line and moves it as far as it goes; since when the first in it waits, if some stay.
///
/// # Errors
/// The datastore did not answer: the line is due again within a minute.
pub async fn look<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    target: WorkspaceId,
) -> Result<Option<Timestamp>>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let (mut tries, mut dropped) = (0, None);
    while tries < TRIES {
        tries += 1;
        let Some(line) = flow.world.line(target).await? else {
            return Ok(None);
        };
        let now = flow.now();
        let since = line.entries.first().map(|first| first.accepted_at);
        match plan(&line, now) {
            // Lost to somebody else, or not: read again.
            Step::Offer(entry) => {
                flow.world.offer(target, &entry, now).await?;
            }
            Step::Expire(entry) => end(flow, &entry, State::Expired, "it waited too long").await?,
            Step::Drop(entry) => {
                end(flow, &entry, State::Dropped, GONE).await?;
                // To the last, however many they are: of a purged workspace nobody reminds us.
                if dropped.as_ref() != Some(&entry.sk) {
                    tries -= 1;
                }
                dropped = Some(entry.sk);
            }
            Step::Wake(at) => {
                // First the look: if the waking fails, somebody tries again.
                flow.world.look_again(target, Some(at)).await?;
                flow.world.wake(target, flow.boot_within, now).await?;
                return Ok(since);
            }
            Step::Rest(at) => {
                flow.world.look_again(target, Some(at)).await?;
                return Ok(since);
            }
            Step::Empty => {
                flow.world.look_again(target, None).await?;
                return Ok(None);
            }
        }
    }
    flow.world.look_again(target, Some(flow.now())).await?;
    Ok(None)
}

/// Lets a waiting request go.
async fn end<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    entry: &Entry,
    state: State,
    why: &str,
) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let Some(request) = flow.world.request(entry.request_id).await? else {
        return Ok(());
    };
    drop_waiting(flow, &request, state, why).await
}

/// Ends a request that waits, without a result.
///
/// # Errors
/// The datastore did not answer.
pub async fn drop_waiting<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    state: State,
    why: &str,
) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    if request.state == State::Waiting {
        let_go(flow, request, state, why).await?;
    }
    Ok(())
}

/// Ends a request that could not be put back in line, if that is because its target is gone; what
/// its caller is told. Else there is nothing to do: another fence has it, or it has ended.
pub(super) async fn drop_if_gone<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
) -> Result<Option<Outcome>>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let line = flow.world.line(request.target).await?;
    if line.is_some_and(|line| line.load.gate != Gate::Closed) {
        return Ok(None);
    }
    let found = flow.world.request(request.id).await?;
    let as_seen = |found: &Request| found.state == request.state && found.fence == request.fence;
    match found.filter(as_seen) {
        Some(found) => let_go(flow, &found, State::Dropped, GONE).await.map(Some),
        None => Ok(None),
    }
}

async fn let_go<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    state: State,
    why: &str,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let outcome = Outcome::Failed {
        status: 503,
        error: format!("message {state}: {why}"),
    };
    let row = rows::failed(request, "", why, 0, now);
    let ending = Ending {
        state,
        ..Ending::failed(503, why, row)
    };
    // Boxed, because looking at a line and finishing may call each other.
    Box::pin(finish(flow, request, ending, outcome, now)).await
}

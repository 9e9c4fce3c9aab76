//! Looking at a line: whoever may go is offered, whoever waited too long is let go.

use domain::{
    Result, WorkspaceId,
    request::{LOOK_AGAIN, State},
};
use jiff::Timestamp;
use store::ledger::{Ending, Entry, Gate, Ledger, Line};

use super::{Clock, Flow, Shelf, Talks, deliver::finish};
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
    Step::Rest(held.map_or(soon, |at| at.min(soon)).min(first.valid_until))
}

/// Looks at a line and moves it as far as it goes.
///
/// # Errors
/// The datastore did not answer: the line is due again within a minute.
pub async fn look<W, T, C>(flow: &Flow<'_, W, T, C>, target: WorkspaceId) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    for _ in 0..TRIES {
        let Some(line) = flow.world.line(target).await? else {
            return Ok(());
        };
        let now = flow.now();
        match plan(&line, now) {
            // Lost to somebody else, or not: read again.
            Step::Offer(entry) => {
                flow.world.offer(target, &entry, now).await?;
            }
            Step::Expire(entry) => end(flow, &entry, State::Expired, "it waited too long").await?,
            Step::Drop(entry) => end(flow, &entry, State::Dropped, "its target is gone").await?,
            Step::Rest(at) => return flow.world.look_again(target, Some(at)).await,
            Step::Empty => return flow.world.look_again(target, None).await,
        }
    }
    flow.world.look_again(target, Some(flow.now())).await
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
    request: &domain::request::Request,
    state: State,
    why: &str,
) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    if request.state != State::Waiting {
        return Ok(());
    }
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
    finish_waiting(flow, request, ending, outcome, now).await
}

async fn finish_waiting<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &domain::request::Request,
    ending: Ending,
    outcome: Outcome,
    now: Timestamp,
) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    // A request in line frees no slot, so nobody has to look at the line afterwards: boxed, because
    // looking and finishing may call each other.
    Box::pin(finish(flow, request, ending, outcome, now)).await?;
    Ok(())
}

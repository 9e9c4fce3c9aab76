//! Every minute: whatever should have happened and has not. Queues and streams only make it faster.

use std::collections::BTreeSet;

use domain::{
    Result, WorkspaceId,
    request::{Request, State, Trouble},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::ledger::{Backlog, Due, Ending, Ledger, PendingJob};

use super::{Clock, Flow, Shelf, Talks, deliver, line, settle::finish};
use crate::{outcome::Outcome, rows};

/// How much of each kind and shard one tick looks at.
pub const LIMIT: i32 = 100;
/// After this long a tick leaves the rest to the next one, and still has time to say so: the
/// function has 55 s, and one call may take 8.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// Whoever waits in line for longer than this has waited long.
const LONG_SECONDS: i64 = 15 * 60;

/// Where jobs go.
pub trait Queue: Send + Sync {
    /// Puts a job on its queue.
    fn send(&self, job: &PendingJob) -> impl Future<Output = Result<()>> + Send;
}

/// What a tick did.
#[derive(Debug, Default, Clone, Serialize, PartialEq, Eq)]
pub struct Report {
    /// What was due.
    pub found: usize,
    /// What was changed.
    pub changed: usize,
    /// What went wrong, and is tried again in a minute.
    pub failed: usize,
    /// How much it would have looked at, of each kind and shard.
    pub limit: i32,
    /// For how many seconds the oldest had been due.
    pub backlog_age: i64,
    /// Whether more was due than it looked at.
    pub unfinished: bool,
    /// Jobs that did not reach their queue by the stream.
    pub late_jobs: usize,
    /// For how many seconds the first of some line has waited, at most.
    pub oldest_waiting: i64,
    /// Whose lines it looked at.
    #[serde(skip)]
    pub seen: BTreeSet<WorkspaceId>,
}

impl Report {
    /// Notes since when the first of a line waits, if somebody does.
    fn waits(&mut self, since: Option<Timestamp>, now: Timestamp) {
        let age = since.map_or(0, |since| now.duration_since(since).as_secs());
        self.oldest_waiting = self.oldest_waiting.max(age);
    }

    /// How long the first of some line has waited, once it is long: an agent that is busy for a
    /// while is no news.
    pub fn waiting_seconds(&self) -> i64 {
        if self.oldest_waiting > LONG_SECONDS {
            self.oldest_waiting
        } else {
            0
        }
    }

    /// The age of the backlog if there is one; zero when all was seen to in time.
    pub fn backlog_seconds(&self) -> i64 {
        domain::time::backlog_seconds(self.backlog_age, self.unfinished || self.failed > 0)
    }
}

/// Looks at everything that is due. One that fails does not keep the others waiting.
///
/// # Errors
/// The datastore did not say what is due.
pub async fn tick<W, T, C, Q>(flow: &Flow<'_, W, T, C>, queue: &Q) -> Result<Report>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
    Q: Queue,
{
    let Backlog { due, oldest, more } = flow.world.due(flow.now(), LIMIT).await?;
    let started = flow.now();
    let mut report = Report {
        found: due.len(),
        limit: LIMIT,
        backlog_age: oldest.map_or(0, |since| started.duration_since(since).as_secs().max(0)),
        unfinished: more,
        late_jobs: due
            .iter()
            .filter(|what| matches!(what, Due::Job(_)))
            .count(),
        ..Report::default()
    };
    for what in due {
        if flow.now().duration_since(started) > PATIENCE {
            report.unfinished = true;
            break;
        }
        let done = match &what {
            Due::Job(job) => send(flow, queue, job).await,
            Due::Line(target) => {
                report.seen.insert(*target);
                let since = line::look(flow, *target).await;
                since.map(|since| report.waits(since, started))
            }
            Due::Request(id) => match flow.world.request(*id).await {
                Ok(Some(request)) => {
                    report.seen.insert(request.target);
                    overdue(flow, &request).await
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
        };
        match done {
            Ok(()) => report.changed += 1,
            Err(error) => {
                report.failed += 1;
                tracing::warn!(?what, %error, "what is due could not be seen to");
            }
        }
    }
    Ok(report)
}

async fn send<W, T, C, Q>(flow: &Flow<'_, W, T, C>, queue: &Q, job: &PendingJob) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
    Q: Queue,
{
    queue.send(job).await?;
    flow.world.sent(job).await
}

/// An offer that nobody claimed, a lease that ran out, or a wait that is over.
async fn overdue<W, T, C>(flow: &Flow<'_, W, T, C>, request: &Request) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    if let Some(lease) = request.lease_until.filter(|lease| *lease > now) {
        return flow.world.postpone(request, lease).await;
    }
    match request.state {
        State::Waiting if request.valid_until <= now => {
            line::drop_waiting(flow, request, State::Expired, "it waited too long").await
        }
        State::Waiting => flow.world.postpone(request, request.valid_until).await,
        State::Offered => deliver::give_back(flow, request, "nobody took the offer").await,
        State::Running => lost(flow, request).await,
        State::Completed | State::Failed | State::Expired | State::Dropped => Ok(()),
    }
}

/// A delivery that stopped renewing its lease: nobody knows what the agent got.
async fn lost<W, T, C>(flow: &Flow<'_, W, T, C>, request: &Request) -> Result<()>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    use domain::request::{Next, after};
    let now = flow.now();
    let why = "the delivery broke off".to_owned();
    let next = if request.native {
        Next::Fail {
            why: format!("outcome_unknown: {why}"),
        }
    } else {
        after(Trouble::Unknown { why }, request, now)
    };
    match next {
        Next::Wait { hold, why } => {
            if flow.world.requeue(request, hold, &why, true, now).await? {
                line::look(flow, request.target).await?;
            } else {
                line::drop_if_gone(flow, request).await?;
            }
        }
        Next::Fail { why } => {
            let row = rows::failed(request, "", &why, 0, now);
            let outcome = Outcome::Busy {
                native: request.native,
            };
            finish(flow, request, Ending::failed(503, &why, row), outcome, now).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_what_a_tick_left_over() {
        for (age, failed, unfinished, told) in [
            (0, 0, false, 0),
            // As old as something may be that the tick before was too early for.
            (61, 0, false, 0),
            (91, 0, false, 91),
            (20, 1, false, 20),
            (20, 0, true, 20),
        ] {
            let report = Report {
                backlog_age: age,
                failed,
                unfinished,
                ..Report::default()
            };
            assert_eq!(report.backlog_seconds(), told, "{report:?}");
        }
    }

    #[test]
    fn who_waits_for_long_is_told_of() {
        let now = Timestamp::UNIX_EPOCH;
        let ago = |seconds| Some(now - SignedDuration::from_secs(seconds));
        let mut report = Report::default();
        for since in [None, ago(900), ago(10)] {
            report.waits(since, now);
        }
        assert_eq!((report.oldest_waiting, report.waiting_seconds()), (900, 0));
        report.waits(ago(901), now);
        assert_eq!(report.waiting_seconds(), 901);
    }
}

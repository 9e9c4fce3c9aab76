//! Every minute: whatever should have happened and has not. Queues and streams only make it faster.

use domain::{
    Result,
    request::{Request, State, Trouble},
};
use serde::Serialize;
use store::ledger::{Due, Ending, Ledger, PendingJob};

use super::{Clock, Flow, Shelf, Talks, deliver, line};
use crate::{outcome::Outcome, rows};

/// How much of each kind and shard one tick looks at.
const LIMIT: i32 = 100;

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
    let due = flow.world.due(flow.now(), LIMIT).await?;
    let mut report = Report {
        found: due.len(),
        limit: LIMIT,
        ..Report::default()
    };
    for what in due {
        let done = match &what {
            Due::Job(job) => send(flow, queue, job).await,
            Due::Line(target) => line::look(flow, *target).await,
            Due::Request(id) => match flow.world.request(*id).await {
                Ok(Some(request)) => overdue(flow, &request).await,
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
            deliver::finish(flow, request, Ending::failed(503, &why, row), outcome, now).await?;
        }
    }
    Ok(())
}

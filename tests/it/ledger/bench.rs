//! A ledger under test, with as much of the platform around it as it takes notice of.

use std::collections::BTreeSet;

use domain::{
    RequestId, WorkspaceId,
    job::Job,
    request::{Request, State},
};
use jiff::{SignedDuration, Timestamp};
use store::ledger::{Accepted, Counts, Due, Ledger, Line, Load};

use super::make;

mod memory;
mod table;

pub(super) use memory::InMemory;
pub(super) use store::ledger::Gate;
pub(super) use table::Table;

/// More than anything here has due.
const ALL: i32 = 500;

/// A ledger under test.
pub(super) trait Bench {
    /// What it is.
    type Ledger: Ledger;

    /// The ledger.
    fn ledger(&self) -> &Self::Ledger;
    /// Adds a workspace with an open gate and so many slots.
    async fn add(&self, id: WorkspaceId, slots: i64);
    /// Moves its gate.
    async fn gate(&self, id: WorkspaceId, gate: Gate);
    /// Plays a heartbeat.
    async fn beat(&self, id: WorkspaceId, active_tasks: i64, at: Timestamp);
    /// Removes it, and what is kept of it.
    async fn purge(&self, id: WorkspaceId, now: Timestamp);
    /// Lets its load go, whoever still runs or waits.
    async fn forget(&self, id: WorkspaceId);
    /// Makes it believe that so many wait.
    async fn crowd(&self, id: WorkspaceId, waiting: i64);
    /// Whether heartbeats are told that somebody waits.
    async fn hint(&self, id: WorkspaceId) -> bool;

    /// A new workspace.
    async fn workspace(&self, slots: i64) -> WorkspaceId {
        let id = WorkspaceId::random();
        self.add(id, slots).await;
        id
    }

    /// Accepts a request that does not come by the queue.
    async fn accept(&self, request: &Request) -> Accepted {
        let accepted = self.ledger().accept(request, false).await;
        accepted.expect("an answer")
    }

    /// Accepts a request that gets what it needs at once; the row.
    async fn offered(&self, request: Request) -> Request {
        assert_eq!(self.accept(&request).await, Accepted::Offered);
        self.row(request.id).await
    }

    /// Accepts a request that does not; the row.
    async fn waiting(&self, request: Request) -> Request {
        assert_eq!(self.accept(&request).await, Accepted::Waiting);
        self.row(request.id).await
    }

    /// Accepts and claims a request, at once; the row.
    async fn running(&self, request: Request) -> Request {
        let at = request.accepted_at;
        let offered = self.offered(request).await;
        let claimed = self.ledger().claim(offered.id, 1, at).await;
        claimed.expect("an answer").expect("an offer")
    }

    /// The row of a request that is there.
    async fn row(&self, id: RequestId) -> Request {
        let found = self.ledger().request(id).await.expect("an answer");
        found.expect("a request")
    }

    /// The line of a workspace that is there.
    async fn line(&self, id: WorkspaceId) -> Line {
        let line = self.ledger().line(id).await.expect("an answer");
        line.expect("a workspace")
    }

    /// Who waits, in order.
    async fn queue(&self, id: WorkspaceId) -> Vec<RequestId> {
        let entries = self.line(id).await.entries.into_iter();
        entries.map(|entry| entry.request_id).collect()
    }

    /// Its counters, which balance, and who has its slots.
    async fn load(&self, id: WorkspaceId) -> (Counts, BTreeSet<RequestId>) {
        let Load { counts, slots, .. } = self.line(id).await.load;
        assert_eq!(counts.drift(), 0, "{counts:?}");
        let id = |id: &String| id.parse().expect("an id");
        (counts, slots.keys().map(id).collect())
    }

    /// The jobs that are not known to have reached their queue, oldest first.
    async fn jobs(&self) -> Vec<Job> {
        let late = make::at(10_000_000);
        let due = self.ledger().due(late, ALL).await.expect("an answer").due;
        let jobs = due.iter().filter_map(|what| match what {
            Due::Job(job) => Some(job.job().expect("a job")),
            Due::Request(_) | Due::Line(_) => None,
        });
        jobs.collect()
    }

    /// Somebody looks at this from that moment on and not before.
    async fn is_due(&self, what: Due, at: Timestamp) {
        let before = at - SignedDuration::from_micros(1);
        for (now, expected) in [(before, false), (at, true)] {
            let due = self.ledger().due(now, ALL).await.expect("an answer").due;
            assert_eq!(due.contains(&what), expected, "{what:?} at {now}");
        }
    }

    /// Nobody ever looks at this.
    async fn is_never_due(&self, what: Due) {
        let late = make::at(10_000_000);
        let due = self.ledger().due(late, ALL).await.expect("an answer").due;
        assert!(!due.contains(&what), "{what:?}");
    }

    /// A request that ended: in this state, and nobody looks at it again.
    async fn has_ended(&self, id: RequestId, state: State) {
        assert_eq!(self.row(id).await.state, state);
        self.is_never_due(Due::Request(id)).await;
    }
}

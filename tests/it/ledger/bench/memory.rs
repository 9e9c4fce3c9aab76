//! The ledger in memory.

use domain::WorkspaceId;
use e2e::twin::{Calm, Twin};
use jiff::Timestamp;

use super::{Bench, Gate};

/// The twin in memory.
pub(in crate::ledger) struct InMemory(Twin<Calm>);

impl InMemory {
    /// An empty one.
    pub(in crate::ledger) fn new() -> Self {
        Self(Twin::new(Calm))
    }
}

impl Bench for InMemory {
    type Ledger = Twin<Calm>;

    fn ledger(&self) -> &Twin<Calm> {
        &self.0
    }

    async fn add(&self, id: WorkspaceId, slots: i64) {
        self.0.add(id, slots);
    }

    async fn gate(&self, id: WorkspaceId, gate: Gate) {
        let mut state = self.0.state();
        state.places.get_mut(&id).expect("a workspace").load.gate = gate;
    }

    async fn beat(&self, id: WorkspaceId, active_tasks: i64, at: Timestamp) {
        let mut state = self.0.state();
        let beat = &mut state.places.get_mut(&id).expect("a workspace").beat;
        (beat.at, beat.active_tasks) = (Some(at), active_tasks);
    }

    async fn purge(&self, id: WorkspaceId, now: Timestamp) {
        let mut state = self.0.state();
        state.remove(id, now);
        state.purge(id);
    }

    async fn forget(&self, id: WorkspaceId) {
        self.0.state().places.remove(&id);
    }

    async fn crowd(&self, id: WorkspaceId, waiting: i64) {
        let mut state = self.0.state();
        let place = state.places.get_mut(&id).expect("a workspace");
        let counts = &mut place.load.counts;
        counts.accepted += waiting - counts.waiting;
        counts.waiting = waiting;
    }

    async fn hint(&self, id: WorkspaceId) -> bool {
        let state = self.0.state();
        let place = state.places.get(&id);
        place.is_some_and(|place| place.beat.waiting)
    }
}

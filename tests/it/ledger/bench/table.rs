//! The ledger in the table.

use domain::{
    Mode, WorkspaceId,
    workspace::{Heartbeat, Status},
};
use e2e::counted::InProcess;
use jiff::Timestamp;
use store::{
    Store,
    beats::Proof,
    keys,
    workspaces::{Created, Meta, NewWorkspace, Parts},
};

use super::{Bench, Gate};

/// The table, one for each case.
pub(in crate::ledger) struct Table(InProcess);

impl Table {
    /// An empty one.
    pub(in crate::ledger) async fn new() -> Self {
        Self(InProcess::apart(Mode::DevClosed).await)
    }
}

impl Bench for Table {
    type Ledger = Store;

    fn ledger(&self) -> &Store {
        &self.0.app.store
    }

    async fn add(&self, id: WorkspaceId, slots: i64) {
        let new = NewWorkspace {
            meta: meta(id, slots),
            status: Status::Online,
            parent: None,
            events: Vec::new(),
            token: None,
            machine: None,
            secrets: None,
            once: None,
        };
        let created = self.ledger().create_workspace(&new).await;
        assert_eq!(created.expect("an answer"), Created::Yes);
    }

    async fn gate(&self, id: WorkspaceId, gate: Gate) {
        let gate = serde_json::to_value(gate).expect("a name");
        let gate = gate.as_str().unwrap_or_default();
        self.0.scale.set(&keys::load(id), "gate", gate).await;
    }

    async fn beat(&self, id: WorkspaceId, active_tasks: i64, at: Timestamp) {
        let beat = Heartbeat {
            active_tasks,
            ..Heartbeat::default()
        };
        let store = self.ledger();
        let recorded = store.record_beat(id, Proof::None, &beat, at).await;
        recorded.expect("an answer");
    }

    async fn purge(&self, id: WorkspaceId, now: Timestamp) {
        let store = self.ledger();
        let removed = store.remove_workspace(id, None, now).await;
        removed.expect("removed");
        store.purge_workspace(id).await.expect("purged");
    }

    async fn forget(&self, id: WorkspaceId) {
        self.0.scale.delete(&keys::load(id)).await;
    }

    async fn crowd(&self, id: WorkspaceId, waiting: i64) {
        let counts = self.line(id).await.load.counts;
        let accepted = counts.accepted - counts.waiting + waiting;
        for (counter, value) in [("waiting", waiting), ("accepted", accepted)] {
            let load = keys::load(id);
            self.0.scale.set_number(&load, counter, value).await;
        }
    }

    async fn hint(&self, id: WorkspaceId) -> bool {
        let found = self.ledger().workspace(id, Parts::Core).await;
        let beat = found.expect("an answer").and_then(|found| found.beat);
        beat.is_some_and(|beat| beat.waiting)
    }
}

fn meta(id: WorkspaceId, max_concurrent_tasks: i64) -> Meta {
    let row = serde_json::json!({
        "id": id,
        "name": "Own",
        "tier": 1,
        "runtime": "external",
        "workspace_access": "none",
        "max_concurrent_tasks": max_concurrent_tasks,
        "created_at": 0,
    });
    serde_json::from_value(row).expect("a workspace")
}

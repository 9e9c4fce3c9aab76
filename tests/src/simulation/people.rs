//! What people do to workers, and what else becomes of them.

use domain::WorkspaceId;
use jiff::SignedDuration;
use store::ledger::Gate;

use super::{
    plan::{Turn, What},
    run::Sim,
};

impl Sim {
    /// Something happens to a worker, and is over again.
    pub(super) async fn turn(self, turn: Turn) {
        let shared = self.shared().clone();
        shared.sleep(turn.at).await;
        let Some(id) = self.plan().workers.get(turn.worker).map(|worker| worker.id) else {
            return;
        };
        shared.note(|| format!("{:?} {id} for {:?}", turn.what, turn.lasts));
        match turn.what {
            What::Away => {
                let lasts = SignedDuration::try_from(turn.lasts).unwrap_or_default();
                self.agents().away(id, shared.now() + lasts);
            }
            What::Remove => self.remove(id),
            What::Purge => {
                self.remove(id);
                // Not in one step: somebody may look in between.
                shared.pause(10..3000).await;
                self.world().state().purge(id);
            }
            What::Pause => {
                if self.gate(id, Gate::Paused) {
                    shared.sleep(turn.lasts).await;
                    self.open(id);
                }
            }
            What::Sleep => {
                let idle = {
                    let state = self.world().state();
                    let place = state.places.get(&id);
                    place.is_some_and(|place| {
                        place.load.counts.running == 0 && place.load.counts.waiting == 0
                    })
                };
                if idle && self.gate(id, Gate::Wake) {
                    shared.sleep(turn.lasts).await;
                    self.open(id);
                }
            }
        }
    }

    fn remove(&self, id: WorkspaceId) {
        let now = self.shared().now();
        self.world().state().remove(id, now);
        self.shared().written().notify_one();
    }

    /// Moves an open gate; false if it was not open.
    fn gate(&self, id: WorkspaceId, gate: Gate) -> bool {
        let mut state = self.world().state();
        let place = state.places.get_mut(&id);
        let moved = place.filter(|place| gate == Gate::Closed || place.load.gate == Gate::Open);
        moved.map(|place| place.load.gate = gate).is_some()
    }

    /// Opens a gate again, unless it was closed for good.
    fn open(&self, id: WorkspaceId) {
        {
            let mut state = self.world().state();
            let place = state.places.get_mut(&id);
            let Some(place) = place.filter(|place| place.load.gate != Gate::Closed) else {
                return;
            };
            place.load.gate = Gate::Open;
        }
        self.write_offer_job(id);
    }
}

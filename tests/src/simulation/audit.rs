//! What must hold: at every moment, on a calm day, and in the end.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    RequestId, WorkspaceId,
    request::{LOOK_AGAIN, Request, State as Stands, Step},
};
use jiff::{SignedDuration, Timestamp};
use messages::{flow::front::Answer, outcome::Outcome};
use store::ledger::{Entry, Gate};

use super::{
    plan::Letter,
    run::{Sim, Told},
    shared::Shared,
};
use crate::twin::{Place, State};

/// One sweep, and a little for the way.
const SWEEP: SignedDuration = SignedDuration::from_secs(60 + 10);

/// After every change: the invariant, exact counters, no more slots than there are.
pub(super) fn counters(shared: &Shared, operation: &str, state: &State) {
    for (id, place) in &state.places {
        let counts = place.load.counts;
        let slots = i64::try_from(place.load.slots.len()).unwrap_or(i64::MAX);
        let line = i64::try_from(state.line(*id).count()).unwrap_or(i64::MAX);
        let broken = if counts.drift() != 0 {
            "the invariant"
        } else if counts.waiting != line {
            "the number of those that wait"
        } else if slots > place.load.max_concurrent_tasks || slots > counts.running {
            "the number of slots"
        } else {
            continue;
        };
        shared.violation(|| format!("{operation} of {id} breaks {broken}: {place:?}"));
    }
}

/// What a calm day is watched for: since when something could have moved and did not.
#[derive(Debug, Default)]
pub(super) struct Patience {
    idle_since: BTreeMap<WorkspaceId, (String, Timestamp)>,
}

impl Patience {
    /// Looks whether anything is stuck for longer than its lease and one sweep.
    pub(super) fn look(&mut self, sim: &Sim) {
        let (shared, now) = (sim.shared(), sim.shared().now());
        let state = sim.world().state();
        for request in state.requests.values() {
            let late = request.lease_until.is_some_and(|lease| now > lease + SWEEP);
            if late && now > shared.calm_at() + SWEEP + SWEEP {
                shared.violation(|| format!("stuck since its lease: {request:?}"));
            }
        }
        for (id, place) in &state.places {
            let head = state
                .line(*id)
                .next()
                .filter(|head| may_go(head, place, now));
            let Some(head) = head.map(|head| head.sk.clone()) else {
                self.idle_since.remove(id);
                continue;
            };
            let since = self.idle_since.entry(*id).or_insert((head.clone(), now));
            if since.0 != head {
                *since = (head, now);
            }
            if now > since.1 + LOOK_AGAIN + SWEEP {
                shared.violation(|| format!("nobody moves the line of {id}: {place:?}"));
                self.idle_since.remove(id);
            }
        }
    }
}

/// Whether the first in line could be offered, or let go.
fn may_go(head: &Entry, place: &Place, now: Timestamp) -> bool {
    let capacity = place.beat.active_tasks < place.load.max_concurrent_tasks;
    let open = place.load.gate == Gate::Open
        && (!head.slot || place.load.free() > 0)
        && head.hold.is_over(now, place.beat.at, capacity);
    open || place.load.gate == Gate::Closed || head.valid_until <= now
}

/// Whether all is at rest.
pub(super) fn at_rest(sim: &Sim) -> bool {
    let state = sim.world().state();
    sim.all_told()
        && state
            .requests
            .values()
            .all(|request| request.state.is_final())
}

/// The end of a run.
pub(super) fn end(sim: &Sim) {
    let shared = sim.shared();
    let state = sim.world().state();
    for request in state.requests.values() {
        if !request.state.is_final() {
            shared.violation(|| format!("never came to rest: {request:?}"));
        }
        let ends = request.timeline.iter().filter(|step| step.state.is_final());
        if ends.count() > 1 {
            shared.violation(|| format!("ended more than once: {request:?}"));
        }
    }
    order(sim, &state);
    for (id, place) in &state.places {
        let all = state.requests.values().filter(|it| it.target == *id);
        let ended = |stands: Stands| {
            let ended = all.clone().filter(|it| it.state == stands).count();
            i64::try_from(ended).unwrap_or(i64::MAX)
        };
        let counts = place.load.counts;
        let right = counts.done == ended(Stands::Completed)
            && counts.failed == ended(Stands::Failed)
            && counts.expired == ended(Stands::Expired)
            && counts.dropped == ended(Stands::Dropped);
        if !right {
            shared.violation(|| format!("the books of {id} are wrong: {counts:?}"));
        }
    }
    for letter in &sim.plan().letters {
        deliveries(sim, &state, letter);
        answers(sim, &state, letter);
    }
}

/// Nobody is offered first who came later or is less urgent.
fn order(sim: &Sim, state: &State) {
    // Times are told by whoever writes them, who may be slow.
    let slack = SignedDuration::from_secs(8);
    let first_offer = |request: &Request| {
        let offer = |step: &&Step| step.state == Stands::Offered;
        request.timeline.iter().find(offer).map(|step| step.at)
    };
    let offered: Vec<(&Request, Timestamp)> = state
        .requests
        .values()
        .filter(|request| request.slot)
        .filter_map(|request| Some((request, first_offer(request)?)))
        .collect();
    for (one, one_at) in &offered {
        for (other, other_at) in &offered {
            let before = one.target == other.target && one.line_key() < other.line_key();
            let there = one.accepted_at + slack < *other_at;
            if before && there && *other_at + slack < *one_at {
                sim.shared()
                    .violation(|| format!("out of turn: {other:?} before {one:?}"));
            }
        }
    }
}

/// At most one redelivery, only after an unknown outcome, never after a confirmed one.
fn deliveries(sim: &Sim, state: &State, letter: &Letter) {
    let taken = sim.agents().taken(letter.number);
    let shared = sim.shared();
    if taken.len() > 2 {
        shared.violation(|| format!("message {} came {} times", letter.number, taken.len()));
    }
    let [first, second, ..] = taken.as_slice() else {
        return;
    };
    let of = |id: RequestId| state.requests.get(&id);
    let (Some(before), Some(after)) = (of(first.request), of(second.request)) else {
        return;
    };
    if before.id != after.id {
        shared.violation(|| {
            format!(
                "message {} came as two requests: {before:?} {after:?}",
                letter.number
            )
        });
    } else if !after.redelivered {
        shared.violation(|| format!("came twice though its outcome was known: {after:?}"));
    }
    if before.ended_at.is_some_and(|ended| ended < second.at) {
        shared.violation(|| format!("came again after it had ended: {before:?}"));
    }
}

/// One result, the same for all who ask, and kept for those who were promised it.
fn answers(sim: &Sim, state: &State, letter: &Letter) {
    let shared = sim.shared();
    let told = sim.told().get(&letter.number).cloned().unwrap_or_default();
    let mut results = BTreeSet::new();
    for told in &told {
        match told {
            Told::Answer(Answer::Delivered(outcome) | Answer::Kept(outcome)) => {
                if let Outcome::Answered { .. } = outcome {
                    results.insert(format!("{outcome:?}"));
                }
            }
            Told::Answer(Answer::Queued { id, .. }) | Told::Accepted(id) => {
                if !state.requests.contains_key(id) {
                    shared.violation(|| format!("message {} is lost: {id}", letter.number));
                }
            }
            Told::Answer(Answer::OtherMessage) => {
                shared.violation(|| format!("message {} is not itself", letter.number));
            }
            Told::Answer(Answer::QueueFull(_) | Answer::Paused | Answer::Closed)
            | Told::Nothing => {}
        }
    }
    for request in state
        .requests
        .values()
        .filter(|it| it.state == Stands::Completed)
    {
        let of = request.idempotency.as_ref().map(|own| own.key.as_str());
        if of != Some(letter.number.to_string().as_str()) {
            continue;
        }
        let body = request.result.and_then(|id| state.bodies.get(&id));
        let body = messages::outcome::Body::of(body.map_or(&[], Vec::as_slice));
        let status = request.result_status.unwrap_or_default();
        results.insert(format!("{:?}", Outcome::Answered { status, body }));
    }
    if results.len() > 1 {
        shared.violation(|| format!("message {} has many results: {results:?}", letter.number));
    }
}

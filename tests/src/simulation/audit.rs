//! What must hold: at every moment, on a calm day, and in the end.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    RequestId, WorkspaceId,
    request::{LOOK_AGAIN, MAX_ATTEMPTS, Request, State as Stands, Step},
};
use jiff::{SignedDuration, Timestamp};
use messages::{flow::front::Answer, outcome::Outcome};
use store::ledger::{Entry, Gate, JOB_OVERDUE};

use super::{
    plan::Letter,
    run::{Sim, Told},
    shared::Shared,
    turns,
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
        for job in &state.jobs {
            // Other sweeps may make up for a delivery's job, but not for a delegation's.
            let late = now > job.at + JOB_OVERDUE + SWEEP;
            if late && now > shared.calm_at() + SWEEP + SWEEP {
                shared.violation(|| format!("nobody carries {job:?}"));
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
        && state.jobs.is_empty()
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
        // The last one may be followed by a redelivery, which is the end.
        if request.attempts > MAX_ATTEMPTS + 1 {
            shared.violation(|| format!("tried too often: {request:?}"));
        }
    }
    turns::order(sim, &state);
    turns::handed_on(sim, &state);
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
    if !asked_again(sim, after, first.at) {
        shared.violation(|| format!("came again to an agent that did not look free: {after:?}"));
    }
    if before.ended_at.is_some_and(|ended| ended < second.at) {
        shared.violation(|| format!("came again after it had ended: {before:?}"));
    }
}

/// Whether a heartbeat showed capacity between the delivery that took a request to its agent and the
/// next offer.
fn asked_again(sim: &Sim, request: &Request, taken: Timestamp) -> bool {
    let delivery = |step: &Step| step.state == Stands::Running && step.at <= taken;
    let Some(delivery) = request.timeline.iter().rposition(delivery) else {
        return false;
    };
    let mut steps = request.timeline.iter().skip(delivery);
    let waits = steps.find(|step| step.state == Stands::Waiting);
    let offered = steps.find(|step| step.state == Stands::Offered);
    let (Some(waits), Some(offered)) = (waits, offered) else {
        return false;
    };
    let agents = sim.agents();
    agents.showed_capacity(request.target, waits.at, offered.at)
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
            Told::Answer(
                Answer::QueueFull(_) | Answer::ShareTaken(_) | Answer::Paused | Answer::Closed,
            )
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

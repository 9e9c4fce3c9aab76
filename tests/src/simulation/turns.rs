//! Whose turn it was: by urgency and arrival, and at once when a slot is given back.

use domain::{
    WorkspaceId,
    request::{Request, State as Stands, Step},
};
use jiff::{SignedDuration, Timestamp};

use super::{plan::What, run::Sim};
use crate::twin::State;

/// Times are told by whoever writes them, who may be slow.
const SLACK: SignedDuration = SignedDuration::from_secs(8);

/// Nobody is offered first who came later or is less urgent.
pub(super) fn order(sim: &Sim, state: &State) {
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
            let there = one.accepted_at + SLACK < *other_at;
            if before && there && *other_at + SLACK < *one_at {
                sim.shared()
                    .violation(|| format!("out of turn: {other:?} before {one:?}"));
            }
        }
    }
}

/// Who ends hands its slot to the first in line, in the same step: nobody who waits for nothing else
/// is still there some seconds later.
pub(super) fn handed_on(sim: &Sim, state: &State) {
    for worker in &sim.plan().workers {
        if has_a_gate(sim, worker.id) {
            continue;
        }
        let all = || state.requests.values().filter(|it| it.target == worker.id);
        for gave in all().filter(|it| it.slot) {
            let Some(at) = gave_back(gave) else { continue };
            let waits = all()
                .filter(|it| waits(it).any(|(from, to)| from <= at + SLACK && to >= at - SLACK));
            let Some(first) = waits.min_by_key(|it| it.line_key()) else {
                continue;
            };
            // Once delivered, it may be held by what its agent said.
            let fresh = waits_first(first);
            let there = fresh.is_some_and(|(from, to)| from < at - SLACK && to > at + SLACK);
            if there && first.slot && first.valid_until > at + SLACK {
                sim.shared()
                    .violation(|| format!("{gave:?} handed nothing on to {first:?}"));
            }
        }
    }
}

/// Whether its gate is moved in this run, so that those who wait may be kept waiting.
fn has_a_gate(sim: &Sim, id: WorkspaceId) -> bool {
    let plan = sim.plan();
    let mut turns = plan.turns.iter();
    turns.any(|turn| {
        let whose = plan.workers.get(turn.worker).map(|worker| worker.id);
        turn.what != What::Away && whose == Some(id)
    })
}

/// When it ended, if it had a slot by then.
fn gave_back(request: &Request) -> Option<Timestamp> {
    let [.., before, end] = request.timeline.as_slice() else {
        return None;
    };
    let had = matches!(before.state, Stands::Offered | Stands::Running);
    (had && end.state.is_final()).then_some(end.at)
}

/// From when to when it waited, each time.
fn waits(request: &Request) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let steps = request.timeline.iter().enumerate();
    let waiting = steps.filter(|(_, step)| step.state == Stands::Waiting);
    waiting.map(|(n, step)| {
        let next = request.timeline.get(n + 1);
        (step.at, next.map_or(Timestamp::MAX, |next| next.at))
    })
}

/// From when to when it waited before its first offer.
fn waits_first(request: &Request) -> Option<(Timestamp, Timestamp)> {
    let first = request.timeline.first();
    first.filter(|step| step.state == Stands::Waiting)?;
    waits(request).next()
}

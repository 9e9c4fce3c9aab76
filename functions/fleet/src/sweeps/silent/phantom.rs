//! Who counts as busy and is not: a pure function from what is recorded to whose tasks are taken
//! back (contract: lifecycle-and-sweepers 11.6).
//!
//! How many tasks an agent works on is what its last heartbeat said. One that is not heard of any
//! more never takes it back: it would count as busy for good, on the canvas and for whoever waits
//! for room. Each beat with tasks, each message and each report is a sign that it works; ten minutes
//! without any, and the number is nobody's. A schedule that only skips it is no such sign.
//!
//! Slots need no such look: they are keyed by their request, and given back with it.
//!
//! Price: nothing while nobody is a phantom; then four read units and four write units, once.

use domain::WorkspaceId;
use jiff::{SignedDuration, Timestamp};
use store::lifecycle::{Pulse, Use};

use super::step::Step;

/// How long tasks are believed without a sign of work.
pub const BELIEVED: SignedDuration = SignedDuration::from_mins(10);

/// Who looks like a phantom by its beat, the oldest first.
pub fn suspects(pulses: &[Pulse], now: Timestamp) -> Vec<WorkspaceId> {
    let phantom = |pulse: &&Pulse| {
        pulse.active_tasks > 0 && pulse.active_at.is_none_or(|at| at + BELIEVED <= now)
    };
    let mut phantoms: Vec<&Pulse> = pulses.iter().filter(phantom).collect();
    phantoms.sort_by_key(|pulse| (pulse.active_at, pulse.id));
    phantoms.iter().map(|pulse| pulse.id).collect()
}

/// Decides about the suspects.
pub fn plan(suspects: &[Use], now: Timestamp) -> Vec<Step> {
    suspects.iter().filter_map(|it| step(it, now)).collect()
}

fn step(it: &Use, now: Timestamp) -> Option<Step> {
    let id = it.of.id;
    let workspace = it.of.workspace.as_ref()?;
    let beat = workspace.beat.as_ref()?;
    if beat.active_tasks <= 0 {
        return None;
    }
    let load = workspace.load.as_ref();
    let used_at = match load.is_some_and(|load| load.counts.running > 0) {
        true => now,
        false => it.used_at,
    };
    Some(if used_at + BELIEVED <= now {
        let active_at = beat.active_at;
        Step::Clear { id, active_at }
    } else {
        Step::Note { id, at: used_at }
    })
}

#[cfg(test)]
mod tests;

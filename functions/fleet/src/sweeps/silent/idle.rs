//! Who is idle: a pure function from what is recorded to who goes to sleep (contract:
//! lifecycle-and-sweepers 11.7; decision 14).
//!
//! The beats, which are read anyway, say who may ever sleep and when each was last seen active.
//! Messages do not write beats, so whoever looks idle by its beat is read whole; if it was used
//! after all, that is noted on its beat, and it is left alone until its minutes have passed again.
//! So is who runs on no machine of ours: nothing would be saved, and nothing would wake it.
//!
//! Price: nothing for workspaces that never sleep, and for those that are active by their beats.
//! For one that only messages keep awake, four read units and one write unit each time its minutes
//! pass: at ten minutes $0.005 a month.

use domain::{
    WorkspaceId,
    lifecycle::{Host, SILENT_AFTER},
};
use jiff::{SignedDuration, Timestamp};
use store::lifecycle::{Pulse, Use};

use super::step::Step;

/// Who looks idle by its beat, those longest so first. Who is silent is not idle: nobody knows.
pub fn suspects(pulses: &[Pulse], now: Timestamp) -> Vec<WorkspaceId> {
    let idle = |pulse: &&Pulse| {
        pulse.status.answers()
            && pulse.active_tasks <= 0
            && pulse.beat_at.is_some_and(|at| at + SILENT_AFTER > now)
            && pulse.sleeps_after.is_some_and(|minutes| {
                let passed = |at| passed(at, minutes, now);
                minutes > 0 && pulse.active_at.is_none_or(passed)
            })
    };
    let mut idle: Vec<&Pulse> = pulses.iter().filter(idle).collect();
    idle.sort_by_key(|pulse| (pulse.active_at, pulse.id));
    idle.iter().map(|pulse| pulse.id).collect()
}

/// Decides about the suspects.
pub fn plan(suspects: &[Use], now: Timestamp) -> Vec<Step> {
    suspects.iter().filter_map(|it| step(it, now)).collect()
}

fn step(it: &Use, now: Timestamp) -> Option<Step> {
    let id = it.of.id;
    let workspace = it.of.workspace.as_ref()?;
    let beat = workspace.beat.as_ref()?;
    let minutes = workspace.meta.hibernation_idle_minutes?;
    if minutes <= 0 || !beat.status.answers() {
        return None;
    }
    let ours = workspace.host() == Host::Machine;
    let counts = workspace.load.as_ref().map(|load| load.counts);
    let works = counts.is_some_and(|counts| counts.running > 0 || counts.waiting > 0);
    let used_at = if works || beat.active_tasks > 0 || !ours {
        now
    } else {
        it.used_at
    };
    if passed(used_at, minutes, now) {
        let since = used_at + SignedDuration::from_mins(minutes);
        return Some(Step::Sleep { id, used_at, since });
    }
    beat.active_at
        .is_none_or(|at| at < used_at)
        .then_some(Step::Note { id, at: used_at })
}

fn passed(since: Timestamp, minutes: i64, now: Timestamp) -> bool {
    since + SignedDuration::from_mins(minutes) <= now
}

#[cfg(test)]
mod tests;

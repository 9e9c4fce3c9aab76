//! Who is silent: a pure function from what is recorded to who goes offline (contract:
//! lifecycle-and-sweepers 11.2, 11.3).
//!
//! A beat that does not arrive is the agent's trouble or ours. Ours looks the same for all agents at
//! once, so many that fall silent together are held back for [`PATIENCE`] before they are believed:
//! an outage of our own registry must not start a fleet anew. The state for this is the age of the
//! silence itself.
//!
//! Where the sweep itself was away for longer than a beat may be, the whole stack was, or its
//! schedule: nobody's silence counts until agents have had the time of a beat again. The one thing
//! that a sweep remembers, when it last ran, is for this.

use domain::{
    WorkspaceId,
    lifecycle::{EXTERNAL_SILENT_AFTER, Host, SILENT_AFTER, Wanted},
};
use jiff::{SignedDuration, Timestamp};
use store::{
    lifecycle::{Pulse, Watched},
    sweeps::Run,
};

use crate::sweeps::allowance;

/// How much longer than usual many must have been silent at once.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// How long whom may be silent.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// An agent on a host of the user's.
    pub external: SignedDuration,
    /// Any other.
    pub other: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            external: EXTERNAL_SILENT_AFTER,
            other: SILENT_AFTER,
        }
    }
}

/// One that counts as online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The workspace.
    pub id: WorkspaceId,
    /// When it was last heard of, or created if it never was.
    pub at: Timestamp,
    /// Who runs it.
    pub host: Host,
    /// What runs in it.
    pub runtime: String,
    /// Of a machine of ours that was brought up and is to run, which can be started anew.
    pub generation: Option<u32>,
}

impl Heard {
    /// From what is recorded; none if it does not count as online.
    pub fn of(watched: &Watched) -> Option<Self> {
        let workspace = watched.workspace.as_ref()?;
        let beat = workspace.beat.as_ref().filter(|it| it.status.answers())?;
        let machine = watched.machine.as_ref();
        Some(Self {
            id: watched.id,
            at: beat.beat_at.unwrap_or(workspace.meta.created_at),
            host: workspace.host(),
            runtime: workspace.meta.runtime.clone(),
            // While its job is on the way, that job is its start.
            generation: machine
                .filter(|it| it.ours && it.wanted == Wanted::Running && !it.is_due(it.generation))
                .map(|it| it.generation),
        })
    }

    /// Since when it has been silent for too long.
    pub fn late_since(&self, limits: Limits) -> Timestamp {
        let limit = match self.host {
            Host::External => limits.external,
            Host::Machine | Host::ByHand => limits.other,
        };
        self.at + limit
    }
}

/// Whose silence must be looked into: of all beats, those that any limit makes late.
pub fn suspects(pulses: &[Pulse], limits: Limits, now: Timestamp) -> Vec<WorkspaceId> {
    let limit = limits.external.min(limits.other);
    let late =
        |pulse: &&Pulse| pulse.status.answers() && pulse.beat_at.is_none_or(|at| at + limit <= now);
    let mut late: Vec<&Pulse> = pulses.iter().filter(late).collect();
    late.sort_by_key(|pulse| (pulse.beat_at, pulse.id));
    late.iter().map(|pulse| pulse.id).collect()
}

/// Who goes offline.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Those that were silent longest first.
    pub silent: Vec<Heard>,
    /// Who else is late, and held back because so many are.
    pub held: usize,
    /// Since when the first of those is late.
    pub held_since: Option<Timestamp>,
}

/// Decides about the suspects. `online` is how many count as online in all.
pub fn plan(suspects: Vec<Heard>, online: usize, limits: Limits, now: Timestamp) -> Plan {
    let mut late = suspects;
    late.retain(|heard| heard.late_since(limits) <= now);
    late.sort_by_key(|heard| (heard.late_since(limits), heard.id));
    let held = if late.len() > allowance(online) {
        let believed = |heard: &Heard| heard.late_since(limits) + PATIENCE <= now;
        late.split_off(late.partition_point(believed))
    } else {
        Vec::new()
    };
    Plan {
        held: held.len(),
        held_since: held.first().map(|heard| heard.late_since(limits)),
        silent: late,
    }
}

/// From when silence counts, given the sweep's run before this one.
///
/// At once, as a rule; after it was away for longer than the longest silence that is none, a silence later. A first run ever waits for
/// nobody: there are no agents yet.
pub fn judges_from(before: Option<&Run>, now: Timestamp) -> Option<Timestamp> {
    let before = before?;
    if before.last_run_at + SILENT_AFTER < now {
        return Some(now + SILENT_AFTER);
    }
    before.judges_from.filter(|from| *from > now)
}

/// As [`plan`], while silence does not count: whoever is late is held back.
pub fn wait(suspects: Vec<Heard>, limits: Limits, now: Timestamp) -> Plan {
    let late = suspects.iter().map(|heard| heard.late_since(limits));
    let late = late.filter(|since| *since <= now);
    Plan {
        silent: Vec::new(),
        held: late.clone().count(),
        held_since: late.min(),
    }
}

#[cfg(test)]
mod tests;

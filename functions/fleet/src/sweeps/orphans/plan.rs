//! Which machines and disks nobody wants, and whose machine is gone: a pure function from a listing
//! and the records.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    WorkspaceId,
    lifecycle::{Host, Wanted},
    workspace::Status,
};
use jiff::{SignedDuration, Timestamp};
use store::lifecycle::{Machine as Record, Pulse, Watched};

use crate::{
    machines::{Listing, Machine, MachineId, Presence, Recorded, State, Volume, VolumeId},
    sweeps::allowance,
};

/// For so long after a launch or a wish nothing is concluded: jobs are on their way, and listings
/// lag.
pub const YOUNG: SignedDuration = SignedDuration::from_mins(10);
/// How old a disk without a machine must be.
pub const DISK_YOUNG: SignedDuration = SignedDuration::from_hours(1);
/// Two beats missed: whoever was heard of since has a machine, whatever the listing says.
const UNHEARD: SignedDuration = SignedDuration::from_secs(60);
/// Who has been silent for longer was silenced long ago, and `overdue` starts it anew.
const LONG_SILENT: SignedDuration = SignedDuration::from_hours(1);

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The machine goes, with its disk.
    Terminate(MachineId),
    /// The machine stops and keeps its disk.
    Stop(MachineId),
    /// The disk goes.
    Delete(VolumeId),
    /// The workspace is started anew.
    Revive {
        /// If this is still its generation,
        generation: u32,
        /// by how long this may take to boot,
        runtime: String,
        /// and if it was not heard of since.
        heard_at: Timestamp,
    },
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its workspace was removed.
    Removed,
    /// Nothing is recorded of its workspace, or no machine.
    Unknown,
    /// Its workspace has another machine.
    Replaced,
    /// It was to stop long ago.
    Unwanted,
    /// Its machine is gone.
    LeftBehind,
    /// The workspace's machine is certainly gone.
    Gone,
}

impl Why {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Removed => "its workspace was removed",
            Self::Unknown => "no record of it",
            Self::Replaced => "its workspace has another machine",
            Self::Unwanted => "it was to stop",
            Self::LeftBehind => "a disk left behind",
            Self::Gone => "its machine is gone",
        }
    }

    /// Whether nobody asked for it: it follows from records alone, and those may be wrong (a table
    /// restored from an older backup, say).
    fn is_doubtful(self) -> bool {
        matches!(self, Self::Unknown | Self::Replaced | Self::Gone)
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The workspace.
    pub id: WorkspaceId,
    /// What is done.
    pub what: What,
    /// Why.
    pub why: Why,
    /// Since when that might have been done.
    pub since: Timestamp,
}

/// What one sweep does.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Those due longest first.
    pub steps: Vec<Step>,
    /// How many are held back, because so many at once look like a trouble of ours.
    pub held: usize,
    held_since: Option<Timestamp>,
}

impl Plan {
    /// How many machines and disks nobody wants.
    pub fn orphans(&self) -> usize {
        let gone = self.steps.iter().filter(|step| step.why == Why::Gone);
        self.steps.len() - gone.count() + self.held
    }

    /// Since when the first is due.
    pub fn since(&self) -> Option<Timestamp> {
        let steps = self.steps.iter().map(|step| step.since);
        steps.chain(self.held_since).min()
    }
}

/// Whose machine may be gone: unheard of for a while, and none listed for it.
pub fn missing(
    pulses: &[Pulse],
    listed: &BTreeSet<WorkspaceId>,
    now: Timestamp,
) -> Vec<WorkspaceId> {
    let missing = pulses.iter().filter(|pulse| {
        let wanted = pulse.status.answers() || pulse.status == Status::Offline;
        let silent = pulse.beat_at.map(|at| now.duration_since(at));
        wanted
            && silent.is_some_and(|silent| (UNHEARD..LONG_SILENT).contains(&silent))
            && !listed.contains(&pulse.id)
    });
    missing.map(|pulse| pulse.id).collect()
}

/// Decides about all machines and disks of the stack. `owners` has what is recorded of the
/// machines' owners, `missing` of those whose machine may be gone.
pub fn plan(
    listing: &Listing,
    volumes: &[Volume],
    owners: &[Watched],
    missing: &[Watched],
    now: Timestamp,
) -> Plan {
    let owners: BTreeMap<_, _> = owners.iter().map(|owner| (owner.id, owner)).collect();
    let machines = listing.machines().iter().filter_map(|machine| {
        let id = machine.owner?.workspace_id;
        // Who was not read is nobody's to judge.
        let (what, why, since) = judge(machine, owners.get(&id)?)?;
        let step = Step {
            id,
            what,
            why,
            since,
        };
        (since <= now).then_some(step)
    });
    let disks = volumes.iter().filter_map(|volume| {
        let since = volume.created_at? + DISK_YOUNG;
        let step = Step {
            id: volume.owner?.workspace_id,
            what: What::Delete(volume.id.clone()),
            why: Why::LeftBehind,
            since,
        };
        (since <= now).then_some(step)
    });
    let gone = missing.iter().filter_map(|it| gone(listing, it, now));
    let mut steps: Vec<Step> = machines.chain(disks).chain(gone).collect();
    steps.sort_by_key(|step| (step.since, step.id));

    let doubtful = steps.iter().filter(|step| step.why.is_doubtful()).count();
    if doubtful <= allowance(listing.machines().len() + missing.len()) {
        return Plan {
            steps,
            ..Plan::default()
        };
    }
    let (held, steps): (Vec<_>, Vec<_>) = steps.into_iter().partition(|it| it.why.is_doubtful());
    Plan {
        held: held.len(),
        held_since: held.first().map(|step| step.since),
        steps,
    }
}

/// What should become of a machine, why, and from when on.
fn judge(machine: &Machine, owner: &Watched) -> Option<(What, Why, Timestamp)> {
    if machine.state.is_ended() || machine.state == State::Other {
        return None;
    }
    let launched = machine.launched_at? + YOUNG;
    let terminate = || What::Terminate(machine.id.clone());
    let record = owner.machine.as_ref();
    let wished = record.and_then(|record| record.wished_at);
    let removed_at = owner.workspace.as_ref().map(|found| found.meta.removed_at);
    match (removed_at, record) {
        // Its job had ten minutes, and was written again after five.
        (_, Some(record)) if record.wanted == Wanted::Gone => Some((
            terminate(),
            Why::Removed,
            wished.map_or(launched, |at| at + YOUNG),
        )),
        (Some(Some(removed_at)), _) => Some((terminate(), Why::Removed, removed_at + YOUNG)),
        (_, None) => Some((terminate(), Why::Unknown, launched)),
        (_, Some(record)) => recorded(machine, record, launched),
    }
}

fn recorded(
    machine: &Machine,
    record: &Record,
    launched: Timestamp,
) -> Option<(What, Why, Timestamp)> {
    match &record.instance_id {
        Some(id) if *id != machine.id.as_str() => {
            let what = What::Terminate(machine.id.clone());
            Some((what, Why::Replaced, launched))
        }
        // With none recorded, the job that is on its way finds this one by its token; it may have
        // the user's disk, so it is stopped at most.
        _ if record.wanted == Wanted::Stopped && machine.state.is_up() => {
            let since = record.wished_at? + YOUNG;
            let what = What::Stop(machine.id.clone());
            Some((what, Why::Unwanted, since))
        }
        _ => None,
    }
}

/// Whether the machine of a workspace that should run is certainly gone.
fn gone(listing: &Listing, watched: &Watched, now: Timestamp) -> Option<Step> {
    let workspace = watched.workspace.as_ref()?;
    let beat = workspace.beat.as_ref()?;
    let record = watched.machine.as_ref()?;
    let runs = beat.status.answers() || beat.status == Status::Offline;
    let settled = record.wanted == Wanted::Running && !record.is_due(record.generation);
    if !runs || !settled || workspace.host() != Host::Machine {
        return None;
    }
    let id: MachineId = record.instance_id.as_deref()?.parse().ok()?;
    let recorded = Recorded {
        id: &id,
        workspace_id: watched.id,
        launched_at: record.launched_at?,
    };
    let heard_at = beat.beat_at.filter(|at| *at + UNHEARD <= now)?;
    (listing.presence(recorded, now) == Presence::Gone).then(|| Step {
        id: watched.id,
        what: What::Revive {
            generation: record.generation,
            runtime: workspace.meta.runtime.clone(),
            heard_at,
        },
        why: Why::Gone,
        since: heard_at + UNHEARD,
    })
}

#[cfg(test)]
mod tests;

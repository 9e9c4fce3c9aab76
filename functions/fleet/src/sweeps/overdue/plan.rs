//! What is done about machines that are due: a pure function from what is recorded.

use domain::{
    WorkspaceId,
    lifecycle::{BootFailure, LOOK_EVERY, REVIVE_PAUSE, STOP_WITHIN, Wanted},
    workspace::Status,
};
use edge::Fleet;
use jiff::{SignedDuration, Timestamp};
use store::{
    keys,
    lifecycle::{Machine, Watched},
    workspaces::Workspace,
};

/// What is done about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The job is written again, and looked at again then.
    Ask(Timestamp),
    /// It is looked at again then.
    Later(Timestamp),
    /// Nobody need look any more.
    Settle,
    /// It will not boot.
    Fail(BootFailure),
    /// It is started anew.
    Revive,
    /// Its machine has stopped.
    FallAsleep,
}

impl Step {
    /// Its name in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask again",
            Self::Later(_) => "look later",
            Self::Settle => "settle",
            Self::Fail(_) => "fail",
            Self::Revive => "revive",
            Self::FallAsleep => "fall asleep",
        }
    }
}

/// A step for a machine as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned<'a> {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its machine.
    pub machine: &'a Machine,
    /// What is done.
    pub step: Step,
    /// How long a boot of it may take.
    pub boot_within: SignedDuration,
}

/// Decides about those that are due. The index nominates and may be late: whoever is not due by its
/// record is left alone.
pub fn plan<'a>(seen: &'a [Watched], fleet: &Fleet, now: Timestamp) -> Vec<Planned<'a>> {
    let planned = seen.iter().filter_map(|watched| {
        let machine = watched.machine.as_ref()?;
        let due = keys::due_time(machine.due_at.as_deref()?)?;
        let workspace = watched.workspace.as_ref();
        let runtime = workspace.map_or("", |workspace| workspace.meta.runtime.as_str());
        let boot_within = fleet.boot_within(runtime);
        (due <= now).then(|| Planned {
            id: watched.id,
            machine,
            step: step(machine, workspace, boot_within, now),
            boot_within,
        })
    });
    planned.collect()
}

fn step(
    machine: &Machine,
    workspace: Option<&Workspace>,
    boot_within: SignedDuration,
    now: Timestamp,
) -> Step {
    use Status::{Hibernating, Offline, Provisioning};
    let status = workspace.map_or(Status::Removed, Workspace::status);
    let runtime = workspace.map_or("", |workspace| workspace.meta.runtime.as_str());
    let external = workspace.is_some_and(|workspace| workspace.meta.is_external());
    let done = !machine.is_due(machine.generation);
    match (machine.wanted, status) {
        (Wanted::Running, Provisioning) => boot(machine, runtime, boot_within, now),
        (Wanted::Running, Offline) if machine.ours && !external => {
            match machine.revived_at.map(|last| last + REVIVE_PAUSE) {
                Some(rested) if rested > now => Step::Later(rested),
                _ => Step::Revive,
            }
        }
        // Up, or nothing to be waited for.
        (Wanted::Running, _) => Step::Settle,
        (Wanted::Stopped, Hibernating) if done => Step::FallAsleep,
        (Wanted::Stopped, _) if done => Step::Settle,
        // Whoever takes a machine down forgets its record: as long as that is there, it is not done.
        (Wanted::Stopped | Wanted::Gone, _) => Step::Ask(now + STOP_WITHIN),
    }
}

/// A boot that has not been heard of.
fn boot(machine: &Machine, runtime: &str, within: SignedDuration, now: Timestamp) -> Step {
    let (timeout_secs, runtime) = (within.as_secs(), runtime.to_owned());
    match machine.boot_by {
        Some(deadline) if deadline > now => {
            if machine.ours && machine.is_due(machine.generation) {
                Step::Ask(deadline.min(now + LOOK_EVERY))
            } else {
                Step::Later(deadline)
            }
        }
        _ if machine.ours => Step::Fail(BootFailure::Overdue {
            timeout_secs,
            runtime,
        }),
        _ => Step::Fail(BootFailure::Unattended {
            timeout_secs,
            runtime,
        }),
    }
}

#[cfg(test)]
mod tests;

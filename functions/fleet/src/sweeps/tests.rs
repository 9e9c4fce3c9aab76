//! What the tests of the plans share: workspaces as they might be recorded.

use domain::{WorkspaceId, lifecycle::Wanted, workspace::Status};
use jiff::{SignedDuration, Timestamp};
use store::{
    beats::Beat,
    ledger::Load,
    lifecycle::{Machine, Pulse, Watched},
    workspaces::{Meta, Workspace},
};

pub(super) const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

pub(super) fn ago(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

pub(super) fn id(number: u32) -> WorkspaceId {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    id.parse().expect("an id")
}

pub(super) fn pulse(number: u32, heard: Option<i64>) -> Pulse {
    Pulse {
        id: id(number),
        status: Status::Online,
        beat_at: heard.map(ago),
        active_at: None,
        active_tasks: 0,
        sleeps_after: None,
    }
}

/// A workspace of this runtime, created an hour ago.
pub(super) fn workspace(number: u32, runtime: &str, status: Status) -> Workspace {
    let meta = Meta {
        removed_at: (status == Status::Removed).then(|| ago(3600)),
        ..Meta::new(id(number), "Ada", runtime, ago(3600))
    };
    Workspace {
        meta,
        beat: (status != Status::Removed).then(|| Beat::new(status, Some(ago(10)), 1)),
        card: None,
        load: Some(Load::new(1)),
        machine: None,
    }
}

/// One with a machine of ours that was brought up long ago, and is due since a second.
pub(super) fn watched(number: u32, status: Status, wanted: Wanted) -> Watched {
    let machine = Machine {
        wanted,
        done: 1,
        due_at: Some(store::keys::due_at(ago(1), &id(number).to_string())),
        instance_id: Some(format!("i-{number:017x}")),
        launched_at: Some(ago(3600)),
        wished_at: Some(ago(3600)),
        ..Machine::new(true)
    };
    let mut workspace = workspace(number, "example", status);
    workspace.machine = Some(machine.clone());
    Watched {
        id: id(number),
        machine: Some(machine),
        workspace: Some(workspace),
    }
}

//! Partitions and sort keys of the indexes.

use domain::{ScheduleId, WorkspaceId};
use jiff::Timestamp;

/// `due` partition of one kind and shard.
pub fn due(kind: &str, shard: u8) -> String {
    format!("{kind}#{shard}")
}

/// `due` sort key: by time, unique.
pub fn due_at(at: Timestamp, id: &str) -> String {
    format!("{:020}#{id}", at.as_microsecond())
}

/// The time in a `due` sort key.
pub fn due_time(due_at: &str) -> Option<Timestamp> {
    let micros = due_at.split('#').next()?.parse().ok()?;
    Timestamp::from_microsecond(micros).ok()
}

/// `tree` partition: the children of `parent`, or all roots.
pub fn children(parent: Option<WorkspaceId>) -> String {
    match parent {
        Some(parent) => format!("CHILDREN#{parent}"),
        None => "CHILDREN#ROOT".to_owned(),
    }
}

/// `log` partition of all workspaces.
pub fn roster() -> String {
    "WORKSPACES".to_owned()
}

/// `log` partition of one shard's events.
pub fn event_log(shard: u8) -> String {
    format!("EVENTLOG#{shard}")
}

/// Sort key of workspaces: by creation, unique.
pub fn created(at: Timestamp, id: WorkspaceId) -> String {
    format!("{:020}#{id}", at.as_microsecond())
}

/// `log` partition of the schedules of all workspaces.
pub fn all_schedules() -> String {
    "SCHEDULES".to_owned()
}

/// Sort key of schedules: by creation, unique.
pub fn schedule_created(at: Timestamp, id: ScheduleId) -> String {
    format!("{:020}#{id}", at.as_microsecond())
}

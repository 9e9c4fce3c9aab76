//! Keys of messages, their lines and jobs, and of delegations.

use domain::{DelegationId, RequestId, WorkspaceId};

use super::Key;

/// A request.
pub fn request(id: RequestId) -> Key {
    Key::new(format!("REQUEST#{id}"), "STATE")
}

/// What a message's idempotency key was used for.
pub fn idempotency(key: &str) -> Key {
    Key::new(format!("SEEN#{key}"), "SEEN")
}

/// The partition of those that wait for a workspace.
pub fn line(id: WorkspaceId) -> String {
    format!("LINE#{id}")
}

/// A place in line.
pub fn in_line(id: WorkspaceId, place: &str) -> Key {
    Key::new(line(id), place)
}

/// A job on its way to its queue.
pub fn job(id: uuid::Uuid) -> Key {
    Key::new(format!("JOB#{id}"), "JOB")
}

/// The partition of a workspace's delegations.
pub fn delegations(id: WorkspaceId) -> String {
    format!("DELEGATIONS#{id}")
}

/// A delegation.
pub fn delegation(source: WorkspaceId, id: DelegationId) -> Key {
    Key::new(delegations(source), id.to_string())
}

/// The row of a delegation that an agent named itself.
pub fn delegation_named(source: WorkspaceId, name: &str) -> Key {
    Key::new(delegations(source), format!("NAMED#{name}"))
}

/// What a delegation's idempotency key was used for.
pub fn delegated(key: &str) -> Key {
    Key::new(format!("DELEGATED#{key}"), "DELEGATED")
}

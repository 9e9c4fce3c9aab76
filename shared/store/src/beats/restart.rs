//! The restart of which an agent is to be told: on the hot item from its start until the agent is back.

use domain::{WorkspaceId, job::Job};
use jiff::Timestamp;

use super::Beat;
use crate::{
    expr::{Change, Write},
    ledger::pending,
};

/// The restart of which its agent is to be told when it is back.
pub(crate) const RESTART: &str = "restart";

/// Takes the restart away of which the agent is told with this change, if it is still the one that
/// was read: a later one is told of when its own agent is back.
pub(crate) fn told(change: Change, condition: &str, before: &Beat) -> Change {
    match before.restart {
        Some(restart) => change
            .when(format!("{condition} AND #restart = :restart"))
            .with("restart", restart)
            .remove(RESTART),
        None => change
            .when(format!("{condition} AND attribute_not_exists(#restart)"))
            .naming(RESTART),
    }
}

/// The job that tells an agent that is back of its restart, if there was one.
pub(crate) fn restarted(id: WorkspaceId, before: &Beat, now: Timestamp) -> Option<Write> {
    let job = Job::RestartContextV1 {
        workspace_id: id,
        restart: before.restart?,
    };
    Some(pending(id, &job, now))
}

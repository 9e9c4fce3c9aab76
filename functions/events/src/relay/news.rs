//! What is told of a change.

use domain::{
    EventId, WorkspaceId,
    event::{Passing, told_by},
};
use jiff::Timestamp;
use serde_json::Value;
use store::stream::Seen;

use crate::views::Audience;

/// Something to tell.
#[derive(Debug)]
pub(super) struct News {
    pub(super) id: EventId,
    pub(super) name: String,
    pub(super) workspace: WorkspaceId,
    pub(super) at: Timestamp,
    pub(super) what: What,
    pub(super) whom: Audience,
    /// Whether it is in the log: then the bus gets it as well.
    pub(super) kept: bool,
    /// The change it came with.
    pub(super) sequence: String,
}

/// Its payload, or what that is made from.
#[derive(Debug)]
pub(super) enum What {
    Payload(Value),
    Passing(Passing),
}

impl News {
    /// What there is to tell of a change.
    pub(super) fn of(seen: Seen, sequence: &str) -> Vec<Self> {
        let sequence = sequence.to_owned();
        match seen {
            Seen::Event(row) => {
                let own = row.event_type == "TASK_UPDATED";
                vec![Self {
                    id: row.id,
                    workspace: row.workspace_id,
                    at: row.created_at,
                    what: What::Payload(row.payload()),
                    whom: if own { Audience::Own } else { Audience::Tree },
                    kept: row.is_persisted(),
                    name: row.event_type,
                    sequence,
                }]
            }
            Seen::Activity(row) => {
                let told = told_by(&row).into_iter();
                told.map(|passing| Self {
                    id: passing.id(row.id.as_uuid()),
                    name: passing.name().to_owned(),
                    workspace: row.workspace,
                    at: row.created_at,
                    what: What::Passing(passing),
                    whom: Audience::Tree,
                    kept: false,
                    sequence: sequence.clone(),
                })
                .collect()
            }
            Seen::Beat {
                workspace,
                before,
                after,
            } => {
                let Some(at) = after.beat_at.filter(|at| before.beat_at != Some(*at)) else {
                    return Vec::new();
                };
                let passing = Passing::Heartbeat {
                    active_tasks: after.active_tasks,
                    uptime_seconds: after.uptime_seconds,
                };
                vec![Self {
                    id: Passing::beat_id(workspace, at),
                    name: passing.name().to_owned(),
                    workspace,
                    at,
                    what: What::Passing(passing),
                    whom: Audience::Own,
                    kept: false,
                    sequence,
                }]
            }
            Seen::Connection(_) | Seen::Nothing => Vec::new(),
        }
    }
}

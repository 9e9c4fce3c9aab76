//! What is told of a change: by the relay, which sees it on the table's stream, and by event streams,
//! which read the rows.

use domain::{
    EventId, Result, WorkspaceId,
    activity::{Activity, Content},
    event::{MAX_ENVELOPE, Passing, told_by},
    json::mended,
};
use edge::App;
use jiff::Timestamp;
use serde_json::Value;
use store::{beats::Beat, events::EventRow, stream::Seen};

use crate::views::Audience;

/// Something to tell.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) id: EventId,
    pub(crate) name: String,
    pub(crate) workspace: WorkspaceId,
    pub(crate) at: Timestamp,
    pub(crate) what: What,
    pub(crate) whom: Audience,
    /// Whether it is in the log: then the bus gets it as well.
    pub(crate) kept: bool,
}

/// Its payload, or what that is made from.
#[derive(Debug)]
pub(crate) enum What {
    Payload(Value),
    Passing(Passing),
}

impl News {
    /// What there is to tell of a change.
    pub(crate) fn of(seen: Seen) -> Vec<Self> {
        match seen {
            Seen::Event(row) => vec![Self::event(row)],
            Seen::Activity(row) => Self::activity(&row),
            Seen::Beat {
                workspace,
                before,
                after,
            } if before.beat_at != after.beat_at => {
                Self::beat(workspace, &after).into_iter().collect()
            }
            Seen::Beat { .. } | Seen::Connection(_) | Seen::Nothing => Vec::new(),
        }
    }

    /// An event of the log, or one that is only pushed.
    pub(crate) fn event(row: EventRow) -> Self {
        let own = row.event_type == "TASK_UPDATED";
        Self {
            id: row.id,
            workspace: row.workspace_id,
            at: row.created_at,
            what: What::Payload(row.payload()),
            whom: if own { Audience::Own } else { Audience::Tree },
            kept: row.is_persisted(),
            name: row.event_type,
        }
    }

    /// What a row of activity tells.
    pub(crate) fn activity(row: &Activity) -> Vec<Self> {
        let told = told_by(row).into_iter();
        told.map(|passing| Self {
            id: passing.id(row.id.as_uuid()),
            name: passing.name().to_owned(),
            workspace: row.workspace,
            at: row.created_at,
            what: What::Passing(passing),
            whom: Audience::Tree,
            kept: false,
        })
        .collect()
    }

    /// The last sign of life, if there was one.
    pub(crate) fn beat(workspace: WorkspaceId, beat: &Beat) -> Option<Self> {
        let at = beat.beat_at?;
        let passing = Passing::Heartbeat {
            active_tasks: beat.active_tasks,
            uptime_seconds: beat.uptime_seconds,
        };
        Some(Self {
            id: Passing::beat_id(workspace, at),
            name: passing.name().to_owned(),
            workspace,
            at,
            what: What::Passing(passing),
            whom: Audience::Own,
            kept: false,
        })
    }

    /// The payload on the wire. What lies elsewhere is read, unless it would fit no envelope; `name` is the
    /// workspace's.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub(crate) async fn payload(&self, app: &App, name: &str, now: Timestamp) -> Result<Value> {
        let passing = match &self.what {
            What::Payload(payload) => return Ok(payload.clone()),
            What::Passing(passing) => passing,
        };
        let body = match passing.body() {
            None | Some(Content::Absent) => None,
            Some(Content::Inline(json)) => Some(json.value()),
            Some(Content::Stored(id)) => {
                let mut found = app.store.bodies([*id], MAX_ENVELOPE, now).await?;
                let bytes = found.remove(id);
                bytes.map(|bytes| serde_json::from_slice(&mended(&bytes)).unwrap_or_default())
            }
        };
        Ok(passing.payload(self.workspace, name, body))
    }
}

//! The event log: every change writes its row in its own transaction.

use domain::{EventId, Result, WorkspaceId, event::Event};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Store,
    expr::Write,
    keys::{self, LOG, SHARDS},
    ops::read,
    queries::Page,
};

/// How many events a listing shows (contract: a2a-notify-events 9).
const NEWEST: i32 = 100;
/// How long rows live that are only there to be pushed.
const PUSH_ONLY_SECONDS: i64 = 600;

/// An event row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Version 7: sorts by time.
    pub id: EventId,
    /// The name, as `WORKSPACE_ONLINE`.
    pub event_type: String,
    /// Whom it is about.
    pub workspace_id: WorkspaceId,
    /// The payload, as JSON text: numbers keep the form they came in.
    payload: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_pk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_sk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl EventRow {
    /// The payload on the wire.
    pub fn payload(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap_or(Value::Null)
    }
}

/// The write that puts `event` about `workspace` into the log, for the transaction of the change.
pub(crate) fn record(workspace: WorkspaceId, event: &Event, now: Timestamp) -> Write {
    let id = EventId::from_uuid(Uuid::now_v7());
    let persisted = event.is_persisted();
    let row = EventRow {
        id,
        event_type: event.name().to_owned(),
        workspace_id: workspace,
        payload: event.payload().to_string(),
        created_at: now,
        log_pk: persisted.then(|| keys::event_log(keys::shard(workspace))),
        log_sk: persisted.then(|| id.to_string()),
        expires_at: (!persisted).then(|| now.as_second() + PUSH_ONLY_SECONDS),
    };
    Write::put(keys::event(workspace, id), &row)
}

impl Store {
    /// The newest 100 events of all workspaces, newest first.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn newest_events(&self) -> Result<Vec<EventRow>> {
        let mut keys = Vec::new();
        for shard in 0..SHARDS {
            let log = keys::event_log(shard);
            keys.extend(self.index_keys(LOG, log, true, Some(NEWEST)).await?);
        }
        keys.sort_by(|a, b| b.sk.cmp(&a.sk));
        keys.truncate(NEWEST as usize);
        let mut rows = self.rows(keys.iter().cloned()).await?;
        keys.iter()
            .filter_map(|key| rows.take(key).transpose())
            .collect()
    }

    /// The newest 100 events of one workspace, newest first.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn newest_events_of(&self, workspace: WorkspaceId) -> Result<Vec<EventRow>> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let (items, next) = self
                .page(Page {
                    partition: keys::events(workspace),
                    limit: Some(NEWEST),
                    start,
                    ..Page::default()
                })
                .await?;
            for item in items {
                let row: EventRow = read(item)?;
                // Rows that are only pushed are not part of the log.
                if row.expires_at.is_none() && found.len() < NEWEST as usize {
                    found.push(row);
                }
            }
            start = next;
            if start.is_none() || found.len() >= NEWEST as usize {
                return Ok(found);
            }
        }
    }
}

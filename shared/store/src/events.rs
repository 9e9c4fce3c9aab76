//! The event log: every change writes its row in its own transaction.

use std::collections::HashSet;

use domain::{EventId, Result, WorkspaceId, event::Event};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Store,
    expr::Write,
    keys::{self, Key, LOG, SHARDS},
    ops::read,
    queries::Page,
};

/// How many events a listing shows (contract: a2a-notify-events 9).
const NEWEST: i32 = 100;
/// How long rows live that are only there to be pushed.
const PUSH_ONLY_SECONDS: i64 = 600;

/// How far back what was missed is looked for: a transaction may commit an id after a higher one.
const OVERLAP_MS: u64 = 10_000;
/// How many keys of the log are read at once: 1,000 are 20 read units.
const PAGE: i32 = 1000;
/// How many times that, of each shard, for who was away.
const PAGES: usize = 20;

/// What somebody missed of the log.
#[derive(Debug)]
pub struct Missed {
    /// Where the events are, oldest first; some of them known.
    pub keys: Vec<Key>,
    /// How many of them are above the id that was asked for.
    pub missed: usize,
    /// Whether there is more, or may be.
    pub more: bool,
    /// Up to where this is all: from there one goes on.
    pub upto: EventId,
}

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
    /// Whether it belongs into the event log, or is only there to be pushed.
    pub fn is_persisted(&self) -> bool {
        self.expires_at.is_none()
    }

    /// Whether it was only there to be pushed, and its time is over.
    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_second())
    }

    /// The payload on the wire.
    pub fn payload(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap_or(Value::Null)
    }
}

/// The lowest id of ten seconds before this one: what is older is not looked for again.
pub fn before(id: EventId) -> EventId {
    let bits = id.as_uuid().as_u128();
    let millis = u64::try_from(bits >> 80).unwrap_or(u64::MAX);
    let millis = millis.saturating_sub(OVERLAP_MS);
    EventId::from_uuid(Uuid::from_u128(u128::from(millis) << 80))
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

    /// The keys of the oldest `limit` events of the log after `since`, oldest first.
    ///
    /// Only those of workspaces that `sees` takes. A transaction may commit an id after a higher one,
    /// so those of ten seconds up to `since`, the newest `limit` of them, come first: most of them
    /// are known already. No more of the log is read than 80,000 keys: 1,600 read units.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn events_since(
        &self,
        since: EventId,
        sees: impl AsyncFn(Vec<WorkspaceId>) -> Result<HashSet<WorkspaceId>>,
        limit: usize,
    ) -> Result<Missed> {
        let (mut keys, mut reached) = (Vec::new(), None::<String>);
        for shard in 0..SHARDS {
            let (found, end) = self.logged_after(shard, since, &sees, limit).await?;
            keys.extend(found);
            reached = reached.into_iter().chain(end).min();
        }
        keys.sort_by(|a, b| a.sk.cmp(&b.sk));
        // Beyond the place that one shard was read to, another one's are not all there is.
        if let Some(reached) = &reached {
            keys.truncate(keys.partition_point(|key| key.sk <= *reached));
        }
        let mut known = keys;
        let mut missed = known.split_off(known.partition_point(|key| key.sk <= since.to_string()));
        if missed.len() > limit {
            missed.truncate(limit);
            reached = missed.last().map(|key| key.sk.clone());
        }
        let last = reached.as_ref().or(missed.last().map(|key| &key.sk));
        let upto = last.and_then(|id| id.parse().ok());
        let missed_count = missed.len();
        known.drain(..known.len().saturating_sub(limit));
        known.extend(missed);
        Ok(Missed {
            keys: known,
            missed: missed_count,
            more: reached.is_some(),
            upto: upto.map_or(since, |upto: EventId| upto.max(since)),
        })
    }

    /// The keys of one shard, until more than `limit` of them are above `since`; and the place where it was
    /// not read on from, if it was not read to its end for another reason.
    async fn logged_after(
        &self,
        shard: u8,
        since: EventId,
        sees: &impl AsyncFn(Vec<WorkspaceId>) -> Result<HashSet<WorkspaceId>>,
        limit: usize,
    ) -> Result<(Vec<Key>, Option<String>)> {
        let (since, mut from) = (since.to_string(), before(since).to_string());
        let (mut found, mut missed) = (Vec::new(), 0);
        for _ in 0..PAGES {
            let log = keys::event_log(shard);
            let page = self.keys_above(LOG, log, from.clone(), PAGE).await?;
            let full = page.len() == PAGE as usize;
            if let Some((_, last)) = page.last() {
                from.clone_from(last);
            }
            let of = page.iter().filter_map(|(key, _)| keys::event_of(key));
            let seen = sees(of.collect()).await?;
            let visible = |key: &Key| keys::event_of(key).is_some_and(|it| seen.contains(&it));
            for (key, _) in page.into_iter().filter(|(key, _)| visible(key)) {
                missed += usize::from(key.sk > since);
                found.push(key);
            }
            if !full || missed > limit {
                return Ok((found, None));
            }
        }
        Ok((found, Some(from)))
    }

    /// The events under these keys, in this order; those that are there.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn events_at(&self, keys: &[Key]) -> Result<Vec<EventRow>> {
        let mut rows = self.rows(keys.iter().cloned()).await?;
        let rows = keys.iter().filter_map(|key| rows.take(key).transpose());
        rows.collect()
    }

    /// The oldest `limit` events of one workspace above `after` that are `wanted`, those that are only
    /// pushed among them, in their order.
    ///
    /// Pushed rows whose time is over are passed over. One read unit for each 4 KB that is read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn events_of_after(
        &self,
        workspace: WorkspaceId,
        after: EventId,
        mut wanted: impl FnMut(&EventRow) -> bool,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<EventRow>> {
        let keep = |row: EventRow| (!row.is_over(now) && wanted(&row)).then_some(row);
        self.oldest_above(keys::events(workspace), after.to_string(), limit, keep)
            .await
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
                if row.is_persisted() && found.len() < NEWEST as usize {
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

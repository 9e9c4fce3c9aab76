//! The line of those that wait for a workspace.

use domain::{Result, WorkspaceId, job::Job, request::Request, workspace::Status};
use jiff::Timestamp;

use super::{Entry, Gate, Line, Load, end::offer_writes, pending};
use crate::{
    Store, TransactError,
    beats::{Beat, beat_in},
    expr::{Change, Write},
    keys,
    ops::{UpdateError, read},
    queries::Page,
};

/// How many of a line are looked at at once.
const LOOKED_AT: i32 = 25;

impl Store {
    /// The first `limit` in line.
    pub(super) async fn entries(&self, target: WorkspaceId, limit: i32) -> Result<Vec<Entry>> {
        let query = Page {
            partition: keys::line(target),
            oldest_first: true,
            limit: Some(limit),
            ..Page::default()
        };
        let (items, _) = self.page(query).await?;
        items.into_iter().map(read).collect()
    }

    pub(super) async fn line_of(&self, target: WorkspaceId) -> Result<Option<Line>> {
        let load = keys::load(target);
        let mut rows = self.rows([load.clone(), keys::beat(target)]).await?;
        let Some(load) = rows.take::<Load>(&load)? else {
            return self.line_of_nobody(target).await;
        };
        let beat: Option<Beat> = beat_in(&rows, target)?;
        Ok(Some(Line {
            entries: if load.counts.waiting > 0 {
                self.entries(target, LOOKED_AT).await?
            } else {
                Vec::new()
            },
            load,
            beat_at: beat.as_ref().and_then(|beat| beat.beat_at),
            asleep: beat.as_ref().map(|beat| beat.status) == Some(Status::Hibernated),
            active_tasks: beat.map_or(0, |beat| beat.active_tasks),
        }))
    }

    /// Who was purged has no load, but may have had a line: nobody in it can go.
    async fn line_of_nobody(&self, target: WorkspaceId) -> Result<Option<Line>> {
        let entries = self.entries(target, LOOKED_AT).await?;
        let mut load = Load::new(0);
        load.gate = Gate::Closed;
        Ok((!entries.is_empty()).then_some(Line {
            load,
            entries,
            beat_at: None,
            asleep: false,
            active_tasks: 0,
        }))
    }

    pub(super) async fn offer_entry(
        &self,
        target: WorkspaceId,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<bool> {
        let load = Change::at(keys::load(target))
            .naming("gate")
            .with("open", Gate::Open)
            .count("waiting", -1)
            .count("running", 1);
        let load = if entry.slot {
            load.when(
                "attribute_exists(pk) AND #gate = :open AND size(#slots) < #max_concurrent_tasks",
            )
            .naming("max_concurrent_tasks")
            .set_entry("slots", &entry.request_id.to_string(), &entry.chain)
        } else {
            load.when("attribute_exists(pk) AND #gate = :open")
        };
        let mut writes: Vec<Write> = vec![load.into()];
        writes.extend(offer_writes(target, entry, now));
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    pub(super) async fn rest(&self, target: WorkspaceId, at: Option<Timestamp>) -> Result<()> {
        let load = Change::at(keys::load(target))
            .naming("waiting")
            .with("none", 0);
        let load = match at {
            Some(at) => load
                .when("attribute_exists(pk) AND #waiting > :none")
                .set(keys::DUE.pk, keys::due("LINE", keys::shard(target)))
                .set(keys::DUE.sk, keys::due_at(at, &target.to_string())),
            None => load
                .when("attribute_exists(pk) AND #waiting = :none")
                .remove(keys::DUE.pk)
                .remove(keys::DUE.sk),
        };
        match self.update(load).await {
            Ok(_) if at.is_none() => self.hint(target, false).await,
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// Tells heartbeats whether somebody waits: with it they nudge the line, without it the minute
    /// sweep does. It may be wrong for a while, either way.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn hint(&self, target: WorkspaceId, waiting: bool) -> Result<()> {
        let beat = Change::at(keys::beat(target)).when("attribute_exists(pk)");
        let beat = if waiting {
            beat.set("waiting", true)
        } else {
            beat.remove("waiting")
        };
        match self.update(beat).await {
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// All that wait for a workspace, in order.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn whole_line(&self, target: WorkspaceId) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut start = None;
        loop {
            let query = Page {
                partition: keys::line(target),
                oldest_first: true,
                start,
                ..Page::default()
            };
            let (items, next) = self.page(query).await?;
            for item in items {
                entries.push(read(item)?);
            }
            start = next;
            if start.is_none() {
                return Ok(entries);
            }
        }
    }

    pub(super) async fn place_in_line(&self, request: &Request) -> Result<(usize, usize)> {
        let entries = self.whole_line(request.target).await?;
        let key = request.line_key();
        let place = entries.iter().position(|entry| entry.sk == key);
        Ok((entries.len(), place.map_or(0, |place| place + 1)))
    }
}

/// The writes that open the gate of a workspace that has an address now; if somebody waits, its line
/// is looked at. Who came in line since the hint was read is found by the minute tick.
pub(crate) fn opened(id: WorkspaceId, before: &Beat, now: Timestamp) -> Vec<Write> {
    let load = Change::at(keys::load(id))
        .when("attribute_exists(pk)")
        .set("gate", Gate::Open);
    let mut writes = vec![load.into()];
    if before.waiting {
        writes.push(pending(id, &Job::OfferV1 { workspace_id: id }, now));
    }
    writes
}

//! All beats at a glance, and when a workspace was last used: what the minute sweep over all
//! workspaces reads.
//!
//! Price: beats lie in four partitions and are read eventually, so 1,000 workspaces with items of
//! 320 bytes are 40 read units a minute, $0.22 a month. An index kept current by beats would cost
//! $54. Projecting attributes saves the wire and our memory, not the units.

use domain::{Result, WorkspaceId, workspace::Status};
use jiff::Timestamp;
use serde::Deserialize;

use super::Watched;
use crate::{
    Store, TransactError,
    beats::SLEEPS_AFTER,
    expr::{Change, Item, value},
    keys::{self, SHARDS, SK},
    ops::read,
    workspaces::Parts,
};

/// What of a beat tells whether its workspace lives and works.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pulse {
    /// The workspace.
    #[serde(rename = "sk")]
    pub id: WorkspaceId,
    /// Its status.
    pub status: Status,
    /// When its agent was last heard of.
    #[serde(default, with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub beat_at: Option<Timestamp>,
    /// When it was last seen to have something to do: maybe later, never earlier.
    #[serde(default, with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub active_at: Option<Timestamp>,
    /// How many messages its agent works on.
    #[serde(default)]
    pub active_tasks: i64,
    /// After how many idle minutes it sleeps; none is never.
    #[serde(default)]
    pub sleeps_after: Option<i64>,
}

/// All pulses, as they were a moment ago.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pulses {
    /// Those of all workspaces that are not removed, in no order.
    pub all: Vec<Pulse>,
    /// Items that cannot be read: a defect of ours, which must not stop the sweep for all others.
    pub unreadable: usize,
}

/// When a workspace was last used, by all that is recorded.
#[derive(Debug, Clone)]
pub struct Use {
    /// The workspace, with load and machine.
    pub of: Watched,
    /// The last message in or out, activity, reported task or boot; at least its creation.
    pub used_at: Timestamp,
}

/// What of the load tells when a workspace was used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Messages {
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    message_at: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    last_outbound_at: Option<Timestamp>,
}

impl Store {
    /// All pulses: one query of each shard, a page for each megabyte of beats.
    ///
    /// # Errors
    /// The datastore did not answer: a part of them is none.
    pub async fn pulses(&self) -> Result<Pulses> {
        let mut pulses = Pulses::default();
        for shard in 0..SHARDS {
            let mut start: Option<Item> = None;
            loop {
                let page = self
                    .db
                    .query()
                    .table_name(&self.table)
                    .key_condition_expression("pk = :pk")
                    .expression_attribute_values(":pk", value(keys::beats(shard)))
                    .projection_expression(format!(
                        "{SK}, #status, beat_at, active_at, active_tasks, {SLEEPS_AFTER}"
                    ))
                    .expression_attribute_names("#status", "status")
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(domain::Error::unavailable)?;
                for item in page.items.into_iter().flatten() {
                    match read(item) {
                        Ok(pulse) => pulses.all.push(pulse),
                        Err(_) => pulses.unreadable += 1,
                    }
                }
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(pulses)
    }

    /// When these were last used, read consistently; those removed meanwhile are left out.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn uses(&self, ids: &[WorkspaceId]) -> Result<Vec<Use>> {
        let keys = ids.iter().flat_map(|id| Parts::WithMachine.keys(*id));
        let mut rows = self.rows(keys).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let workspace = rows.workspace(*id)?.filter(|found| found.beat.is_some());
            let Some(workspace) = workspace else {
                continue;
            };
            let Messages {
                message_at,
                last_outbound_at,
            } = rows.take(&keys::load(*id))?.unwrap_or_default();
            let active_at = workspace.beat.as_ref().and_then(|beat| beat.active_at);
            let known = [active_at, message_at, last_outbound_at];
            let used_at = known.into_iter().flatten().max();
            let created_at = workspace.meta.created_at;
            found.push(Use {
                used_at: used_at.map_or(created_at, |at| at.max(created_at)),
                of: Watched {
                    id: *id,
                    machine: rows.take(&keys::machine(*id))?,
                    workspace: Some(workspace),
                },
            });
        }
        Ok(found)
    }

    /// Notes on the hot item that a workspace was in use at this moment, if nothing later is there:
    /// until its minutes have passed, the sweep need not read more than its beat.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn note_use(&self, id: WorkspaceId, at: Timestamp) -> Result<bool> {
        let change = Change::at(keys::beat(id))
            .when("attribute_exists(pk) AND (attribute_not_exists(#active_at) OR #active_at < :active_at)")
            .set("active_at", at.as_microsecond());
        self.changed(change).await
    }

    /// Takes back the tasks that a workspace is said to work on, if they are as old as they were
    /// seen to be; false when its agent told of them again, or it is gone. No event: nothing
    /// happened, it only stopped being told.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn clear_tasks(&self, id: WorkspaceId, active_at: Option<Timestamp>) -> Result<bool> {
        let busy = "attribute_exists(pk) AND #active_tasks > :none";
        let hot = Change::at(keys::beat(id))
            .with("none", 0)
            .naming("active_at")
            .set("active_tasks", 0)
            .set("task_digest", "");
        let hot = match active_at {
            Some(at) => hot
                .when(format!("{busy} AND #active_at = :seen"))
                .with("seen", at.as_microsecond()),
            None => hot.when(format!("{busy} AND attribute_not_exists(#active_at)")),
        };
        let cold = Change::at(keys::meta(id))
            .when("attribute_exists(pk)")
            .set("current_task", "");
        match self.transact([hot.into(), cold.into()]).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

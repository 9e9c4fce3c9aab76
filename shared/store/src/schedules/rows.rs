//! Schedules and fires as stored.

use domain::{
    ScheduleId, WorkspaceId,
    schedule::{self, Draft, prompt_preview},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DUE_SLOT, new_id};
use crate::{
    expr::{Change, Item, value},
    keys::{self, DUE, Key, LOG},
};

/// How long the history keeps a run. It shows the last twenty.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Who made a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScheduleSource")]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It came with a template.
    Template,
    /// Somebody made it by the API.
    Runtime,
}

/// A schedule as stored, without its prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its name, the only one of its workspace; may be empty.
    pub name: String,
    /// When it fires.
    pub cron_expr: String,
    /// In which zone; `UTC` if nobody said.
    pub timezone: String,
    /// The beginning of its prompt.
    pub prompt_preview: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Who made it.
    pub source: Source,
    /// When its last run ended.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub last_run_at: Option<Timestamp>,
    /// The next slot; one that is not enabled keeps the last it had.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub next_run_at: Option<Timestamp>,
    /// How many runs have ended.
    #[serde(default)]
    pub run_count: i64,
    /// How the last ended: `ok`, `error`, `stale`, `skipped`; empty before.
    #[serde(default)]
    pub last_status: String,
    /// What went wrong then.
    #[serde(default)]
    pub last_error: String,
    /// How many answers in a row were empty.
    #[serde(default)]
    pub consecutive_empty_runs: i64,
    /// The slot of the fire that has not ended.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub running: Option<Timestamp>,
    /// Rises with every edit.
    pub version: i64,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub updated_at: Timestamp,
}

impl Schedule {
    /// A new one, as it was asked for.
    pub fn of(draft: &Draft, workspace: WorkspaceId, source: Source, now: Timestamp) -> Self {
        let Draft {
            name,
            cron_expr,
            timezone,
            prompt,
            enabled,
            next_run_at,
        } = draft;
        Self {
            id: new_id(),
            workspace,
            name: name.clone(),
            cron_expr: cron_expr.clone(),
            timezone: timezone.clone(),
            prompt_preview: prompt_preview(prompt),
            enabled: *enabled,
            source,
            last_run_at: None,
            next_run_at: *next_run_at,
            run_count: 0,
            last_status: String::new(),
            last_error: String::new(),
            consecutive_empty_runs: 0,
            running: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    pub(super) fn key(&self) -> Key {
        keys::schedule(self.workspace, self.id)
    }

    /// The item of a new one.
    pub(super) fn item(&self) -> Item {
        let mut item = crate::expr::item(self.key(), self);
        let mut index = |name: &str, text: String| item.insert(name.to_owned(), value(text));
        index(LOG.pk, keys::all_schedules());
        index(LOG.sk, keys::schedule_created(self.created_at, self.id));
        if let Some(at) = self.next_run_at.filter(|_| self.enabled) {
            index(DUE.pk, self.due_pk());
            index(DUE.sk, keys::due_at(at, &self.id.to_string()));
        }
        item
    }

    fn due_pk(&self) -> String {
        keys::due(DUE_SLOT, keys::shard(self.workspace))
    }

    /// Its next slot, with the entry by which a tick finds it; none takes both away.
    pub(super) fn next_slot(&self, change: Change, at: Option<Timestamp>) -> Change {
        let change = change.set_or_remove("next_run_at", at.map(Timestamp::as_microsecond));
        self.due(change, at)
    }

    /// The entry by which a tick finds it, or none.
    pub(super) fn due(&self, change: Change, at: Option<Timestamp>) -> Change {
        match at {
            Some(at) => change
                .set(DUE.pk, self.due_pk())
                .set(DUE.sk, keys::due_at(at, &self.id.to_string())),
            None => change.remove(DUE.pk).remove(DUE.sk),
        }
    }
}

/// A fire, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FireRow {
    /// Which.
    #[serde(flatten)]
    pub fire: schedule::Fire,
    /// Whose.
    pub workspace: WorkspaceId,
    /// What its schedule was called then.
    pub name: String,
    /// The expression then.
    pub cron_expr: String,
    /// The beginning of the prompt then.
    pub prompt_preview: String,
    /// When somebody took it on.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub claimed_at: Timestamp,
    /// Whether it came well after its minute, or had to wait in line.
    #[serde(default)]
    pub late: bool,
    /// When its message was accepted.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub ended_at: Option<Timestamp>,
    /// How.
    #[serde(default)]
    pub status: String,
    /// What went wrong.
    #[serde(default)]
    pub error: String,
    pub(super) expires_at: i64,
}

impl FireRow {
    pub(super) fn of(schedule: &Schedule, slot: Timestamp, now: Timestamp) -> Self {
        Self {
            fire: schedule::Fire {
                schedule_id: schedule.id,
                slot,
            },
            workspace: schedule.workspace,
            name: schedule.name.clone(),
            cron_expr: schedule.cron_expr.clone(),
            prompt_preview: schedule.prompt_preview.clone(),
            claimed_at: now,
            late: schedule::is_late(slot, now),
            sent_at: None,
            ended_at: None,
            status: String::new(),
            error: String::new(),
            expires_at: (now + KEPT).as_second(),
        }
    }

    /// Milliseconds from being claimed to the end, once it has ended; none are negative, whatever
    /// two clocks say.
    pub fn duration_ms(&self) -> Option<i64> {
        let took = self.ended_at?.duration_since(self.claimed_at);
        i64::try_from(took.as_millis()).ok().map(|took| took.max(0))
    }
}

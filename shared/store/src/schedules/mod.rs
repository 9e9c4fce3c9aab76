//! Schedules: prompts that are sent at the minutes of a cron expression (contract:
//! lifecycle-and-sweepers 6, 11.6, 12.4).
//!
//! A schedule is one small item, written at every slot; its prompt lies apart and is written when
//! somebody edits it. A *fire* is a row of its own, under its slot: written by whoever claims the slot,
//! once, and ended with the request that carries the prompt. What has ended is the history.

mod due;
mod edit;
mod end;
mod fire;

use domain::{
    Result, ScheduleId, WorkspaceId,
    schedule::{self, HISTORY},
};
pub use due::{Due, SchedulesDue};
pub use edit::{Created, Edit, Edited};
pub use fire::{Refusal, ToSend};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Store,
    expr::{Change, Item, value},
    keys::{self, DUE, Key, LOG},
    ops::read,
    queries::Page,
};

/// How long the history keeps a run. It shows the last twenty.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The kinds of entries in the `due` index.
const DUE_SLOT: &str = "SCHED";
const DUE_FIRE: &str = "FIRE";

/// A fresh id: version 4, so that the eight characters its message ids begin with are its own.
pub fn new_id() -> ScheduleId {
    ScheduleId::from_uuid(Uuid::new_v4())
}

/// Who made a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    fn key(&self) -> Key {
        keys::schedule(self.workspace, self.id)
    }

    /// The item of a new one.
    fn item(&self) -> Item {
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
    fn next_slot(&self, change: Change, at: Option<Timestamp>) -> Change {
        let change = change.set_or_remove("next_run_at", at.map(Timestamp::as_microsecond));
        self.due(change, at)
    }

    /// The entry by which a tick finds it, or none.
    fn due(&self, change: Change, at: Option<Timestamp>) -> Change {
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
    expires_at: i64,
}

impl FireRow {
    fn of(schedule: &Schedule, slot: Timestamp, now: Timestamp) -> Self {
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

    /// Milliseconds from being claimed to the end, once it has ended.
    pub fn duration_ms(&self) -> Option<i64> {
        let took = self.ended_at?.duration_since(self.claimed_at);
        i64::try_from(took.as_millis()).ok()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct PromptRow {
    prompt: String,
}

impl Store {
    /// A workspace's schedules, oldest first.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn schedules(&self, workspace: WorkspaceId) -> Result<Vec<Schedule>> {
        let mut found: Vec<Schedule> = Vec::new();
        let mut start = None;
        loop {
            let query = Page {
                partition: keys::schedules(workspace),
                oldest_first: true,
                start,
                ..Page::default()
            };
            let (items, next) = self.page(query).await?;
            for item in items {
                found.push(read(item)?);
            }
            start = next;
            if start.is_none() {
                found.sort_by_key(|schedule| (schedule.created_at, schedule.id));
                return Ok(found);
            }
        }
    }

    /// The prompts of these schedules, in their order; empty where one was deleted meanwhile.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn prompts(&self, schedules: &[Schedule]) -> Result<Vec<String>> {
        let keys = schedules.iter().map(|it| keys::schedule_prompt(it.id));
        let mut rows = self.rows(keys).await?;
        let mut found = Vec::with_capacity(schedules.len());
        for schedule in schedules {
            let row: Option<PromptRow> = rows.take(&keys::schedule_prompt(schedule.id))?;
            found.push(row.map(|row| row.prompt).unwrap_or_default());
        }
        Ok(found)
    }

    /// A schedule and its prompt, if it is there.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn schedule(
        &self,
        workspace: WorkspaceId,
        id: ScheduleId,
    ) -> Result<Option<(Schedule, String)>> {
        let (head, prompt) = (keys::schedule(workspace, id), keys::schedule_prompt(id));
        let mut rows = self.rows([head.clone(), prompt.clone()]).await?;
        let (head, prompt) = (rows.take(&head)?, rows.take::<PromptRow>(&prompt)?);
        Ok(head.zip(prompt.map(|row| row.prompt)))
    }

    /// The schedules of all workspaces, as they were a moment ago.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn all_schedules(&self) -> Result<Vec<Schedule>> {
        let all = keys::all_schedules();
        let found = self.index_keys(LOG, all, false, None).await?;
        let mut rows = self.rows_of_late(found.iter().cloned()).await?;
        found
            .iter()
            .filter_map(|key| rows.take(key).transpose())
            .collect()
    }

    /// The last runs of a schedule that have ended, newest first.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn runs(&self, id: ScheduleId, now: Timestamp) -> Result<Vec<FireRow>> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let query = Page {
                partition: keys::fires(id),
                // One that runs is passed over, and a deleted one may be left.
                limit: i32::try_from(HISTORY + 2).ok(),
                start,
                ..Page::default()
            };
            let (items, next) = self.page(query).await?;
            for item in items {
                let row: FireRow = read(item)?;
                let kept = row.ended_at.is_some() && row.expires_at > now.as_second();
                if kept && found.len() < HISTORY {
                    found.push(row);
                }
            }
            start = next;
            if start.is_none() || found.len() == HISTORY {
                return Ok(found);
            }
        }
    }
}

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
mod rows;
mod template;

use domain::{Result, ScheduleId, WorkspaceId, schedule::HISTORY};
pub use due::{Due, SchedulesDue};
pub use edit::{Created, Edit, Edited};
pub use fire::{Refusal, ToSend};
use jiff::Timestamp;
pub use rows::{FireRow, Schedule, Source};
use serde::{Deserialize, Serialize};
pub use template::Placed;
use uuid::Uuid;

use crate::{
    Store,
    keys::{self, LOG},
    ops::read,
    queries::Page,
};

/// The kinds of entries in the `due` index.
const DUE_SLOT: &str = "SCHED";
const DUE_FIRE: &str = "FIRE";

/// A fresh id: version 4, so that the eight characters its message ids begin with are its own.
pub fn new_id() -> ScheduleId {
    ScheduleId::from_uuid(Uuid::new_v4())
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

//! Making, editing and deleting schedules, and what becomes of them when their workspace goes.

use domain::{
    Result, ScheduleId, WorkspaceId,
    schedule::{MAX_SCHEDULES, prompt_preview},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{PromptRow, Schedule};
use crate::{
    Store, TransactError,
    expr::{Change, Write},
    keys::{self, DUE, LOG},
    ops::UpdateError,
};

/// Whose name it is.
#[derive(Debug, Serialize)]
struct NameRow {
    schedule: ScheduleId,
}

impl NameRow {
    fn write(schedule: &Schedule, name: &str) -> Write {
        let row = Self {
            schedule: schedule.id,
        };
        Write::put(keys::schedule_name(schedule.workspace, name), &row).if_new()
    }
}

/// What became of a new schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    Yes,
    /// Another one of the workspace has its name.
    NameTaken,
    /// The workspace has as many as it may have.
    Full,
    /// There is no such workspace.
    NoWorkspace,
}

/// What is changed of a schedule; none is kept.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Edit {
    /// Its name.
    pub name: Option<String>,
    /// When it fires.
    pub cron_expr: Option<String>,
    /// In which zone.
    pub timezone: Option<String>,
    /// What it says.
    pub prompt: Option<String>,
    /// Whether it fires.
    pub enabled: Option<bool>,
    /// The next slot, if that is to be another.
    pub next_run_at: Option<Timestamp>,
}

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// It is done.
    Yes,
    /// Another one of the workspace has that name.
    NameTaken,
    /// Somebody else edited it, or deleted it: read it again.
    Raced,
}

impl Store {
    /// Keeps a new schedule.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn create_schedule(&self, schedule: &Schedule, prompt: &str) -> Result<Created> {
        let workspace = schedule.workspace;
        let count = Change::at(keys::schedule_count(workspace))
            .when("attribute_not_exists(#schedules) OR #schedules < :most")
            .with("most", MAX_SCHEDULES)
            .count("schedules", 1);
        let prompt = PromptRow {
            prompt: prompt.to_owned(),
        };
        let writes = [
            Write::check(keys::meta(workspace))
                .when("attribute_exists(pk) AND attribute_not_exists(removed_at)"),
            NameRow::write(schedule, &schedule.name),
            count.into(),
            Write::put_item(schedule.item()).if_new(),
            Write::put(keys::schedule_prompt(schedule.id), &prompt),
        ];
        match self.transact(writes).await {
            Ok(()) => Ok(Created::Yes),
            Err(TransactError::Cancelled(why)) if why.failed(0) => Ok(Created::NoWorkspace),
            Err(TransactError::Cancelled(why)) if why.failed(1) => Ok(Created::NameTaken),
            Err(TransactError::Cancelled(why)) if why.failed(2) => Ok(Created::Full),
            Err(other) => Err(other.into_error()),
        }
    }

    /// Edits a schedule, if nobody has edited it since it was read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn edit_schedule(
        &self,
        read: &Schedule,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<Edited> {
        let Edit {
            name,
            cron_expr,
            timezone,
            prompt,
            enabled,
            next_run_at,
        } = edit;
        let mut head = Change::at(read.key())
            .naming("version")
            .when("attribute_exists(pk) AND #version = :seen")
            .with("seen", read.version)
            .count("version", 1)
            .set("updated_at", now.as_microsecond());
        for (attribute, text) in [
            ("name", name),
            ("cron_expr", cron_expr),
            ("timezone", timezone),
        ] {
            if let Some(text) = text {
                head = head.set(attribute, text);
            }
        }
        if let Some(prompt) = prompt {
            head = head.set("prompt_preview", prompt_preview(prompt));
        }
        if let Some(at) = next_run_at {
            head = head.set("next_run_at", at.as_microsecond());
        }
        if let Some(enabled) = enabled {
            head = head.set("enabled", enabled);
        }
        if next_run_at.is_some() || enabled.is_some() {
            let fires = enabled.unwrap_or(read.enabled);
            // Who stays enabled keeps the entry it has, wherever a tick moved that meanwhile.
            match (fires, next_run_at) {
                (true, Some(at)) => head = read.due(head, Some(*at)),
                (true, None) => {}
                (false, _) => head = read.due(head, None),
            }
        }
        let mut writes: Vec<Write> = vec![head.into()];
        if let Some(name) = name.as_ref().filter(|name| **name != read.name) {
            writes.push(NameRow::write(read, name));
            writes.push(Write::delete(keys::schedule_name(
                read.workspace,
                &read.name,
            )));
        }
        let name_at = 1;
        if let Some(prompt) = prompt {
            let row = PromptRow {
                prompt: prompt.clone(),
            };
            writes.push(Write::put(keys::schedule_prompt(read.id), &row));
        }
        match self.transact(writes).await {
            Ok(()) => Ok(Edited::Yes),
            Err(TransactError::Cancelled(why)) if why.failed(0) => Ok(Edited::Raced),
            Err(TransactError::Cancelled(why)) if why.failed(name_at) => Ok(Edited::NameTaken),
            Err(other) => Err(other.into_error()),
        }
    }

    /// Deletes a schedule; false when it is not as it was read any more. What runs ends without it.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn delete_schedule(&self, read: &Schedule) -> Result<bool> {
        let count = Change::at(keys::schedule_count(read.workspace))
            .when("attribute_exists(pk)")
            .count("schedules", -1);
        let writes = [
            Write::delete(read.key())
                .naming("name")
                .when("#name = :name")
                .with("name", &read.name),
            Write::delete(keys::schedule_name(read.workspace, &read.name)),
            count.into(),
            Write::delete(keys::schedule_prompt(read.id)),
        ];
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    /// Stops the schedules of a workspace that is removed. Those that a crash leaves are found by the
    /// tick, at their next slot.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub(crate) async fn stop_schedules(&self, workspace: WorkspaceId) -> Result<()> {
        for schedule in self.schedules(workspace).await? {
            let change = Change::at(schedule.key())
                .when("attribute_exists(pk)")
                .set("enabled", false)
                .remove(DUE.pk)
                .remove(DUE.sk)
                .remove(LOG.pk)
                .remove(LOG.sk);
            match self.update(change).await {
                Ok(_) | Err(UpdateError::Refused(_)) => {}
                Err(UpdateError::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes the schedules of a workspace that is purged. Their runs go with time.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub(crate) async fn purge_schedules(&self, workspace: WorkspaceId) -> Result<()> {
        for schedule in self.schedules(workspace).await? {
            self.delete(keys::schedule_prompt(schedule.id)).await?;
            self.delete(schedule.key()).await?;
        }
        self.delete_partition(keys::schedule_names(workspace)).await
    }

    /// Deletes what is left of one schedule of a workspace that was purged.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn forget_schedule(&self, schedule: &Schedule) -> Result<()> {
        self.delete(keys::schedule_prompt(schedule.id)).await?;
        self.delete(schedule.key()).await
    }
}

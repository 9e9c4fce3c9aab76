//! Schedules that come with a template (contract: lifecycle-and-sweepers 7.4): by their name they are
//! made, or changed if a template made the one that has it, and what somebody else made stays.

use domain::{Error, Result, WorkspaceId, schedule::Draft};
use jiff::Timestamp;

use super::{Created, Edit, Edited, Schedule, Source};
use crate::Store;

/// How often what met another change is decided anew.
const TRIES: usize = 5;

/// What became of a template's schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It is there, and was not before.
    Created,
    /// The one that a template made before is now as this one says; its runs and its id stay.
    Updated,
    /// Somebody made one of that name by the API: it is as it was.
    Kept,
    /// The workspace has as many as it may have.
    Full,
    /// There is no such workspace.
    NoWorkspace,
}

impl Store {
    /// Keeps a template's schedule. A new name is one transaction; one that is taken costs a query
    /// and another.
    ///
    /// # Errors
    /// The datastore did not answer, or the schedule kept changing.
    pub async fn place_schedule(
        &self,
        workspace: WorkspaceId,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Placed> {
        let new = Schedule::of(draft, workspace, Source::Template, now);
        for _ in 0..TRIES {
            match self.create_schedule(&new, &draft.prompt).await? {
                Created::Yes => return Ok(Placed::Created),
                Created::Full => return Ok(Placed::Full),
                Created::NoWorkspace => return Ok(Placed::NoWorkspace),
                Created::NameTaken => {}
            }
            let there = self.schedules(workspace).await?;
            // Deleted or renamed since: then the name is free.
            let Some(found) = there.into_iter().find(|it| it.name == draft.name) else {
                continue;
            };
            if found.source == Source::Runtime {
                return Ok(Placed::Kept);
            }
            if self.edit_schedule(&found, &edit(draft), now).await? == Edited::Yes {
                return Ok(Placed::Updated);
            }
        }
        Err(Error::unavailable("the schedule kept changing"))
    }
}

/// All that a template says of a schedule but its name.
fn edit(draft: &Draft) -> Edit {
    let Draft {
        name: _,
        cron_expr,
        timezone,
        prompt,
        enabled,
        next_run_at,
    } = draft;
    Edit {
        name: None,
        cron_expr: Some(cron_expr.clone()),
        timezone: Some(timezone.clone()),
        prompt: Some(prompt.clone()),
        enabled: Some(*enabled),
        next_run_at: *next_run_at,
    }
}

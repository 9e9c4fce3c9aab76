//! Which image each runtime was resolved to, and what follows when that changes: machines of ours
//! that run another one start anew, each while it is idle (contract: lifecycle-and-sweepers 8, 11.8).

use std::collections::BTreeMap;

use domain::{Result, WorkspaceId, job::Job, lifecycle::Host, workspace::Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Rows, Store, TransactError,
    expr::Write,
    keys,
    ledger::pending,
    workspaces::{Parts, Workspace},
};

/// How many workspaces one step looks at: their jobs and the next step's are one transaction, which
/// takes 100 writes.
const STEP: i32 = 25;

/// What a runtime's image was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The reference that was resolved, as the operator wrote it. Of another one this says nothing.
    pub from: String,
    /// The same image, named by digest.
    pub to: String,
}

/// The images of all runtimes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// Rises with every change; zero: there is no record.
    revision: u64,
    /// By runtime.
    pub resolved: BTreeMap<String, Resolved>,
}

impl Images {
    /// The image by digest that this reference was resolved to, if it was.
    pub fn pinned(&self, runtime: &str, configured: &str) -> Option<&str> {
        let found = self.resolved.get(runtime)?;
        (found.from == configured).then_some(found.to.as_str())
    }

    /// The image that a machine of this runtime is told to run.
    pub fn image<'a>(&'a self, runtime: &str, configured: &'a str) -> &'a str {
        self.pinned(runtime, configured).unwrap_or(configured)
    }
}

/// A part of the list of workspaces, and whose machines run another image than they should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outdated {
    /// Who is to start anew.
    pub ids: Vec<WorkspaceId>,
    /// Where the rest of the list begins, if there may be one.
    pub next: Option<String>,
}

/// Whether this workspace's machine is up, or boots, with another image than `image`. Whoever is
/// asleep, dead or paused is told the new one when it starts.
pub fn is_outdated(workspace: &Workspace, runtime: &str, image: &str) -> bool {
    let up = matches!(
        workspace.status(),
        Status::Provisioning | Status::Online | Status::Degraded
    );
    let machine = workspace.machine.as_ref();
    let runs = machine.and_then(|machine| machine.image.as_deref());
    up && workspace.host() == Host::Machine
        && workspace.meta.runtime == runtime
        && runs != Some(image)
}

/// Whom a job for all concerns: it only decides where it is due.
fn nobody() -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::nil())
}

impl Rows {
    /// The images of all runtimes, if they were asked for.
    ///
    /// # Errors
    /// The row is there and cannot be read.
    pub fn images(&mut self) -> Result<Images> {
        Ok(self.take(&keys::images())?.unwrap_or_default())
    }
}

impl Store {
    /// The images of all runtimes.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn images(&self) -> Result<Images> {
        self.rows([keys::images()]).await?.images()
    }

    /// Records what images were resolved to, with a job for each of `restarts`, in one transaction;
    /// false if the record is not `before` any more.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn save_images(
        &self,
        before: &Images,
        resolved: BTreeMap<String, Resolved>,
        restarts: &[&str],
        now: Timestamp,
    ) -> Result<bool> {
        let jobs = restarts.iter().map(|runtime| {
            let job = Job::RefreshAllV1 {
                runtime: (*runtime).to_owned(),
                after: None,
            };
            pending(nobody(), &job, now)
        });
        let after = Images {
            revision: before.revision + 1,
            resolved,
        };
        let row = Write::put(keys::images(), &after);
        let row = match before.revision {
            0 => row.if_new(),
            revision => row
                .when("#revision = :before")
                .naming("revision")
                .with("before", revision),
        };
        match self
            .transact([row].into_iter().chain(jobs).collect::<Vec<_>>())
            .await
        {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    /// Who among the next workspaces of the list after `after` runs another image.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn outdated(
        &self,
        runtime: &str,
        image: &str,
        after: Option<&str>,
    ) -> Result<Outdated> {
        let page = self.roster_after(after, STEP).await?;
        let keys = page
            .iter()
            .flat_map(|(id, _)| Parts::WithMachine.keys(*id))
            .collect::<Vec<_>>();
        let rows = self.rows(keys).await?;
        let mut ids = Vec::new();
        for (id, _) in &page {
            let workspace = rows.workspace(*id)?;
            if workspace.is_some_and(|it| is_outdated(&it, runtime, image)) {
                ids.push(*id);
            }
        }
        let full = page.len() == usize::try_from(STEP).unwrap_or_default();
        let last = page.into_iter().next_back().filter(|_| full);
        Ok(Outdated {
            ids,
            next: last.map(|(_, place)| place),
        })
    }

    /// A job for each of these machines, and one for the rest of the list, in one transaction. Done
    /// twice, the second job of a machine finds it with the right image.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn refresh_some(&self, runtime: &str, some: &Outdated, now: Timestamp) -> Result<()> {
        let rest = some.next.as_ref().map(|place| {
            let job = Job::RefreshAllV1 {
                runtime: runtime.to_owned(),
                after: Some(place.clone()),
            };
            pending(nobody(), &job, now)
        });
        let jobs = some.ids.iter().map(|id| refresh(*id, 0, now));
        let writes: Vec<Write> = jobs.chain(rest).collect();
        if writes.is_empty() {
            return Ok(());
        }
        let written = self.transact(writes).await;
        written.map_err(TransactError::into_error)
    }

    /// A job for this machine, that was put off for so many rounds.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn refresh_later(&self, id: WorkspaceId, round: u32, now: Timestamp) -> Result<()> {
        let written = self.transact([refresh(id, round, now)]).await;
        written.map_err(TransactError::into_error)
    }
}

fn refresh(workspace_id: WorkspaceId, round: u32, now: Timestamp) -> Write {
    let job = Job::RefreshV1 {
        workspace_id,
        round,
    };
    pending(workspace_id, &job, now)
}

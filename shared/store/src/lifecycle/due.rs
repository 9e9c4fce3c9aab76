//! Machines that somebody must look at: which, what is wished of them, and what is done about it.
//!
//! Every write here names the `due` entry that was seen, so of two sweeps at once only one acts.

use domain::{Result, WorkspaceId, job::Job, lifecycle::Wanted};
use jiff::Timestamp;

use super::{KIND, Machine, due};
use crate::{
    Store, TransactError,
    expr::Change,
    keys::{self, DUE, SHARDS},
    ledger::pending,
    workspaces::{Parts, Workspace},
};

/// Whose machines are due.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct MachinesDue {
    /// The workspaces, those due longest first.
    pub ids: Vec<WorkspaceId>,
    /// Since when the first is due.
    pub oldest: Option<Timestamp>,
    /// Whether there may be more than were asked for.
    pub more: bool,
}

/// What is recorded of a workspace and its machine.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its machine, if it has a record.
    pub machine: Option<Machine>,
    /// What else is known of it, also when it is removed; none once it is purged, or never was.
    pub workspace: Option<Workspace>,
}

impl Store {
    /// The first `limit` machines of each shard that somebody must look at by now. Costs half a read
    /// unit for each shard where there are none.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn machines_due(&self, now: Timestamp, limit: i32) -> Result<MachinesDue> {
        let (mut all, mut more) = (Vec::new(), false);
        for shard in 0..SHARDS {
            let until = keys::due_at(now, "~");
            let found = self
                .due_keys(DUE, keys::due(KIND, shard), until, limit)
                .await?;
            more |= i32::try_from(found.len()).is_ok_and(|found| found >= limit);
            all.extend(found);
        }
        all.sort_by(|(_, one), (_, other)| one.cmp(other));
        let id = |pk: &str| pk.strip_prefix("WS#")?.parse().ok();
        Ok(MachinesDue {
            oldest: all.first().and_then(|(_, at)| keys::due_time(at)),
            ids: all.iter().filter_map(|(key, _)| id(&key.pk)).collect(),
            more,
        })
    }

    /// What is recorded of these, read consistently, in this order: those of whom nothing is
    /// recorded are among the answers.
    ///
    /// # Errors
    /// The datastore did not answer; a part of an answer is none.
    pub async fn watched(&self, ids: &[WorkspaceId]) -> Result<Vec<Watched>> {
        let keys = ids.iter().flat_map(|id| Parts::WithMachine.keys(*id));
        let mut rows = self.rows(keys).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.push(Watched {
                id: *id,
                workspace: rows.workspace(*id)?,
                machine: rows.take(&keys::machine(*id))?,
            });
        }
        Ok(found)
    }

    /// Has somebody look at a machine again at this moment, or at none; false when it is not as it
    /// was `seen` any more.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn look_later(
        &self,
        id: WorkspaceId,
        seen: &Machine,
        at: Option<Timestamp>,
    ) -> Result<bool> {
        let change = unmoved(id, seen);
        let change = match at {
            Some(at) => due(change, id, at),
            None => change.remove(DUE.pk).remove(DUE.sk),
        };
        self.changed(change).await
    }

    /// Writes the job for what is wished of a machine once more, and has somebody look again at this
    /// moment; false when it is not as it was `seen` any more.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn ask_again(
        &self,
        id: WorkspaceId,
        seen: &Machine,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let generation = seen.generation;
        let job = match seen.wanted {
            Wanted::Running => Job::ProvisionV1 {
                workspace_id: id,
                generation,
            },
            Wanted::Stopped | Wanted::Gone => Job::StopV1 {
                workspace_id: id,
                generation,
            },
        };
        let change = due(unmoved(id, seen), id, at);
        match self.transact([change.into(), pending(id, &job, now)]).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

/// A change of a machine that has the generation and the entry that were seen.
fn unmoved(id: WorkspaceId, seen: &Machine) -> Change {
    let change = Change::at(keys::machine(id))
        .naming("generation")
        .with("generation", seen.generation)
        .naming(DUE.sk);
    let condition = "attribute_exists(pk) AND #generation = :generation";
    match &seen.due_at {
        Some(due_at) => change
            .when(format!("{condition} AND #due_at = :seen"))
            .with("seen", due_at),
        None => change.when(format!("{condition} AND attribute_not_exists(#due_at)")),
    }
}

//! What follows from a changed secret: machines that have it in their environment start anew
//! (contract: lifecycle-and-sweepers 4.1).

use domain::{
    Result, WorkspaceId,
    job::Job,
    lifecycle::{Host, restarts_for_secrets},
    secret::{Scope, SecretName},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Rows, Store, expr::Write, keys, ledger::pending, ops::TransactError, workspaces::Parts,
};

/// How many workspaces one step looks at: their jobs and the next step's are one transaction, which
/// takes 100 writes.
const STEP: i32 = 25;

/// How far a change of a global secret has been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// How many workspaces this step looked at.
    pub seen: usize,
    /// Those whose machines are to start anew.
    pub restarts: Vec<WorkspaceId>,
    /// Whether a job for the rest is on its way.
    pub goes_on: bool,
}

/// The jobs that follow from a change of this secret, for its transaction. Of a global one a single
/// job: those it concerns are too many for one transaction.
pub(super) fn restarts_after(scope: Scope, name: &SecretName, now: Timestamp) -> [Write; 1] {
    [match scope {
        Scope::Workspace(workspace_id) => {
            pending(workspace_id, &Job::RestartV1 { workspace_id }, now)
        }
        Scope::Global => {
            let job = Job::RestartAllV1 {
                key: name.to_string(),
                after: None,
            };
            pending(nobody(), &job, now)
        }
    }]
}

/// Whom a job for all concerns: it only decides where it is due.
fn nobody() -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::nil())
}

impl Store {
    /// Goes through the next workspaces of the list after `after`: a job for each machine of ours
    /// that has the global secret `name` in its environment, and one for the rest of the list, in
    /// one transaction. Done twice, some machines start anew twice.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn restart_some(
        &self,
        name: &SecretName,
        after: Option<&str>,
        now: Timestamp,
    ) -> Result<Reached> {
        let page = self.roster_after(after, STEP).await?;
        let wanted = page.iter().flat_map(|(id, _)| {
            let ring = keys::keyring(Scope::Workspace(*id));
            Parts::WithMachine.keys(*id).into_iter().chain([ring])
        });
        let rows = self.rows(wanted).await?;
        let mut restarts = Vec::new();
        for (id, _) in &page {
            if has_it(&rows, *id, name)? {
                restarts.push(*id);
            }
        }
        let full = page.len() == usize::try_from(STEP).unwrap_or_default();
        let next = page.last().filter(|_| full).map(|(_, place)| {
            let job = Job::RestartAllV1 {
                key: name.to_string(),
                after: Some(place.clone()),
            };
            pending(nobody(), &job, now)
        });
        let goes_on = next.is_some();
        let jobs = restarts.iter().map(|id| {
            let workspace_id = *id;
            pending(workspace_id, &Job::RestartV1 { workspace_id }, now)
        });
        let writes: Vec<Write> = jobs.chain(next).collect();
        if !writes.is_empty() {
            let written = self.transact(writes).await;
            written.map_err(TransactError::into_error)?;
        }
        Ok(Reached {
            seen: page.len(),
            restarts,
            goes_on,
        })
    }
}

/// Whether this workspace's machine has the global secret `name`. It decides again when its turn
/// comes: it may be paused by then.
fn has_it(rows: &Rows, id: WorkspaceId, name: &SecretName) -> Result<bool> {
    let Some(workspace) = rows.workspace(id)? else {
        return Ok(false);
    };
    let ring = rows.keyring(Scope::Workspace(id))?;
    let overridden = ring.is_some_and(|ring| ring.secrets().contains_key(name));
    let runs = workspace.host() == Host::Machine && restarts_for_secrets(workspace.status());
    Ok(runs && !overridden)
}

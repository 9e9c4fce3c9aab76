//! Removing a workspace: one transaction ends its status, its place in the lists, its tokens and the
//! key of its secrets, and has somebody look at its machine and at those who wait for it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Error, Result, WorkspaceId, event::Event, job::Job, secret::Scope};
use jiff::Timestamp;

use crate::{
    Store, TransactError,
    beats::TOKENS,
    events,
    expr::{Change, Write},
    keys::{self, LOG, TREE},
    ledger::{Gate, pending},
    lifecycle::{self, Machine},
};

/// How often a removal that met a change of the tokens is tried again.
const TRIES: usize = 8;

/// What became of a removal.
#[derive(Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is removed now.
    Yes,
    /// It was removed before, or never was.
    Already,
}

impl Store {
    /// Removes one workspace: the hot item goes, the cold one becomes a tombstone, its tokens
    /// and secrets die.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn remove_workspace(
        &self,
        id: WorkspaceId,
        cascade_deleted: Option<usize>,
        now: Timestamp,
    ) -> Result<Removal> {
        for _ in 0..TRIES {
            let mut rows = self.rows([keys::beat(id), keys::machine(id)]).await?;
            let machine = rows.take(&keys::machine(id))?;
            let marks = rows.item(&keys::beat(id)).and_then(|beat| beat.get(TOKENS));
            match self
                .removed(id, marks.cloned(), machine.as_ref(), cascade_deleted, now)
                .await?
            {
                Some(Removal::Yes) => {
                    // Nothing looks these up any more; a crash here leaves rows that mean nothing,
                    // secrets that no key opens, schedules that their tick stops, and requests for
                    // approval that theirs deletes.
                    tokio::try_join!(
                        self.forget_tokens(id),
                        self.delete_partition(keys::secrets(Scope::Workspace(id))),
                        self.stop_schedules(id),
                        self.delete_partition(keys::approvals(id)),
                    )?;
                    return Ok(Removal::Yes);
                }
                Some(Removal::Already) => return Ok(Removal::Already),
                // A token was minted or revoked in between, and none may outlive its workspace; or
                // something else was wished of its machine.
                None => {}
            }
        }
        Err(Error::unavailable("the workspace's tokens kept changing"))
    }

    /// One try, if the live tokens are those of `marks` and the machine is as it was read; nothing
    /// when they are not.
    async fn removed(
        &self,
        id: WorkspaceId,
        marks: Option<AttributeValue>,
        machine: Option<&Machine>,
        cascade_deleted: Option<usize>,
        now: Timestamp,
    ) -> Result<Option<Removal>> {
        let mut tokens = self.tokens(id).await?;
        // What a crash left of revoked ones has no credential.
        tokens.retain(|row| row.is_marked(marks.as_ref()));
        let tombstone = Change::at(keys::meta(id))
            .when("attribute_exists(pk) AND attribute_not_exists(#removed_at)")
            .set("removed_at", now.as_microsecond())
            .remove(TREE.pk)
            .remove(TREE.sk)
            .remove(LOG.pk)
            .remove(LOG.sk);
        let closed = Change::at(keys::load(id))
            .when("attribute_exists(pk)")
            .set("gate", Gate::Closed);
        let beat = Write::delete(keys::beat(id)).naming(TOKENS);
        let beat = match marks {
            Some(marks) => beat.when("#tokens = :marks").with_raw("marks", marks),
            None => beat.when("attribute_not_exists(#tokens)"),
        };
        let mut writes = vec![
            tombstone.into(),
            beat,
            closed.into(),
            // The only copy of the key that its secrets are encrypted with.
            Write::delete(keys::keyring(Scope::Workspace(id))),
            events::record(id, &Event::Removed { cascade_deleted }, now),
            // Whoever waits is let go by the look at the line, and not by the next minute's.
            pending(id, &Job::OfferV1 { workspace_id: id }, now),
        ];
        let machine_at = writes.len();
        writes.extend(
            machine
                .into_iter()
                .flat_map(|it| lifecycle::removed(id, it, now)),
        );
        writes.extend(tokens.iter().map(|row| Write::delete(row.credential())));
        match self.transact(writes).await {
            Ok(()) => Ok(Some(Removal::Yes)),
            Err(TransactError::Cancelled(why)) if why.failed(0) => Ok(Some(Removal::Already)),
            Err(TransactError::Cancelled(why)) if why.failed(1) || why.failed(machine_at) => {
                Ok(None)
            }
            Err(TransactError::Cancelled(_)) => Ok(Some(Removal::Already)),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

//! What was found or done about a machine, recorded if nobody has wished otherwise meanwhile.

use domain::{Result, WorkspaceId, lifecycle::Wanted};
use jiff::Timestamp;

use super::Machine;
use crate::{
    Store, TransactError,
    expr::{Change, Write},
    keys::{self, DUE},
    ops::UpdateError,
};

/// Something that was found or done about a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This one was launched for it.
    Launched {
        /// The machine.
        instance_id: String,
        /// When.
        at: Timestamp,
    },
    /// It runs, or was told to.
    Started,
    /// It has stopped, its disk kept.
    Stopped,
    /// There is none any more.
    Gone,
    /// None could be had this way: the next try has another client token.
    NextAttempt,
}

impl Store {
    /// The machine of a workspace, also of a removed one.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn machine(&self, id: WorkspaceId) -> Result<Option<Machine>> {
        let key = keys::machine(id);
        self.rows([key.clone()]).await?.take(&key)
    }

    /// Records what was found or done for a generation; false when that is over, or has another
    /// machine: whoever launched one for it must take it down again.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn found(&self, id: WorkspaceId, generation: u32, found: &Found) -> Result<bool> {
        let change = Change::at(keys::machine(id))
            .when("attribute_exists(pk) AND #generation = :generation")
            .naming("generation")
            .with("generation", generation);
        let change = match found {
            // Of two jobs for one generation the second finds it done: its machine, if it is another
            // one, must go.
            Found::Launched { instance_id, at } => change
                .when(
                    "attribute_exists(pk) AND #generation = :generation AND \
                     (attribute_not_exists(#done) OR #done < :generation OR #instance_id = :instance_id)",
                )
                .set("instance_id", instance_id)
                .set("launched_at", at.as_microsecond())
                .set("done", generation),
            Found::Started => change.set("done", generation),
            Found::Stopped => change.set("done", generation).remove(DUE.pk).remove(DUE.sk),
            Found::Gone => change
                .remove("instance_id")
                .remove("private_ip")
                .remove("launched_at"),
            Found::NextAttempt => change.count("attempt", 1),
        };
        self.changed(change).await
    }

    /// Takes the entry away by which somebody looks at a machine again; false when its generation
    /// is over.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn settled(&self, id: WorkspaceId, generation: u32) -> Result<bool> {
        let change = Change::at(keys::machine(id))
            .when("attribute_exists(pk) AND #generation = :generation")
            .naming("generation")
            .with("generation", generation)
            .remove(DUE.pk)
            .remove(DUE.sk);
        self.changed(change).await
    }

    /// Has somebody look at a machine at this moment.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn look_at_machine(
        &self,
        id: WorkspaceId,
        generation: u32,
        at: Timestamp,
    ) -> Result<bool> {
        let change = Change::at(keys::machine(id))
            .when("attribute_exists(pk) AND #generation = :generation")
            .naming("generation")
            .with("generation", generation);
        self.changed(super::due(change, id, at)).await
    }

    /// Forgets the machine of a removed workspace, once there is none; false when it is wanted.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn forget_machine(&self, id: WorkspaceId, generation: u32) -> Result<bool> {
        let gone = Write::delete(keys::machine(id))
            .when("attribute_exists(pk) AND #generation = :generation AND #wanted = :gone")
            .naming("generation")
            .naming("wanted")
            .with("generation", generation)
            .with("gone", Wanted::Gone);
        match self.transact([gone]).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    pub(super) async fn changed(&self, change: Change) -> Result<bool> {
        match self.update(change).await {
            Ok(_) => Ok(true),
            Err(UpdateError::Refused(_)) => Ok(false),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }
}

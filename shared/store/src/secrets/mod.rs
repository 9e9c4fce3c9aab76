//! Secrets: what agents' machines get as their environment, encrypted where they lie.
//!
//! A *scope* (one workspace, or all of them) has one data key, made and wrapped by KMS for that
//! scope alone. The wrapped key lies in the scope's *keyring*, beside the names of its secrets and
//! when they were written, so a list reads no ciphertext; each secret is an item of its own
//! (`cipher.rs`). A scope's keyring and secrets are one partition and change together.
//!
//! What needs KMS is a method of [`Vault`], which only the functions that may use the key have.
//! Everything else (lists, deletion) is a method of [`Store`].

mod cipher;
mod environment;
mod keyring;
mod restarts;
mod save;
mod wrap;

use domain::{
    Result, WorkspaceId,
    secret::{Scope, SecretName},
};
pub use environment::{Environment, Unreadable};
use jiff::Timestamp;
pub(crate) use keyring::unchanged;
pub use keyring::{Keyring, Written};
pub use restarts::Reached;
use restarts::restarts_after;
pub use save::{Saved, Sealed};

use crate::{
    Store, TransactError,
    expr::{Change, Write},
    keys,
};

/// The secrets, for whoever may encrypt or decrypt them.
#[derive(Debug)]
pub struct Vault {
    store: Store,
    wrapping: wrap::Wrapping,
}

impl Vault {
    /// Over this table, with data keys wrapped by the KMS key `key_id` (an id or an ARN). To make
    /// data keys takes `kms:GenerateDataKey` on it, to use those there are `kms:Decrypt`.
    pub fn new(store: Store, kms: aws_sdk_kms::Client, key_id: impl Into<String>) -> Self {
        Self {
            store,
            wrapping: wrap::Wrapping::new(kms, key_id.into()),
        }
    }
}

impl Store {
    /// Deletes a secret; false when there is none of this name. Machines that had it are started
    /// anew.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn delete_secret(
        &self,
        scope: Scope,
        name: &SecretName,
        now: Timestamp,
    ) -> Result<bool> {
        let forgotten = Change::at(keys::keyring(scope))
            .when("attribute_exists(#created.#entry)")
            .naming(keyring::CREATED)
            .remove_entry(keyring::CREATED, name.as_str())
            .remove_entry(keyring::UPDATED, name.as_str());
        let mut writes = vec![forgotten.into(), Write::delete(keys::secret(scope, name))];
        writes.extend(unchosen(scope, name));
        writes.extend(restarts_after(scope, name, now));
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(why)) if why.failed(0) => Ok(false),
            Err(other) => Err(other.into_error()),
        }
    }

    /// Forgets the model that a workspace was made with; false when it has none. Its machine is
    /// started anew.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn forget_model(&self, id: WorkspaceId, now: Timestamp) -> Result<bool> {
        let (scope, name) = (Scope::Workspace(id), SecretName::model());
        let forgotten = Change::at(keys::meta(id))
            .when("attribute_exists(#model) AND attribute_not_exists(removed_at)")
            .remove("model");
        let mut writes = vec![forgotten.into()];
        writes.extend(restarts_after(scope, &name, now));
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

/// A workspace's own model is its last choice: the one it was made with, which comes before any
/// secret, is not its choice any more once somebody sets or deletes the secret.
fn unchosen(scope: Scope, name: &SecretName) -> Option<Write> {
    let Scope::Workspace(id) = scope else {
        return None;
    };
    let change = Change::at(keys::meta(id)).when("attribute_exists(pk)");
    (*name == SecretName::model()).then(|| change.remove("model").into())
}

//! Writing secrets: encrypted, with their keyring, in one transaction.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Error, Kind, Result, WorkspaceId,
    secret::{MAX_SECRETS, Scope, SecretName, SecretValue},
};
use jiff::Timestamp;

use super::{
    Vault,
    cipher::{DataKey, VERSION},
    keyring::{CREATED, DATA_KEY, Keyring, UPDATED, blob},
    restarts::restarts_after,
    unchosen,
    wrap::NoKey,
};
use crate::{
    TransactError,
    expr::{Change, Write, key_map, value},
    keys,
};

/// How often a write that met another first one of its scope is tried again.
const TRIES: usize = 4;

/// What became of a write.
#[derive(Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is stored.
    Yes,
    /// There is no such workspace.
    Unknown,
    /// The scope has [`MAX_SECRETS`] others already.
    Full,
}

/// Secrets of a workspace that is not there yet, encrypted: a part of its creation.
#[derive(Debug, Clone)]
pub struct Sealed(pub(crate) Vec<Write>);

impl Vault {
    /// Writes a secret, new or over an old one. `known` is the scope's keyring as read before; it
    /// may be outdated.
    ///
    /// # Errors
    /// `Internal` when it cannot be encrypted; 503 when KMS or the datastore did not answer.
    pub async fn save_secret(
        &self,
        scope: Scope,
        name: &SecretName,
        value: &SecretValue,
        mut known: Option<Keyring>,
        now: Timestamp,
    ) -> Result<Saved> {
        for _ in 0..TRIES {
            let (key, keyring) = match &known {
                Some(keyring) => {
                    let key = self.wrapping.unwrap(scope, &keyring.data_key, now).await;
                    (
                        key.map_err(not_encrypted)?,
                        named(scope, keyring, name, now),
                    )
                }
                None => {
                    let made = self.wrapping.make(scope, now).await;
                    let (key, wrapped) = made.map_err(not_encrypted)?;
                    let item = Keyring::first(scope, &wrapped, [name], now);
                    (key, Write::put_item(item).if_new())
                }
            };
            let mut writes = vec![keyring, secret(scope, name, value, &key)?];
            if let Scope::Workspace(id) = scope {
                // The hot item is what removal deletes: no secret outlives its workspace.
                writes.push(Write::check(keys::beat(id)).if_there());
            }
            writes.extend(unchosen(scope, name));
            writes.extend(restarts_after(scope, name, now));
            let why = match self.store.transact(writes).await {
                Ok(()) => return Ok(Saved::Yes),
                Err(TransactError::Cancelled(why)) => why,
                Err(TransactError::Failed(error)) => return Err(error),
            };
            if matches!(scope, Scope::Workspace(_)) && why.failed(2) {
                return Ok(Saved::Unknown);
            }
            let found = why.found(0).map(Keyring::read).transpose()?;
            // The key we know is the key there is: then it was the number of secrets.
            let same = |known: &Keyring, found: &Keyring| known.data_key == found.data_key;
            match (&known, &found) {
                (Some(known), Some(found)) if same(known, found) => return Ok(Saved::Full),
                _ => known = found,
            }
        }
        Err(Error::unavailable("the keyring kept changing"))
    }

    /// The secrets of the new workspace `id`, under a data key of its own; nothing if it has none.
    ///
    /// # Errors
    /// As [`save_secret`](Self::save_secret); the sentence names a key, as the contract has it.
    pub async fn seal(
        &self,
        id: WorkspaceId,
        secrets: &BTreeMap<SecretName, SecretValue>,
        now: Timestamp,
    ) -> Result<Option<Sealed>> {
        let Some(first) = secrets.keys().next() else {
            return Ok(None);
        };
        let naming = |name: &SecretName, error: Error| match error.kind() {
            Kind::Internal => {
                let sentence = format!("failed to encrypt secret: {name}");
                Error::new(Kind::Internal, sentence).caused_by(error)
            }
            _ => error,
        };
        let scope = Scope::Workspace(id);
        let made = self.wrapping.make(scope, now).await;
        let (key, wrapped) = made.map_err(|why| naming(first, not_encrypted(why)))?;
        let keyring = Keyring::first(scope, &wrapped, secrets.keys(), now);
        let mut writes = vec![Write::put_item(keyring).if_new()];
        for (name, value) in secrets {
            let written = secret(scope, name, value, &key);
            writes.push(written.map_err(|error| naming(name, error))?);
        }
        Ok(Some(Sealed(writes)))
    }
}

/// The keyring with this name in it, if its key is still the one used and there is room.
fn named(scope: Scope, keyring: &Keyring, name: &SecretName, now: Timestamp) -> Write {
    let at = now.as_microsecond();
    Change::at(keys::keyring(scope))
        .when(
            "#data_key = :data_key AND \
             (size(#created) < :most OR attribute_exists(#created.#new_entry))",
        )
        .naming(DATA_KEY)
        .with_raw(DATA_KEY, blob(keyring.data_key.clone()))
        .with("most", MAX_SECRETS)
        .set_entry_if_absent(CREATED, name.as_str(), at)
        .set_entry(UPDATED, name.as_str(), at)
        .into()
}

/// A secret's item.
fn secret(
    scope: Scope,
    name: &SecretName,
    text: &SecretValue,
    key: &Arc<DataKey>,
) -> Result<Write> {
    let sealed = key.seal(scope, name, text.reveal());
    let sealed = sealed.map_err(|_| not_encrypted(NoKey::Refused("no cipher".to_owned())))?;
    let mut item = key_map(keys::secret(scope, name));
    item.insert("sealed".to_owned(), blob(sealed));
    item.insert("version".to_owned(), value(VERSION));
    Ok(Write::put_item(item))
}

/// The contract's sentence; what KMS said is for the log.
fn not_encrypted(why: NoKey) -> Error {
    match why {
        NoKey::Refused(code) => {
            Error::new(Kind::Internal, "failed to encrypt secret").caused_by(format!("KMS: {code}"))
        }
        NoKey::Away(error) => error,
    }
}

//! The keyring: a scope's wrapped data key, and which secrets there are.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use domain::{
    Error, Result,
    secret::{Scope, SecretName},
};
use jiff::Timestamp;

use crate::{
    Rows,
    expr::{Item, Write, key_map, value},
    keys,
};

/// The wrapped data key.
pub(super) const DATA_KEY: &str = "data_key";
/// When each secret was first written, by name: the list of the secrets there are.
pub(super) const CREATED: &str = "created";
/// When each was last written, by name.
pub(super) const UPDATED: &str = "updated";

/// A scope's keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    /// The data key as KMS wrapped it. It stays as long as the scope.
    pub(super) data_key: Vec<u8>,
    /// The secrets.
    pub(super) secrets: BTreeMap<SecretName, Written>,
}

/// When a secret was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// First.
    pub created_at: Timestamp,
    /// Last.
    pub updated_at: Timestamp,
}

impl Keyring {
    /// The secrets there are, by name.
    pub fn secrets(&self) -> &BTreeMap<SecretName, Written> {
        &self.secrets
    }

    /// From its item.
    pub(super) fn read(item: &Item) -> Result<Self> {
        let broken = || Error::internal("a keyring cannot be read");
        let data_key = bytes(item, DATA_KEY).ok_or_else(broken)?.to_vec();
        let created = times(item, CREATED).ok_or_else(broken)?;
        let updated = times(item, UPDATED).ok_or_else(broken)?;
        let secrets = created.into_iter().map(|(name, created_at)| {
            let updated_at = updated.get(&name).copied().unwrap_or(created_at);
            let written = Written {
                created_at,
                updated_at,
            };
            (name, written)
        });
        Ok(Self {
            data_key,
            secrets: secrets.collect(),
        })
    }

    /// The item of a scope's first secrets.
    pub(super) fn first<'a>(
        scope: Scope,
        data_key: &[u8],
        names: impl IntoIterator<Item = &'a SecretName>,
        now: Timestamp,
    ) -> Item {
        let times = names.into_iter();
        let times: BTreeMap<_, _> = times
            .map(|name| (name.as_str(), now.as_microsecond()))
            .collect();
        let mut item = key_map(keys::keyring(scope));
        item.insert(DATA_KEY.to_owned(), blob(data_key));
        item.insert(CREATED.to_owned(), value(&times));
        item.insert(UPDATED.to_owned(), value(&times));
        item
    }
}

impl Rows {
    /// The keyring of `scope` among these rows ([`keys::keyring`]); none before its first secret.
    ///
    /// # Errors
    /// It is there and cannot be read: a defect of ours.
    pub fn keyring(&self, scope: Scope) -> Result<Option<Keyring>> {
        let item = self.item(&keys::keyring(scope));
        item.map(Keyring::read).transpose()
    }
}

/// The check that the secrets of a scope are as they were read with these rows.
pub(crate) fn unchanged(rows: &Rows, scope: Scope) -> Write {
    let key = keys::keyring(scope);
    match rows.item(&key).and_then(|ring| ring.get(UPDATED)).cloned() {
        Some(updated) => Write::check(key)
            .when("#updated = :updated")
            .naming(UPDATED)
            .with_raw("updated", updated),
        None => Write::check(key).if_new(),
    }
}

/// Bytes as an attribute.
pub(super) fn blob(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// The bytes of an attribute.
pub(super) fn bytes<'a>(item: &'a Item, attribute: &str) -> Option<&'a [u8]> {
    let bytes = item.get(attribute)?.as_b().ok()?;
    Some(bytes.as_ref())
}

/// A map of times by name.
fn times(item: &Item, attribute: &str) -> Option<BTreeMap<SecretName, Timestamp>> {
    let times = item.get(attribute)?.as_m().ok()?;
    let time = |(name, at): (&String, &AttributeValue)| {
        let micros = at.as_n().ok()?.parse().ok()?;
        Some((
            name.parse().ok()?,
            Timestamp::from_microsecond(micros).ok()?,
        ))
    };
    times.iter().map(time).collect()
}

#[cfg(test)]
mod tests {
    use domain::WorkspaceId;

    use super::*;

    #[test]
    fn a_keyring_is_read_as_it_was_written() {
        let now = Timestamp::from_microsecond(1_234_567).expect("a time");
        let names: Vec<SecretName> = ["B", "A"].map(|it| it.parse().expect("a name")).into();
        let scope = Scope::Workspace(WorkspaceId::random());
        let item = Keyring::first(scope, b"wrapped", &names, now);
        let keyring = Keyring::read(&item).expect("a keyring");
        assert_eq!(keyring.data_key, b"wrapped");
        let sorted: Vec<_> = keyring.secrets().keys().map(SecretName::as_str).collect();
        assert_eq!(sorted, ["A", "B"]);
        let written = Written {
            created_at: now,
            updated_at: now,
        };
        assert!(keyring.secrets().values().all(|it| *it == written));
        for attribute in [DATA_KEY, CREATED, UPDATED] {
            let mut broken = item.clone();
            broken.remove(attribute);
            assert!(Keyring::read(&broken).is_err(), "without {attribute}");
        }
    }
}

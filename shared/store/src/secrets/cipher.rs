//! Encrypting one secret: AES-256-GCM under a scope's data key.
//!
//! Each secret is bound to its place: scope, workspace and name are authenticated with it, so a
//! row that was copied elsewhere does not open there.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use domain::secret::{Scope, SecretName};

/// The scheme of this module, kept beside each ciphertext. The reference's 0 (plaintext) and 1 (one
/// key for all, from the environment) never existed here, and are not read: a row that says 0 would
/// otherwise be believed whatever it holds.
pub(super) const VERSION: u32 = 2;

/// A data key, ready for use. The library clears it from memory when it is dropped.
pub(super) struct DataKey(RandomizedNonceKey);

/// Something did not encrypt or decrypt. There is no more to know: an authenticated cipher does not
/// say why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

impl DataKey {
    /// From its 32 bytes.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, Refused> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes);
        key.map(Self).map_err(|_| Refused)
    }

    /// Nonce, ciphertext and tag, in this order. The nonce is random and 96 bits: one data key is
    /// good for four billion writes of one workspace.
    pub(super) fn seal(
        &self,
        scope: Scope,
        name: &SecretName,
        plain: &str,
    ) -> Result<Vec<u8>, Refused> {
        let mut text = plain.as_bytes().to_vec();
        let aad = Aad::from(place(scope, name));
        let nonce = self.0.seal_in_place_append_tag(aad, &mut text);
        let mut sealed = nonce.map_err(|_| Refused)?.as_ref().to_vec();
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// The text that [`seal`](Self::seal) hid, if it is untouched and in its place.
    pub(super) fn open(
        &self,
        scope: Scope,
        name: &SecretName,
        sealed: &[u8],
    ) -> Result<String, Refused> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Refused)?;
        let mut text = text.to_vec();
        let aad = Aad::from(place(scope, name));
        let plain = self.0.open_in_place(nonce, aad, &mut text);
        let plain = plain.map_err(|_| Refused)?.to_vec();
        String::from_utf8(plain).map_err(|_| Refused)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// What a ciphertext is bound to (contract: lifecycle-and-sweepers 4.2). Names hold no `|`.
fn place(scope: Scope, name: &SecretName) -> String {
    match scope {
        Scope::Global => format!("global||{name}"),
        Scope::Workspace(id) => format!("workspace|{id}|{name}"),
    }
}

#[cfg(test)]
mod tests {
    use domain::WorkspaceId;

    use super::*;

    fn key(n: u8) -> DataKey {
        DataKey::new(&[n; 32]).expect("32 bytes")
    }

    fn name(text: &str) -> SecretName {
        text.parse().expect("a name")
    }

    fn own() -> Scope {
        Scope::Workspace(WorkspaceId::random())
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let (scope, sealed_as) = (own(), name("KEY"));
        let sealed = key(1).seal(scope, &sealed_as, "hunter2").expect("sealed");
        let opened = key(1).open(scope, &sealed_as, &sealed);
        assert_eq!(opened.as_deref(), Ok("hunter2"));
        for (key, scope, name) in [
            (key(2), scope, name("KEY")),
            (key(1), own(), name("KEY")),
            (key(1), Scope::Global, name("KEY")),
            (key(1), scope, name("KEY2")),
            (key(1), scope, name("key")),
        ] {
            assert_eq!(key.open(scope, &name, &sealed), Err(Refused));
        }
    }

    #[test]
    fn every_byte_is_guarded() {
        let (scope, name) = (own(), name("KEY"));
        let sealed = key(1).seal(scope, &name, "hunter2").expect("sealed");
        assert_eq!(sealed.len(), NONCE_LEN + 7 + 16);
        assert!(!sealed.windows(7).any(|bytes| bytes == b"hunter2"));
        for at in 0..sealed.len() {
            let mut touched = sealed.clone();
            touched[at] ^= 1;
            let opened = key(1).open(scope, &name, &touched);
            assert_eq!(opened, Err(Refused), "byte {at}");
        }
        for length in 0..sealed.len() {
            let opened = key(1).open(scope, &name, &sealed[..length]);
            assert_eq!(opened, Err(Refused), "{length} bytes");
        }
    }

    #[test]
    fn no_two_ciphertexts_are_alike() {
        let (key, scope, name) = (key(1), own(), name("KEY"));
        let seal = || key.seal(scope, &name, "same").expect("sealed");
        let mut all: Vec<_> = (0..100).map(|_| seal()).collect();
        all.sort_unstable();
        all.dedup_by(|a, b| a[..NONCE_LEN] == b[..NONCE_LEN]);
        assert_eq!(all.len(), 100);
    }

    #[test]
    fn a_key_has_32_bytes_and_does_not_show_them() {
        for length in [0, 16, 31, 33] {
            assert!(DataKey::new(&vec![7; length]).is_err(), "{length}");
        }
        assert_eq!(format!("{:?}", key(7)), "DataKey(…)");
    }
}

//! Data keys and KMS: it makes them, wraps them, and unwraps them for who may.
//!
//! One data key per scope. Its plaintext is kept in memory for minutes: a start of many workspaces
//! asks KMS once for the global key, not once for each.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::DataKeySpec,
};
use domain::{Error, secret::Scope};
use jiff::{SignedDuration, Timestamp};

use super::cipher::DataKey;

/// How long an unwrapped key is used without asking KMS again: so long a permission that was taken
/// away may still work.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// How many unwrapped keys are kept at most.
const MOST: usize = 256;

/// A key is found by its scope too: KMS checked its context for that scope only.
type Known = HashMap<(Scope, Vec<u8>), (Arc<DataKey>, Timestamp)>;

/// The KMS key, and the data keys it has lately unwrapped.
#[derive(Debug)]
pub(super) struct Wrapping {
    kms: Client,
    key_id: String,
    known: Mutex<Known>,
}

/// Why there is no data key.
#[derive(Debug)]
pub(super) enum NoKey {
    /// KMS says no, and will say so again: another context, another key, no permission, disabled.
    /// Its code, which names no data.
    Refused(String),
    /// KMS did not answer: trying again may help.
    Away(Error),
}

impl Wrapping {
    pub(super) fn new(kms: Client, key_id: String) -> Self {
        Self {
            kms,
            key_id,
            known: Mutex::default(),
        }
    }

    /// A new data key of `scope`, and how KMS wrapped it.
    pub(super) async fn make(
        &self,
        scope: Scope,
        now: Timestamp,
    ) -> Result<(Arc<DataKey>, Vec<u8>), NoKey> {
        let (name, value) = context(scope);
        let made = self
            .kms
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(name, value)
            .send()
            .await
            .map_err(no_key)?;
        let wrapped = made.ciphertext_blob.map(Blob::into_inner);
        let wrapped = wrapped.ok_or_else(|| NoKey::Refused("no ciphertext".to_owned()))?;
        let key = self.keep(scope, &wrapped, made.plaintext, now)?;
        Ok((key, wrapped))
    }

    /// The data key of `scope` that was wrapped as `wrapped`.
    pub(super) async fn unwrap(
        &self,
        scope: Scope,
        wrapped: &[u8],
        now: Timestamp,
    ) -> Result<Arc<DataKey>, NoKey> {
        if let Some(key) = self.lately(scope, wrapped, now) {
            return Ok(key);
        }
        let (name, value) = context(scope);
        let unwrapped = self
            .kms
            .decrypt()
            // Else KMS takes any key that the ciphertext names and we may use.
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(wrapped))
            .encryption_context(name, value)
            .send()
            .await
            .map_err(no_key)?;
        self.keep(scope, wrapped, unwrapped.plaintext, now)
    }

    fn lately(&self, scope: Scope, wrapped: &[u8], now: Timestamp) -> Option<Arc<DataKey>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, since) = known.get(&(scope, wrapped.to_vec()))?;
        (now.duration_since(*since) < KEPT).then(|| Arc::clone(key))
    }

    fn keep(
        &self,
        scope: Scope,
        wrapped: &[u8],
        plaintext: Option<Blob>,
        now: Timestamp,
    ) -> Result<Arc<DataKey>, NoKey> {
        let key = plaintext.and_then(|bytes| DataKey::new(bytes.as_ref()).ok());
        let key = key.ok_or_else(|| NoKey::Refused("no key of 32 bytes".to_owned()))?;
        let key = Arc::new(key);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, since)| now.duration_since(*since) < KEPT);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert((scope, wrapped.to_vec()), (Arc::clone(&key), now));
        Ok(key)
    }
}

/// What KMS binds a data key to: it unwraps it for the same context only (decision 29).
fn context(scope: Scope) -> (&'static str, String) {
    match scope {
        Scope::Global => ("scope", "global".to_owned()),
        Scope::Workspace(id) => ("workspace_id", id.to_string()),
    }
}

fn no_key<E, R>(error: SdkError<E, R>) -> NoKey
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        Some(code) if is_final(code) => NoKey::Refused(code.to_owned()),
        _ => NoKey::Away(Error::unavailable(error)),
    }
}

/// Whether trying again is no use. What is not listed counts as passing: a caller who tries again
/// in vain loses less than one who is told that its secrets are broken.
fn is_final(code: &str) -> bool {
    matches!(
        code,
        "AccessDeniedException"
            | "DisabledException"
            | "IncorrectKeyException"
            | "InvalidCiphertextException"
            | "InvalidKeyUsageException"
            | "KMSInvalidStateException"
            | "NotFoundException"
            | "ValidationException"
    )
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::config::{BehaviorVersion, Config};
    use domain::WorkspaceId;

    use super::*;

    fn wrapping() -> Wrapping {
        let config = Config::builder().behavior_version(BehaviorVersion::latest());
        Wrapping::new(Client::from_conf(config.build()), "key".to_owned())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn no_two_scopes_have_one_context() {
        let id = WorkspaceId::random();
        assert_eq!(context(Scope::Global), ("scope", "global".to_owned()));
        let (name, value) = context(Scope::Workspace(id));
        assert_eq!((name, value), ("workspace_id", id.to_string()));
    }

    #[test]
    fn a_key_is_known_for_minutes_and_for_its_scope_only() {
        let (wrapping, id) = (wrapping(), WorkspaceId::random());
        let own = Scope::Workspace(id);
        let plain = || Some(Blob::new([7; 32]));
        wrapping
            .keep(own, b"wrapped", plain(), at(1000))
            .expect("a key");
        let known = |scope, wrapped: &[u8], second| {
            let key = wrapping.lately(scope, wrapped, at(second));
            key.is_some()
        };
        assert!(known(own, b"wrapped", 1000) && known(own, b"wrapped", 1299));
        assert!(!known(own, b"wrapped", 1300));
        assert!(!known(own, b"other", 1000));
        assert!(!known(Scope::Global, b"wrapped", 1000));
        let stranger = Scope::Workspace(WorkspaceId::random());
        assert!(!known(stranger, b"wrapped", 1000));
        // What is outdated goes, and the memory is bounded.
        wrapping
            .keep(own, b"newer", plain(), at(1400))
            .expect("a key");
        assert_eq!(wrapping.known.lock().expect("lock").len(), 1);
        for n in 0..2 * MOST {
            let wrapped = n.to_string();
            wrapping
                .keep(own, wrapped.as_bytes(), plain(), at(1400))
                .expect("a key");
        }
        assert!(wrapping.known.lock().expect("lock").len() <= MOST);
        assert!(!format!("{wrapping:?}").contains("[7, 7"));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for plain in [None, Some(Blob::new([7; 31]))] {
            let kept = wrapping().keep(Scope::Global, b"w", plain, at(0));
            assert!(matches!(kept, Err(NoKey::Refused(_))));
        }
    }
}

//! Reading secrets: the environment of a workspace, whole or not at all.

use std::{collections::BTreeMap, fmt};

use domain::{
    Error, Result, WorkspaceId,
    secret::{Scope, SecretName, SecretValue},
};
use jiff::Timestamp;

use super::{Keyring, Vault, cipher::VERSION, keyring::bytes, wrap::NoKey};
use crate::{Rows, expr::Item, keys};

/// What a workspace's machine gets.
#[derive(Debug)]
pub enum Environment {
    /// Global secrets, overridden by the workspace's own (contract: lifecycle-and-sweepers 9.3,
    /// steps 1 and 2).
    Whole(BTreeMap<SecretName, SecretValue>),
    /// Some do not decrypt. A part of an environment is worse than none: a machine would start and
    /// fail somewhere else.
    Broken(Unreadable),
}

/// Which secrets do not decrypt, and why as far as that is known. It can be logged as it is:
/// names and codes, no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    keys: Vec<(Scope, SecretName)>,
    codes: Vec<String>,
}

impl Unreadable {
    /// The secrets as the wire names them: `global:KEY`, `workspace:KEY`; global ones first, each
    /// scope by name.
    pub fn failed_keys(&self) -> Vec<String> {
        let keys = self.keys.iter();
        keys.map(|(scope, name)| format!("{}:{name}", scope.name()))
            .collect()
    }

    /// What a workspace that cannot be provisioned for this says (contract:
    /// lifecycle-and-sweepers 9.4).
    pub fn sentence(&self) -> &'static str {
        match self.keys.first() {
            Some((Scope::Global, _)) => "failed to decrypt global secret",
            _ => "failed to decrypt workspace secret",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot decrypt {}", self.failed_keys().join(", "))?;
        for code in &self.codes {
            write!(f, "; KMS: {code}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Unreadable {}

impl Vault {
    /// The environment of a workspace: two reads, and two calls to KMS at most. A workspace that
    /// is not there has that of all others.
    ///
    /// # Errors
    /// 503 when KMS or the datastore did not answer: trying again may help.
    pub async fn environment(&self, id: WorkspaceId, now: Timestamp) -> Result<Environment> {
        let scopes = [Scope::Global, Scope::Workspace(id)];
        let rows = self.store.rows(scopes.map(keys::keyring)).await?;
        self.environment_in(id, &rows, now).await
    }

    /// [`environment`](Self::environment), where the keyrings of both scopes were read already.
    ///
    /// # Errors
    /// As there.
    pub async fn environment_in(
        &self,
        id: WorkspaceId,
        keyrings: &Rows,
        now: Timestamp,
    ) -> Result<Environment> {
        let mut rings = Vec::new();
        // In this order: the workspace's own override.
        for scope in [Scope::Global, Scope::Workspace(id)] {
            let ring = keyrings.keyring(scope)?;
            rings.extend(
                ring.filter(|it| !it.secrets.is_empty())
                    .map(|it| (scope, it)),
            );
        }
        let mut wanted = Vec::new();
        for (scope, ring) in &rings {
            wanted.extend(ring.secrets.keys().map(|name| keys::secret(*scope, name)));
        }
        let rows = self.store.rows(wanted).await?;

        let mut whole = BTreeMap::new();
        let mut broken = Unreadable {
            keys: Vec::new(),
            codes: Vec::new(),
        };
        for (scope, ring) in &rings {
            match self.opened(*scope, ring, &rows, now).await? {
                Ok(all) => whole.extend(all),
                Err(why) => {
                    broken.keys.extend(why.keys);
                    broken.codes.extend(why.codes);
                }
            }
        }
        if broken.keys.is_empty() {
            Ok(Environment::Whole(whole))
        } else {
            Ok(Environment::Broken(broken))
        }
    }

    /// One secret of a scope whose keyring was read; none if it has none of this name.
    ///
    /// # Errors
    /// `Internal` when it does not decrypt; 503 when KMS or the datastore did not answer.
    pub async fn secret(
        &self,
        scope: Scope,
        name: &SecretName,
        ring: Option<&Keyring>,
        now: Timestamp,
    ) -> Result<Option<SecretValue>> {
        let Some((ring, written)) = ring.and_then(|ring| Some((ring, ring.secrets.get(name)?)))
        else {
            return Ok(None);
        };
        let rows = self.store.rows([keys::secret(scope, name)]).await?;
        let alone = Keyring {
            data_key: ring.data_key.clone(),
            secrets: BTreeMap::from([(name.clone(), *written)]),
        };
        match self.opened(scope, &alone, &rows, now).await? {
            Ok(mut all) => Ok(all.remove(name)),
            Err(why) => Err(Error::internal(why)),
        }
    }

    /// All secrets of one scope.
    async fn opened(
        &self,
        scope: Scope,
        ring: &Keyring,
        rows: &Rows,
        now: Timestamp,
    ) -> Result<Result<BTreeMap<SecretName, SecretValue>, Unreadable>> {
        let unreadable = |keys: Vec<&SecretName>, codes| Unreadable {
            keys: keys.into_iter().map(|name| (scope, name.clone())).collect(),
            codes,
        };
        let key = match self.wrapping.unwrap(scope, &ring.data_key, now).await {
            Ok(key) => key,
            Err(NoKey::Refused(code)) => {
                let all = ring.secrets.keys().collect();
                return Ok(Err(unreadable(all, vec![code])));
            }
            Err(NoKey::Away(error)) => return Err(error),
        };
        let (mut all, mut failed) = (BTreeMap::new(), Vec::new());
        for name in ring.secrets.keys() {
            // One that is not there was deleted since the keyring was read.
            let Some(item) = rows.item(&keys::secret(scope, name)) else {
                continue;
            };
            let text = sealed(item).and_then(|sealed| key.open(scope, name, sealed).ok());
            match text {
                Some(text) => {
                    all.insert(name.clone(), SecretValue::new(text));
                }
                None => failed.push(name),
            }
        }
        if failed.is_empty() {
            Ok(Ok(all))
        } else {
            Ok(Err(unreadable(failed, Vec::new())))
        }
    }
}

/// The ciphertext of a secret's item, if it is of the one version there is.
fn sealed(item: &Item) -> Option<&[u8]> {
    let version = item.get("version")?.as_n().ok()?;
    (*version == VERSION.to_string())
        .then(|| bytes(item, "sealed"))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_decrypt_is_named_and_nothing_more() {
        let name = |text: &str| text.parse::<SecretName>().expect("a name");
        let own = Scope::Workspace(WorkspaceId::random());
        let both = Unreadable {
            keys: vec![(Scope::Global, name("A")), (own, name("B"))],
            codes: vec!["InvalidCiphertextException".to_owned()],
        };
        assert_eq!(both.failed_keys(), ["global:A", "workspace:B"]);
        assert_eq!(both.sentence(), "failed to decrypt global secret");
        assert_eq!(
            both.to_string(),
            "cannot decrypt global:A, workspace:B; KMS: InvalidCiphertextException"
        );
        let one = Unreadable {
            keys: vec![(own, name("B"))],
            codes: Vec::new(),
        };
        assert_eq!(one.sentence(), "failed to decrypt workspace secret");
    }
}

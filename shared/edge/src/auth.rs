//! Who calls, and what that lets them do.
//!
//! A [`Caller`] is a claim: a bearer and the workspace it says it is. It becomes an [`Identity`]
//! when a credential that the store returned is held against it. The rules are the contract's
//! classes (registry-and-auth 4) with its fail-open doors closed unless the mode is open
//! development; each rule is a pure function, and each looks the credential up at most once.

use std::sync::{Arc, OnceLock};

use domain::{Error, Mode, Result, WorkspaceId, token, token::TokenHash};
use store::{
    Rows,
    keys::{self, Key},
    tokens::Credential,
};
use subtle::ConstantTimeEq as _;

use crate::App;

/// What an `Authorization` header holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Nothing usable.
    None,
    /// The admin token.
    Admin,
    /// Some token: who it belongs to is for the store to say.
    Token(TokenHash),
}

/// Who a request says it is from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What it presents.
    pub bearer: Bearer,
    /// `X-Workspace-ID`, as sent; blank is none.
    pub workspace: Option<String>,
    /// What the store said of its token, for the edge to read when it has been answered.
    seen: Arc<OnceLock<Credential>>,
}

impl Caller {
    /// From the two headers.
    pub fn of(authorization: Option<&str>, workspace: Option<&str>, admin_token: &str) -> Self {
        let bearer = match authorization.and_then(token::bearer) {
            None => Bearer::None,
            Some(text) if is_admin(text, admin_token) => Bearer::Admin,
            Some(text) => Bearer::Token(TokenHash::of(text)),
        };
        Self {
            bearer,
            workspace: workspace
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            seen: Arc::default(),
        }
    }

    /// What its token turned out to stand for, if a handler has looked it up.
    pub(crate) fn seen(&self) -> Option<&Credential> {
        self.seen.get()
    }

    fn see(&self, credential: Option<&Credential>) {
        if let Some(credential) = credential {
            // Looked up again, it is the same.
            let _ = self.seen.set(credential.clone());
        }
    }

    /// The hash to look up, if the bearer is some token.
    pub fn token(&self) -> Option<&TokenHash> {
        match &self.bearer {
            Bearer::Token(hash) => Some(hash),
            Bearer::None | Bearer::Admin => None,
        }
    }
}

fn is_admin(text: &str, admin_token: &str) -> bool {
    // Hashes have one length, so the comparison takes one time.
    !admin_token.is_empty()
        && bool::from(
            TokenHash::of(text)
                .hex()
                .as_bytes()
                .ct_eq(TokenHash::of(admin_token).hex().as_bytes()),
        )
}

/// A caller whose claim holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Open development: whoever it is.
    Anyone,
    /// The admin token.
    Admin,
    /// An organisation's token.
    Org,
    /// A workspace's own token.
    Workspace(WorkspaceId),
}

impl Identity {
    /// Whether it may do what operators do.
    pub fn is_operator(&self) -> bool {
        matches!(self, Self::Anyone | Self::Admin | Self::Org)
    }
}

/// Class `A`: operators. `credential` is what the store has for the caller's token.
///
/// # Errors
/// 401 with the contract's sentences.
pub fn admin(mode: Mode, caller: &Caller, credential: Option<&Credential>) -> Result<Identity> {
    match (caller.bearer, credential) {
        _ if mode.doors_open() => Ok(Identity::Anyone),
        (Bearer::Admin, _) => Ok(Identity::Admin),
        (Bearer::Token(_), Some(Credential::Org { .. })) => Ok(Identity::Org),
        (Bearer::Token(_), _) => Err(Error::unauthenticated("invalid admin auth token")),
        (Bearer::None, _) => Err(Error::unauthenticated("admin auth required")),
    }
}

/// Class `W`: the workspace `id` itself, or an operator. A bad bearer never falls through.
///
/// # Errors
/// 401 with the contract's sentences; a workspace that is not there and one that is somebody
/// else's look the same.
pub fn own(
    mode: Mode,
    caller: &Caller,
    id: WorkspaceId,
    credential: Option<&Credential>,
) -> Result<Identity> {
    match (caller.bearer, credential) {
        (Bearer::Admin, _) => Ok(Identity::Admin),
        (Bearer::Token(_), Some(Credential::Org { .. })) => Ok(Identity::Org),
        (Bearer::Token(_), Some(Credential::Workspace { workspace_id, .. }))
            if *workspace_id == id =>
        {
            Ok(Identity::Workspace(id))
        }
        (Bearer::Token(_), _) => Err(Error::unauthenticated("invalid workspace auth token")),
        (Bearer::None, _) if mode.doors_open() => Ok(Identity::Anyone),
        (Bearer::None, _) => Err(Error::unauthenticated("missing workspace auth token")),
    }
}

/// Class `W` of what is done to a workspace and not by it (contract: registry-and-auth, trap 19):
/// operators; the workspace `id` itself is told so by `refusal`, but in open development may.
///
/// # Errors
/// 401 as in [`own`]; 403 for the workspace itself.
pub fn operator_of(
    mode: Mode,
    caller: &Caller,
    id: WorkspaceId,
    credential: Option<&Credential>,
    refusal: &'static str,
) -> Result<Identity> {
    match own(mode, caller, id, credential)? {
        Identity::Workspace(_) if !mode.doors_open() => Err(Error::forbidden(refusal)),
        identity => Ok(identity),
    }
}

/// Class `W+`: the workspace `id` itself, and no operator. The contract lets operators in while the
/// workspace has no live token (registry-and-auth 4.8); here that door is one of open development.
///
/// # Errors
/// 401 with the contract's sentences.
pub fn itself(
    mode: Mode,
    caller: &Caller,
    id: WorkspaceId,
    credential: Option<&Credential>,
    has_tokens: bool,
) -> Result<Identity> {
    match own(mode, caller, id, credential)? {
        itself @ Identity::Workspace(_) => Ok(itself),
        operator if mode.doors_open() && !has_tokens => Ok(operator),
        _ if caller.bearer == Bearer::None => {
            Err(Error::unauthenticated("missing workspace auth token"))
        }
        _ => Err(Error::unauthenticated("invalid workspace auth token")),
    }
}

/// Any live credential of the organisation: for what the reference leaves open to everybody.
///
/// # Errors
/// 401.
pub fn anyone(mode: Mode, caller: &Caller, credential: Option<&Credential>) -> Result<Identity> {
    match (caller.bearer, credential) {
        _ if mode.doors_open() => Ok(Identity::Anyone),
        (Bearer::Admin, _) => Ok(Identity::Admin),
        (Bearer::Token(_), Some(Credential::Org { .. })) => Ok(Identity::Org),
        (Bearer::Token(_), Some(Credential::Workspace { workspace_id, .. })) => {
            Ok(Identity::Workspace(*workspace_id))
        }
        (Bearer::Token(_), None) => Err(Error::unauthenticated("invalid auth token")),
        (Bearer::None, _) => Err(Error::unauthenticated("missing auth token")),
    }
}

/// Class `D`: the workspace that looks others up. Operators' tokens do not open it.
///
/// # Errors
/// 401 with the contract's sentences.
pub fn discoverer(
    mode: Mode,
    caller: &Caller,
    id: WorkspaceId,
    credential: Option<&Credential>,
) -> Result<()> {
    match (caller.bearer, credential) {
        _ if mode.doors_open() => Ok(()),
        (Bearer::None, _) => Err(Error::unauthenticated("missing workspace auth token")),
        (_, Some(Credential::Workspace { workspace_id, .. })) if *workspace_id == id => Ok(()),
        _ => Err(Error::unauthenticated("invalid workspace auth token")),
    }
}

impl App {
    /// Reads rows together with the caller's credential: its proof costs no call of its own.
    ///
    /// # Errors
    /// 503 when the store does not answer.
    pub async fn rows(
        &self,
        caller: &Caller,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<(Rows, Option<Credential>)> {
        let credential = caller.token().map(keys::credential);
        let keys = keys.into_iter().chain(credential.clone());
        let mut rows = self.store.rows(keys).await?;
        let credential = credential.map(|key| rows.take(&key)).transpose()?.flatten();
        caller.see(credential.as_ref());
        Ok((rows, credential))
    }

    async fn credential(&self, caller: &Caller) -> Result<Option<Credential>> {
        let Some(hash) = caller.token() else {
            return Ok(None);
        };
        let credential = self.store.credential(hash).await?;
        caller.see(credential.as_ref());
        Ok(credential)
    }

    /// [`admin`], with the credential looked up: no call in open development or for the admin.
    ///
    /// # Errors
    /// 401; 503 when the store does not answer.
    pub async fn admin(&self, caller: &Caller) -> Result<Identity> {
        if self.settings.mode.doors_open() {
            return Ok(Identity::Anyone);
        }
        let credential = self.credential(caller).await?;
        admin(self.settings.mode, caller, credential.as_ref())
    }

    /// [`own`], with the credential looked up: no call without a bearer or for the admin.
    ///
    /// # Errors
    /// 401; 503 when the store does not answer.
    pub async fn own(&self, caller: &Caller, id: WorkspaceId) -> Result<Identity> {
        let credential = self.credential(caller).await?;
        own(self.settings.mode, caller, id, credential.as_ref())
    }

    /// [`operator_of`], with the credential looked up: no call without a bearer or for the admin.
    ///
    /// # Errors
    /// 401; 403 for the workspace itself; 503 when the store does not answer.
    pub async fn operator_of(
        &self,
        caller: &Caller,
        id: WorkspaceId,
        refusal: &'static str,
    ) -> Result<Identity> {
        let credential = self.credential(caller).await?;
        operator_of(self.settings.mode, caller, id, credential.as_ref(), refusal)
    }
}

#[cfg(test)]
mod tests;

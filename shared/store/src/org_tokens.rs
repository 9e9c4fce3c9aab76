//! Organisation tokens: an operator's own (contract: registry-and-auth 1.3 and 11.2).
//!
//! Kept as workspaces' are, as a credential found by hash and a row in a list; there is no item of
//! an organisation, so there are no marks.

use std::collections::HashSet;

use domain::{Result, TokenId, token::Token};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Store, TransactError,
    expr::{Change, Write},
    keys::{self, Key},
    ops::{UpdateError, read},
    queries::Page,
    tokens::Credential,
};

/// The most that a list shows.
const MOST: i32 = 500;

/// How long a use of a token stays unwritten after one was written, in microseconds.
pub const NOTE_EVERY: i64 = 60_000_000;

/// A live token's row in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrgToken {
    /// Its id. Version 7: sorts by creation.
    pub id: TokenId,
    /// The first eight characters.
    pub prefix: String,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who minted it: `admin-token`, or `org-token:` and that token's prefix.
    pub created_by: String,
    /// The organisation of the deployment that minted it, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    /// When it was minted.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub last_used_at: Option<Timestamp>,
    credential_pk: String,
}

impl OrgToken {
    /// The row of a new token.
    pub fn new(
        token: &Token,
        name: Option<String>,
        created_by: String,
        org_id: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: TokenId::from_uuid(Uuid::now_v7()),
            prefix: token.prefix().to_owned(),
            name,
            created_by,
            org_id,
            created_at: now,
            last_used_at: None,
            credential_pk: keys::credential(&token.hash()).pk,
        }
    }
}

impl Store {
    /// Makes a token live: its row and its credential, together.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn mint_org_token(&self, row: &OrgToken) -> Result<()> {
        let credential = Credential::Org {
            token_id: row.id,
            prefix: row.prefix.clone(),
        };
        let found_by = Key::new(row.credential_pk.clone(), keys::CREDENTIAL);
        let writes = [
            Write::put(found_by, &credential).if_new(),
            Write::put(keys::org_token(row.id), row).if_new(),
        ];
        let written = self.transact(writes).await;
        written.map_err(TransactError::into_error)
    }

    /// The live tokens, newest first, at most 500.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn org_tokens(&self) -> Result<Vec<OrgToken>> {
        let query = Page {
            partition: keys::ORG_TOKENS.to_owned(),
            limit: Some(MOST),
            ..Page::default()
        };
        let (items, _) = self.page(query).await?;
        items.into_iter().map(read).collect()
    }

    /// Which of these tokens are live.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn live_org_tokens(&self, ids: &[TokenId]) -> Result<HashSet<TokenId>> {
        let rows = self.rows(ids.iter().map(|id| keys::org_token(*id))).await?;
        let live = ids.iter().copied();
        Ok(live
            .filter(|id| rows.item(&keys::org_token(*id)).is_some())
            .collect())
    }

    /// Revokes a token at once; false when it is not a live one.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn revoke_org_token(&self, id: TokenId) -> Result<bool> {
        let key = keys::org_token(id);
        let Some(row) = self.rows([key.clone()]).await?.take::<OrgToken>(&key)? else {
            return Ok(false);
        };
        let writes = [
            Write::delete(key).if_there(),
            Write::delete(Key::new(row.credential_pk, keys::CREDENTIAL)),
        ];
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    /// Writes that a token is used now, unless that was written within the last minute or the token
    /// was revoked meanwhile. One write unit.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn note_token_use(&self, credential: &Credential, now: Timestamp) -> Result<()> {
        let key = match credential {
            Credential::Workspace {
                workspace_id,
                token_id,
            } => keys::token(*workspace_id, *token_id),
            Credential::Org { token_id, .. } => keys::org_token(*token_id),
        };
        let change = Change::at(key)
            .when(
                "attribute_exists(pk) AND \
                 (attribute_not_exists(#last_used_at) OR #last_used_at <= :since)",
            )
            .with("since", now.as_microsecond() - NOTE_EVERY)
            .set("last_used_at", now.as_microsecond());
        match self.update(change).await {
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }
}

//! Tokens: minted once in clear, kept as hashes, found by hash.
//!
//! A live token is three facts, changed together: its credential (found by hash), its row in the
//! workspace's list, and its mark on the hot item. Revoking takes away all three.

use std::collections::HashSet;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use domain::{
    Error, Result, TokenId, WorkspaceId,
    token::{MAX_LIVE_TOKENS, Token, TokenHash},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Rows, Store, TransactError,
    beats::{Beat, TOKENS, mark_set},
    expr::{Change, Write},
    keys::{self, Key},
    ops::read,
    queries::Page,
};

/// What a presented token stands for. While it is stored, it is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Credential {
    /// A workspace's own token.
    Workspace {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// The token's id.
        token_id: TokenId,
    },
    /// An organisation's token: an operator.
    Org {
        /// The token's id.
        token_id: TokenId,
        /// Its first eight characters, for provenance.
        prefix: String,
    },
}

/// A token's row in its workspace's list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its id. Version 7: sorts by creation.
    pub id: TokenId,
    /// The first eight characters.
    pub prefix: String,
    /// When it was minted.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub created_at: Timestamp,
    /// When a use was last noted; heartbeats are not, see [`TokenRow::used_at`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub last_used_at: Option<Timestamp>,
    credential_pk: String,
    #[serde(with = "mark_text")]
    mark: [u8; 12],
}

/// A mark as text: the list's rows are not hot, and text reads well in the console.
mod mark_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(mark: &[u8; 12], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&uuid_like(mark))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 12], D::Error> {
        let text = String::deserialize(from)?;
        let number = u128::from_str_radix(&text, 16).map_err(D::Error::custom)?;
        let mut mark = [0; 12];
        mark.copy_from_slice(&number.to_be_bytes()[4..]);
        Ok(mark)
    }

    fn uuid_like(mark: &[u8; 12]) -> String {
        mark.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A mark as text that may not be there.
pub(crate) mod optional_mark {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "super::mark_text")] [u8; 12]);

    pub(crate) fn serialize<S: Serializer>(
        mark: &Option<[u8; 12]>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        mark.map(Text).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<[u8; 12]>, D::Error> {
        let text = Option::<Text>::deserialize(from)?;
        Ok(text.map(|text| text.0))
    }
}

/// The marks of a workspace's live tokens, out of rows read with its beat.
pub fn marks(rows: &Rows, workspace: WorkspaceId) -> HashSet<[u8; 12]> {
    let marks = rows.item(&keys::beat(workspace));
    let marks = marks.and_then(|beat| beat.get(TOKENS)?.as_bs().ok());
    let marks = marks.into_iter().flatten();
    marks
        .filter_map(|mark| mark.as_ref().try_into().ok())
        .collect()
}

/// A new token, from the operating system's randomness.
///
/// # Errors
/// The operating system has none: nothing can be done here.
pub fn fresh() -> Result<Token> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Token::from_entropy(bytes))
}

/// The credential and the list row of a new token. Its mark goes on the hot item with whatever
/// else the transaction changes there.
pub(crate) fn rows(workspace: WorkspaceId, token: &Token, now: Timestamp) -> [Write; 2] {
    let id = TokenId::from_uuid(Uuid::now_v7());
    let credential = Credential::Workspace {
        workspace_id: workspace,
        token_id: id,
    };
    let key = keys::credential(&token.hash());
    let row = TokenRow {
        id,
        prefix: token.prefix().to_owned(),
        created_at: now,
        last_used_at: None,
        credential_pk: key.pk.clone(),
        mark: token.hash().mark(),
    };
    [
        Write::put(key, &credential).if_new(),
        Write::put(keys::token(workspace, id), &row),
    ]
}

/// What became of a mint.
#[derive(Debug, PartialEq, Eq)]
pub enum Minted {
    /// The token is live.
    Live,
    /// The workspace has as many as it may.
    Full,
    /// There is no such workspace.
    Unknown,
}

impl Store {
    /// What the token with this hash stands for; none when it is unknown or revoked.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn credential(&self, hash: &TokenHash) -> Result<Option<Credential>> {
        let key = keys::credential(hash);
        self.rows([key.clone()]).await?.take(&key)
    }

    /// Makes `token` live for `workspace`, unless it has [`MAX_LIVE_TOKENS`] already.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn mint_token(
        &self,
        workspace: WorkspaceId,
        token: &Token,
        now: Timestamp,
    ) -> Result<Minted> {
        let mark = Change::at(keys::beat(workspace))
            .when(
                "attribute_exists(pk) AND (attribute_not_exists(#tokens) OR size(#tokens) < :most)",
            )
            .with("most", MAX_LIVE_TOKENS)
            .add(TOKENS, mark_set(&token.hash()));
        let [credential, row] = rows(workspace, token, now);
        match self.transact([mark.into(), credential, row]).await {
            Ok(()) => Ok(Minted::Live),
            Err(TransactError::Cancelled(why)) if why.found(0).is_some() => Ok(Minted::Full),
            Err(TransactError::Cancelled(why)) if why.failed(0) => Ok(Minted::Unknown),
            Err(other) => Err(other.into_error()),
        }
    }

    /// The live tokens of a workspace, newest first (at most [`MAX_LIVE_TOKENS`]).
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn tokens(&self, workspace: WorkspaceId) -> Result<Vec<TokenRow>> {
        let query = Page {
            partition: keys::tokens(workspace),
            ..Page::default()
        };
        let (items, _) = self.page(query).await?;
        items.into_iter().map(read).collect()
    }

    /// Revokes a token at once; false when it is not a live token of this workspace.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn revoke_token(&self, workspace: WorkspaceId, id: TokenId) -> Result<bool> {
        let key = keys::token(workspace, id);
        let Some(row) = self.rows([key.clone()]).await?.take::<TokenRow>(&key)? else {
            return Ok(false);
        };
        let mark = AttributeValue::Bs(vec![Blob::new(row.mark)]);
        let unmark = Change::at(keys::beat(workspace))
            .when("attribute_exists(pk)")
            .take_out(TOKENS, mark);
        let writes = [
            Write::delete(key).if_there(),
            Write::delete(row.credential()),
            unmark.into(),
        ];
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

impl TokenRow {
    /// Whether its mark is among those of a hot item: then the token is live.
    pub(crate) fn is_marked(&self, marks: Option<&AttributeValue>) -> bool {
        let marks = marks.and_then(|marks| marks.as_bs().ok());
        marks
            .into_iter()
            .flatten()
            .any(|mark| mark.as_ref() == self.mark)
    }

    /// Whether it is live, by rows that hold its workspace's hot item. A crash may leave rows of dead ones.
    pub fn is_live(&self, rows: &Rows, workspace: WorkspaceId) -> bool {
        let beat = rows.item(&keys::beat(workspace));
        self.is_marked(beat.and_then(|beat| beat.get(TOKENS)))
    }

    /// When it was last used: as noted, or by the workspace's last heartbeat if that was proven by it.
    pub fn used_at(&self, beat: Option<&Beat>) -> Option<Timestamp> {
        let by_beat = beat.filter(|beat| beat.is_proven_by(self.mark));
        self.last_used_at.max(by_beat.and_then(|beat| beat.beat_at))
    }

    /// The key of the credential this row belongs to.
    pub(crate) fn credential(&self) -> Key {
        Key::new(self.credential_pk.clone(), keys::CREDENTIAL)
    }
}

//! The idempotency key of a creation: the same key within a day is the same workspace.

use domain::{Result, WorkspaceId, workspace::Status};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Store, expr::Write, keys};

/// How long a key is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What a key was used for, and what was answered. Never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// The workspace that was made.
    pub workspace_id: WorkspaceId,
    /// What tells one request from another.
    pub digest: String,
    /// Whether it is on a host of the user's.
    pub external: bool,
    /// The status it began with.
    pub status: Status,
    /// What it may do in its directory.
    pub workspace_access: String,
    expires_at: i64,
}

impl Once {
    /// The row of a creation.
    pub fn new(digest: &str, meta: &super::Meta, status: Status) -> Self {
        Self {
            workspace_id: meta.id,
            digest: digest.to_owned(),
            external: meta.is_external(),
            status,
            workspace_access: meta.workspace_access.clone(),
            expires_at: (meta.created_at + KEPT).as_second(),
        }
    }

    /// The write that takes the key, if it is free.
    pub(super) fn taking(&self, key: &str, now: Timestamp) -> Write {
        Write::put(keys::created_once(key), self)
            .when("attribute_not_exists(pk) OR expires_at <= :now")
            .with("now", now.as_second())
    }
}

impl Store {
    /// What this key was used for within the last day.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn created_once(&self, key: &str, now: Timestamp) -> Result<Option<Once>> {
        let key = keys::created_once(key);
        let found: Option<Once> = self.rows([key.clone()]).await?.take(&key)?;
        Ok(found.filter(|once| once.expires_at > now.as_second()))
    }
}

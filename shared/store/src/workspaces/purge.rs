//! Deleting what is kept of removed workspaces.
//!
//! A removed workspace is in no list, so whoever purges a tree notes on its top, before anything is
//! removed, who goes with it: a call that broke off is done by the same call again.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Result, WorkspaceId, secret::Scope};
use futures_util::future::try_join_all;
use serde::Deserialize;

use crate::{
    Store, TransactError,
    expr::{Change, Write},
    keys,
    ops::{UpdateError, key_of},
    queries::Page,
};

/// Who is purged with a workspace, on its cold item.
const PURGED_WITH: &str = "purged_with";
/// How many rows are deleted at once.
const AT_ONCE: i32 = 25;

/// What of a cold item tells who is purged with it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Noted {
    purged_with: Vec<WorkspaceId>,
}

impl Store {
    /// Notes who is purged with a workspace, if that is still there: some 10,000 at most, by the size
    /// of an item.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn note_purge(&self, top: WorkspaceId, below: &[WorkspaceId]) -> Result<()> {
        if below.is_empty() {
            return Ok(());
        }
        let ids = below.iter().map(ToString::to_string).collect();
        let noted = Change::at(keys::meta(top))
            .when("attribute_exists(pk)")
            .add(PURGED_WITH, AttributeValue::Ss(ids));
        match self.update(noted).await {
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// Who was noted to be purged with a workspace, by this call or one that broke off. Not who lives,
    /// which was moved to somewhere else before it could be removed; nor who is purged already.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn purged_with(&self, top: WorkspaceId) -> Result<Vec<WorkspaceId>> {
        let key = keys::meta(top);
        let noted: Option<Noted> = self.rows([key.clone()]).await?.take(&key)?;
        let mut ids = noted.unwrap_or_default().purged_with;
        let metas = ids.iter().map(|id| keys::meta(*id));
        let metas = self.rows(metas).await?;
        ids.retain(|id| {
            let meta = metas.item(&keys::meta(*id));
            meta.is_some_and(|meta| meta.contains_key("removed_at"))
        });
        Ok(ids)
    }

    /// Deletes everything kept of a removed workspace but its events, its cold item last.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn purge_workspace(&self, id: WorkspaceId) -> Result<()> {
        self.forget_tokens(id).await?;
        self.delete_partition(keys::secrets(Scope::Workspace(id)))
            .await?;
        self.delete_partition(keys::activities(id)).await?;
        self.delete_partition(keys::approvals(id)).await?;
        self.purge_schedules(id).await?;
        self.delete_partition(keys::usages(id)).await?;
        self.delete(keys::chat_mark(id)).await?;
        // Those that still run or wait keep their books, and the machine its record, until they are
        // gone: else nobody would see to them.
        let idle = Write::delete(keys::load(id))
            .when("attribute_not_exists(pk) OR (#waiting = :none AND #running = :none)")
            .naming("waiting")
            .naming("running")
            .with("none", 0);
        match self.transact([idle]).await {
            Ok(()) | Err(TransactError::Cancelled(_)) => {}
            Err(TransactError::Failed(error)) => return Err(error),
        }
        self.delete(keys::card(id)).await?;
        self.delete(keys::meta(id)).await
    }

    /// Deletes the list of tokens that are dead already.
    pub(crate) async fn forget_tokens(&self, id: WorkspaceId) -> Result<()> {
        self.delete_partition(keys::tokens(id)).await
    }

    pub(crate) async fn delete_partition(&self, partition: String) -> Result<()> {
        loop {
            let query = Page {
                partition: partition.clone(),
                limit: Some(AT_ONCE),
                ..Page::default()
            };
            let (items, _) = self.page(query).await?;
            if items.is_empty() {
                return Ok(());
            }
            let keys = items.iter().filter_map(key_of);
            try_join_all(keys.map(|key| self.delete(key))).await?;
        }
    }
}

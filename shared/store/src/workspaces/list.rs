//! Many workspaces at once: an index names them, the rows are read in batches.

use domain::{Result, WorkspaceId, workspace::Status};

use super::{Parts, Workspace};
use crate::{
    Store,
    keys::{self, Index, Key, LOG, TREE},
};

/// The workspace a meta key belongs to.
fn workspace_of(key: &Key) -> Option<WorkspaceId> {
    key.pk.strip_prefix("WS#")?.parse().ok()
}

impl Store {
    /// All workspaces that are not removed, oldest first.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn workspaces(&self, parts: Parts) -> Result<Vec<Workspace>> {
        let ids = self.ids(LOG, keys::roster()).await?;
        self.load_workspaces(&ids, parts).await
    }

    /// The children of `parent` that are not removed, or all roots, oldest first.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn child_ids(&self, parent: Option<WorkspaceId>) -> Result<Vec<WorkspaceId>> {
        self.ids(TREE, keys::children(parent)).await
    }

    /// These workspaces in this order; those removed meanwhile are left out.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn load_workspaces(
        &self,
        ids: &[WorkspaceId],
        parts: Parts,
    ) -> Result<Vec<Workspace>> {
        let rows = self.rows(ids.iter().flat_map(|id| parts.keys(*id))).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let workspace = rows.workspace(*id)?;
            found.extend(workspace.filter(|workspace| workspace.beat.is_some()));
        }
        Ok(found)
    }

    /// All descendants that are not removed, parents before their children.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn descendant_ids(&self, of: WorkspaceId) -> Result<Vec<WorkspaceId>> {
        let mut found = Vec::new();
        let mut next = vec![of];
        while let Some(parent) = next.pop() {
            for child in self.child_ids(Some(parent)).await? {
                // An index may show a move half done; nobody is their own descendant.
                if child != of && !found.contains(&child) {
                    found.push(child);
                    next.push(child);
                }
            }
        }
        Ok(found)
    }

    /// All below `of` that are not removed, by how far below, nearest first. Below one whose status
    /// does not pass, neither it nor anybody is looked at.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn levels_below(
        &self,
        of: WorkspaceId,
        passes: impl Fn(Status) -> bool,
    ) -> Result<Vec<Vec<Workspace>>> {
        let (mut levels, mut seen, mut parents) = (Vec::new(), vec![of], vec![of]);
        loop {
            let mut children = Vec::new();
            for parent in parents {
                children.extend(self.child_ids(Some(parent)).await?);
            }
            // An index may show a move half done; nobody is their own descendant.
            children.retain(|child| !seen.contains(child));
            seen.extend(&children);
            let mut level = self.load_workspaces(&children, Parts::Core).await?;
            level.retain(|found| passes(found.status()));
            if level.is_empty() {
                return Ok(levels);
            }
            parents = level.iter().map(|found| found.meta.id).collect();
            levels.push(level);
        }
    }

    /// The next workspaces of the list after a place in it, oldest first, at most `limit`, each with
    /// its place; from the beginning without one.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn roster_after(
        &self,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(WorkspaceId, String)>> {
        // Below every place there is.
        let after = after.unwrap_or("!").to_owned();
        let found = self.keys_above(LOG, keys::roster(), after, limit).await?;
        let found = found.into_iter();
        Ok(found
            .filter_map(|(key, place)| Some((workspace_of(&key)?, place)))
            .collect())
    }

    async fn ids(&self, index: Index, partition: String) -> Result<Vec<WorkspaceId>> {
        let keys = self.index_keys(index, partition, false, None).await?;
        Ok(keys.iter().filter_map(workspace_of).collect())
    }
}

//! The store as the shelf of the flow.

use std::time::Duration;

use domain::{BodyId, Result, WorkspaceId};
use jiff::Timestamp;
use store::{Store, workspaces::Parts};

use crate::flow::{Shelf, Target};

impl Shelf for Store {
    async fn put(&self, id: BodyId, bytes: &[u8], now: Timestamp) -> Result<()> {
        self.put_body(id, bytes, now).await
    }

    async fn fetch(&self, id: BodyId, now: Timestamp) -> Result<Option<Vec<u8>>> {
        self.body(id, now).await
    }

    async fn target(&self, id: WorkspaceId) -> Result<Option<Target>> {
        let found = self.workspace(id, Parts::WithAddress).await?;
        Ok(found.and_then(|workspace| {
            let recorded = workspace.inside();
            let beat = workspace.beat?;
            Some(Target {
                name: workspace.meta.name,
                url: workspace.meta.url,
                recorded,
                idle_timeout: beat.idle_timeout.map(|s| Duration::from_secs(s.into())),
                last_sign: beat.beat_at.max(beat.active_at),
            })
        }))
    }

    async fn address(&self, id: BodyId) -> Result<String> {
        self.body_url(id).await
    }
}

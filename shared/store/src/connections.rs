//! Open WebSocket connections: who listens, so that the relay knows whom to tell.

use domain::{EventId, Result, TokenId, WorkspaceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    expr::{item, key_map},
    keys,
    ops::{read, unavailable},
    queries::Page,
};

/// How long a row lives at most: the gateway ends a connection after two hours.
const LIFE_SECONDS: i64 = 130 * 60;

/// A connection. Who has no workspace is a person, and sees everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The gateway's name for it.
    pub id: String,
    /// Who listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
    /// The mark of the workspace's token it came with: once that is revoked it is told nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::tokens::optional_mark"
    )]
    pub mark: Option<[u8; 12]>,
    /// The mark of the admin token it came with: once there is another one it is told nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::tokens::optional_mark"
    )]
    pub admin: Option<[u8; 12]>,
    /// The organisation token it came with: once that is revoked it is told nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_token: Option<TokenId>,
    /// The last event it knows, if it wants to be told what it missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<EventId>,
    /// When it was asked for; it opens a moment later.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub connected_at: Timestamp,
    expires_at: i64,
}

impl Connection {
    /// A connection that opens now.
    pub fn new(
        id: impl Into<String>,
        workspace_id: Option<WorkspaceId>,
        since: Option<EventId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            workspace_id,
            mark: None,
            admin: None,
            org_token: None,
            since,
            connected_at: now,
            expires_at: now.as_second() + LIFE_SECONDS,
        }
    }
}

impl Store {
    /// Writes down that somebody listens.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn connect(&self, connection: &Connection) -> Result<()> {
        let row = item(keys::connection(&connection.id), connection);
        let put = self.db.put_item().table_name(&self.table);
        put.set_item(Some(row)).send().await.map_err(unavailable)?;
        Ok(())
    }

    /// Forgets a connection; one that is not there is forgotten already.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn disconnect(&self, id: &str) -> Result<()> {
        let delete = self.db.delete_item().table_name(&self.table);
        let key = key_map(keys::connection(id));
        delete
            .set_key(Some(key))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Who listens: one read unit for each 20 connections or so.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn connections(&self, now: Timestamp) -> Result<Vec<Connection>> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let (items, next) = self
                .page(Page {
                    partition: keys::connections(),
                    start,
                    ..Page::default()
                })
                .await?;
            for item in items {
                let connection: Connection = read(item)?;
                if connection.expires_at > now.as_second() {
                    found.push(connection);
                }
            }
            start = next;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}

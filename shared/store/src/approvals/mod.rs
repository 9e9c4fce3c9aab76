//! Requests for approval: asked, listed, decided, and denied when nobody decides (contract:
//! a2a-notify-events 13).
//!
//! One item per request, in the `due` index while it is pending: under when it expires, so that the
//! tick finds what is late and people find what is new, over all workspaces. What has been decided is
//! in no index and stays for as long as its workspace.

mod decide;
mod due;

use domain::{
    ApprovalId, Result, WorkspaceId,
    approval::{Asked, Status, WAITS},
    event::{ApprovalEvent, Event},
};
pub use due::Expired;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Store, TransactError, beats, events,
    expr::{Write, item, value},
    keys::{self, DUE, Key, SHARDS},
    ops::read,
    queries::Page,
    workspaces::{Meta, unmoved},
};

/// How many a list shows.
pub const NEWEST: i32 = 50;
/// The kind of entries in the `due` index.
const DUE_KIND: &str = "APPROVAL";

/// A fresh id: version 7, so that lists read the newest.
pub fn new_id() -> ApprovalId {
    ApprovalId::from_uuid(Uuid::now_v7())
}

/// A request for approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// Who asks.
    pub workspace: WorkspaceId,
    /// What is to be done.
    pub action: String,
    /// Why; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For which task; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub task_id: String,
    /// What became of it.
    pub status: Status,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When that was.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub decided_at: Option<Timestamp>,
    /// When it was asked.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub created_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct Context<'a> {
    context: &'a str,
}

impl Approval {
    fn key(&self) -> Key {
        keys::approval(self.workspace, self.id)
    }

    /// From when on it is late.
    fn expires_at(&self) -> Timestamp {
        self.created_at + WAITS
    }
}

/// What became of a request that was to be made.
#[derive(Debug, PartialEq, Eq)]
pub enum Requested {
    /// It waits for a decision.
    Pending(ApprovalId),
    /// The workspace was moved or removed since it was read.
    Changed,
}

impl Store {
    /// Asks, tells of it, tells the direct parent of it, and notes that its workspace is at work: one
    /// transaction, which names the place in the tree that was read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn request_approval(
        &self,
        of: &Meta,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Requested> {
        let Asked {
            action,
            reason,
            task_id,
            context,
        } = asked.clone();
        let approval = Approval {
            id: new_id(),
            workspace: of.id,
            action,
            reason,
            task_id,
            status: Status::Pending,
            decided_by: None,
            decided_at: None,
            created_at: now,
        };
        let id = approval.id;
        let requested = ApprovalEvent::Requested {
            approval_id: id,
            action: approval.action.clone(),
            reason: approval.reason.clone(),
            task_id: approval.task_id.clone(),
        };
        let escalated = of.parent().map(|parent| {
            let event = ApprovalEvent::Escalated {
                approval_id: id,
                from: of.id,
                action: approval.action.clone(),
                reason: approval.reason.clone(),
            };
            events::record(parent, &Event::Approval(event), now)
        });
        let context = context.as_deref().map(|context| {
            let key = keys::approval_context(of.id, id);
            Write::put(key, &Context { context })
        });
        let mut row = item(approval.key(), &approval);
        let due_pk = keys::due(DUE_KIND, keys::shard(of.id));
        let due_at = keys::due_at(approval.expires_at(), &id.to_string());
        row.insert(DUE.pk.to_owned(), value(due_pk));
        row.insert(DUE.sk.to_owned(), value(due_at));
        let writes = [
            unmoved(&of.place()),
            beats::active(of.id, now),
            Write::put_item(row).if_new(),
            events::record(of.id, &Event::Approval(requested), now),
        ];
        let writes = writes.into_iter().chain(escalated).chain(context);
        match self.transact(writes).await {
            Ok(()) => Ok(Requested::Pending(id)),
            Err(TransactError::Cancelled(why)) if why.failed(0) || why.failed(1) => {
                Ok(Requested::Changed)
            }
            Err(other) => Err(other.into_error()),
        }
    }

    /// The newest 50 requests of a workspace, newest first.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn approvals(&self, workspace: WorkspaceId) -> Result<Vec<Approval>> {
        let query = Page {
            partition: keys::approvals(workspace),
            after: Some(keys::ABOVE_CONTEXTS),
            limit: Some(NEWEST),
            ..Page::default()
        };
        let (items, _) = self.page(query).await?;
        items.into_iter().map(read).collect()
    }

    /// The newest 50 pending requests of all workspaces, newest first, each with its workspace's name.
    /// Reads the newest keys of each shard and at most 100 rows.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn pending_approvals(&self) -> Result<Vec<(Approval, String)>> {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            let pending = keys::due(DUE_KIND, shard);
            found.extend(self.index_keys(DUE, pending, true, Some(NEWEST)).await?);
        }
        found.sort_by(|one, other| other.sk.cmp(&one.sk));
        found.truncate(NEWEST as usize);
        let metas = found.iter().filter_map(workspace_of).map(keys::meta);
        let mut rows = self.rows(found.iter().cloned().chain(metas)).await?;
        let mut pending = Vec::new();
        for key in found {
            let Some(approval) = rows.take::<Approval>(&key)? else {
                continue;
            };
            // The index may be behind, and a removal may not have come to its end.
            let asks = rows.workspace(approval.workspace)?.map(|it| it.meta);
            if let Some(meta) = asks.filter(|meta| meta.removed_at.is_none())
                && approval.status == Status::Pending
            {
                pending.push((approval, meta.name));
            }
        }
        Ok(pending)
    }
}

/// Whose request is under `key`.
fn workspace_of(key: &Key) -> Option<WorkspaceId> {
    key.pk.strip_prefix("APPROVALS#")?.parse().ok()
}

//! Requests that nobody decided in time.

use domain::{
    Result,
    approval::{AUTO_EXPIRED, Decision, Status},
    event::{ApprovalEvent, Event},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Approval, DUE_KIND,
    decide::{WORKSPACE_AT, writes},
};
use crate::{
    Store, TransactError, events,
    keys::{self, DUE, SHARDS},
};

/// What a look at late requests did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Expired {
    /// How many were late.
    pub found: usize,
    /// How many were denied, or deleted because their workspace is gone.
    pub changed: usize,
    /// Those that could not be written: the next look is the retry.
    pub failed: usize,
    /// For how many seconds the oldest had been late.
    pub backlog_age: i64,
    /// Whether more may be late than this looked at.
    pub unfinished: bool,
}

impl Expired {
    /// The age of what is late, if looks do not keep up; zero when all was seen to in time.
    pub fn backlog_seconds(&self) -> i64 {
        domain::time::backlog_seconds(self.backlog_age, self.unfinished || self.failed > 0)
    }
}

impl Store {
    /// Denies what nobody has decided in time, at most `limit` of each shard, the oldest first. Where
    /// nothing is late it costs half a read unit for each shard; each that is late, one transaction.
    ///
    /// # Errors
    /// The datastore did not say what is late.
    pub async fn expire_approvals(&self, now: Timestamp, limit: i32) -> Result<Expired> {
        let (mut late, mut unfinished) = (Vec::new(), false);
        for shard in 0..SHARDS {
            let until = keys::due_at(now, "~");
            let entries = self.due_keys(DUE, keys::due(DUE_KIND, shard), until, limit);
            let entries = entries.await?;
            unfinished |= i32::try_from(entries.len()).is_ok_and(|found| found >= limit);
            late.extend(entries.into_iter().map(|(key, _)| key));
        }
        let mut done = Expired {
            unfinished,
            ..Expired::default()
        };
        if late.is_empty() {
            return Ok(done);
        }
        let mut rows = self.rows(late.iter().cloned()).await?;
        for key in &late {
            // The index may be behind: only what is late by its row is.
            let Some(approval) = rows.take::<Approval>(key)? else {
                continue;
            };
            if approval.status != Status::Pending || approval.expires_at() > now {
                continue;
            }
            done.found += 1;
            let age = now.duration_since(approval.expires_at()).as_secs();
            done.backlog_age = done.backlog_age.max(age);
            match self.expire(&approval, now).await {
                Ok(changed) => done.changed += usize::from(changed),
                Err(error) => {
                    done.failed += 1;
                    tracing::warn!(approval_id = %approval.id, workspace_id = %approval.workspace,
                        error = ?error, "a request for approval did not expire");
                }
            }
        }
        Ok(done)
    }

    /// False when somebody has decided meanwhile.
    async fn expire(&self, approval: &Approval, now: Timestamp) -> Result<bool> {
        let (workspace, id) = (approval.workspace, approval.id);
        let expired = ApprovalEvent::Expired {
            approval_id: id,
            action: approval.action.clone(),
        };
        let mut all = writes(workspace, id, Decision::Denied, AUTO_EXPIRED, now);
        all.push(events::record(workspace, &Event::Approval(expired), now));
        match self.transact(all).await {
            Ok(()) => Ok(true),
            // A removal that broke off has left it.
            Err(TransactError::Cancelled(why)) if why.failed(WORKSPACE_AT) => {
                self.delete(keys::approval_context(workspace, id)).await?;
                self.delete(approval.key()).await?;
                Ok(true)
            }
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

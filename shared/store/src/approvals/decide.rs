//! The decision: the first one wins.

use domain::{
    ApprovalId, Result, WorkspaceId,
    approval::{Decision, Status},
    event::{ApprovalEvent, Event},
};
use jiff::Timestamp;

use crate::{
    Store, TransactError, events,
    expr::{Change, Write},
    keys::{self, DUE},
};

/// Where [`writes`] checks that the workspace is there.
pub(super) const WORKSPACE_AT: usize = 1;

/// The writes of a decision: the request, if it is pending; a look whether its workspace is there; what
/// is told.
pub(super) fn writes(
    workspace: WorkspaceId,
    id: ApprovalId,
    decision: Decision,
    decided_by: &str,
    now: Timestamp,
) -> Vec<Write> {
    let change = Change::at(keys::approval(workspace, id))
        .when("attribute_exists(pk) AND #status = :pending")
        .with("pending", Status::Pending)
        .set("status", decision.status())
        .set("decided_by", decided_by)
        .set("decided_at", now.as_microsecond())
        .remove(DUE.pk)
        .remove(DUE.sk);
    let said = ApprovalEvent::Said {
        approval_id: id,
        decision,
        decided_by: decided_by.to_owned(),
    };
    let decided = ApprovalEvent::Decided {
        approval_id: id,
        decision,
        decided_by: decided_by.to_owned(),
    };
    vec![
        change.into(),
        Write::check(keys::beat(workspace)).if_there(),
        events::record(workspace, &Event::Approval(said), now),
        events::record(workspace, &Event::Approval(decided), now),
    ]
}

impl Store {
    /// Decides a pending request and tells of it. False when there is none of that id, it was decided
    /// before, or its workspace is gone: then nothing is written.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn decide_approval(
        &self,
        workspace: WorkspaceId,
        id: ApprovalId,
        decision: Decision,
        decided_by: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let writes = writes(workspace, id, decision, decided_by, now);
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

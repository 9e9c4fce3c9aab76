//! What is told of requests for approval (contract: a2a-notify-events 10, 13; decision 15).

use serde_json::{Value, json};

use crate::{ApprovalId, WorkspaceId, approval::Decision};

/// One event about a request; its workspace is the one that asks, but for [`Escalated`](Self::Escalated).
#[derive(Debug, Clone, PartialEq)]
pub enum ApprovalEvent {
    /// An agent asks.
    Requested {
        /// The request.
        approval_id: ApprovalId,
        /// What is to be done.
        action: String,
        /// Why; may be empty.
        reason: String,
        /// For which task; may be empty.
        task_id: String,
    },
    /// One of its children asks: about the parent.
    Escalated {
        /// The request.
        approval_id: ApprovalId,
        /// The child.
        from: WorkspaceId,
        /// What is to be done.
        action: String,
        /// Why; may be empty.
        reason: String,
    },
    /// Somebody said yes or no, or nobody did in time. The decision is the name of the event.
    Said {
        /// The request.
        approval_id: ApprovalId,
        /// What was said.
        decision: Decision,
        /// By whom.
        decided_by: String,
    },
    /// The same under the one name that agents wait for, with the status that they look at.
    Decided {
        /// The request.
        approval_id: ApprovalId,
        /// What was said.
        decision: Decision,
        /// By whom.
        decided_by: String,
    },
    /// Nobody decided in time, which is why it was denied.
    Expired {
        /// The request.
        approval_id: ApprovalId,
        /// What was to be done.
        action: String,
    },
}

impl ApprovalEvent {
    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "APPROVAL_REQUESTED",
            Self::Escalated { .. } => "APPROVAL_ESCALATED",
            Self::Said { decision, .. } => match decision {
                Decision::Approved => "APPROVAL_APPROVED",
                Decision::Denied => "APPROVAL_DENIED",
            },
            Self::Decided { .. } => "APPROVAL_DECIDED",
            Self::Expired { .. } => "APPROVAL_EXPIRED",
        }
    }

    /// Its payload on the wire.
    pub fn payload(&self) -> Value {
        match self {
            Self::Requested {
                approval_id,
                action,
                reason,
                task_id,
            } => json!({
                "approval_id": approval_id,
                "action": action,
                "reason": reason,
                "task_id": task_id,
            }),
            Self::Escalated {
                approval_id,
                from,
                action,
                reason,
            } => json!({
                "approval_id": approval_id,
                "from_workspace_id": from,
                "action": action,
                "reason": reason,
            }),
            Self::Said {
                approval_id,
                decision,
                decided_by,
            } => json!({
                "approval_id": approval_id,
                "decision": decision,
                "decided_by": decided_by,
            }),
            Self::Decided {
                approval_id,
                decision,
                decided_by,
            } => json!({
                "approval_id": approval_id,
                "status": decision.status(),
                "decision": decision,
                "decided_by": decided_by,
            }),
            Self::Expired {
                approval_id,
                action,
            } => json!({"approval_id": approval_id, "action": action}),
        }
    }
}

//! Jobs as they travel through the queue: ids and what is past, never state. Delivered twice must
//! equal once.

use serde::{Deserialize, Serialize};

use crate::{DelegationId, RequestId, WorkspaceId, restart::Restart, schedule::Fire};

/// The queue a job travels by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// To `messages.deliver`.
    Deliveries,
    /// To `fleet.provision`.
    Provision,
    /// To `fleet.stop`.
    Stop,
    /// To `workspaces.restarts`.
    Restarts,
}

/// A job; the name carries its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job")]
pub enum Job {
    /// Deliver an offered request.
    DeliverV1 {
        /// The request.
        request_id: RequestId,
        /// The fence of the offer: an older one loses.
        fence: u32,
    },
    /// Offer what waits for this workspace, as far as it has capacity.
    OfferV1 {
        /// The workspace.
        workspace_id: WorkspaceId,
    },
    /// Bring the machine of this workspace up, if that is still wanted.
    ProvisionV1 {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// The wish: an older one loses.
        generation: u32,
    },
    /// Stop or terminate the machine of this workspace, if that is still wanted.
    StopV1 {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// The wish: an older one loses.
        generation: u32,
    },
    /// Start the machine of this workspace anew: a secret of its own has changed.
    RestartV1 {
        /// The workspace.
        workspace_id: WorkspaceId,
    },
    /// Have all machines started anew that see this global secret, some at a time.
    RestartAllV1 {
        /// The secret's name: who has one of its own sees no change.
        key: String,
        /// The place in the list of workspaces that has been reached; none at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Tell the agent of this workspace, which is back, of its restart.
    RestartContextV1 {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// The restart.
        restart: Restart,
    },
    /// Start the machine of this workspace anew, once it has nothing to do: its image has changed.
    RefreshV1 {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// How often this was put off before, counted in rounds of the queue.
        #[serde(default)]
        round: u32,
    },
    /// Have all machines of a runtime started anew that run another image, each when it is idle.
    RefreshAllV1 {
        /// The runtime.
        runtime: String,
        /// The place in the list of workspaces that has been reached; none at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Have the paths of all below this workspace, which has moved, follow it.
    SettleV1 {
        /// The workspace.
        workspace_id: WorkspaceId,
    },
    /// Send a delegation on its way.
    DelegateV1 {
        /// Who delegates.
        source: WorkspaceId,
        /// The delegation.
        delegation_id: DelegationId,
    },
    /// Send a schedule's prompt.
    FireV1 {
        /// The workspace it is for.
        workspace_id: WorkspaceId,
        /// The fire.
        #[serde(flatten)]
        fire: Fire,
    },
}

impl Job {
    /// The queue it travels by.
    pub fn queue(&self) -> Queue {
        match self {
            Self::DeliverV1 { .. }
            | Self::OfferV1 { .. }
            | Self::RestartContextV1 { .. }
            | Self::DelegateV1 { .. }
            | Self::FireV1 { .. } => Queue::Deliveries,
            Self::ProvisionV1 { .. } => Queue::Provision,
            Self::StopV1 { .. } => Queue::Stop,
            Self::RestartV1 { .. }
            | Self::RestartAllV1 { .. }
            | Self::RefreshV1 { .. }
            | Self::RefreshAllV1 { .. }
            | Self::SettleV1 { .. } => Queue::Restarts,
        }
    }
}

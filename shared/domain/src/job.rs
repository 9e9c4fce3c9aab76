//! Jobs as they travel through the queue: ids, never state. Delivered twice must equal once.

use serde::{Deserialize, Serialize};

use crate::{DelegationId, RequestId, WorkspaceId};

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
    /// Send a delegation on its way.
    DelegateV1 {
        /// Who delegates.
        source: WorkspaceId,
        /// The delegation.
        delegation_id: DelegationId,
    },
}

//! What can be done to a ledger.

use domain::{
    RequestId, WorkspaceId,
    request::{Hold, Request},
};
use jiff::Timestamp;
use store::ledger::{Ending, Entry, Gate};

/// An operation.
#[derive(Debug)]
pub(super) enum Op {
    Accept(Request, bool),
    Claim(RequestId, u32, Timestamp),
    Renew(RequestId, u32, Timestamp),
    Finish(Request, Box<Ending>, Timestamp),
    Requeue(Request, Hold, bool, Timestamp),
    Offer(WorkspaceId, Entry, Timestamp),
    LookAgain(WorkspaceId, Option<Timestamp>),
    Postpone(Request, Timestamp),
    Send,
    Gate(WorkspaceId, Gate),
    Beat(WorkspaceId, i64, Timestamp),
    Purge(WorkspaceId, Timestamp),
    Forget(WorkspaceId),
    Place(Request),
    Due(Timestamp, i32),
}

impl Op {
    /// The request it is about.
    pub(super) fn request(&self) -> Option<RequestId> {
        match self {
            Self::Claim(id, ..) | Self::Renew(id, ..) => Some(*id),
            Self::Accept(seen, _)
            | Self::Finish(seen, ..)
            | Self::Requeue(seen, ..)
            | Self::Postpone(seen, _)
            | Self::Place(seen) => Some(seen.id),
            Self::Offer(_, entry, _) => Some(entry.request_id),
            Self::LookAgain(..)
            | Self::Send
            | Self::Gate(..)
            | Self::Beat(..)
            | Self::Purge(..)
            | Self::Forget(_)
            | Self::Due(..) => None,
        }
    }
}

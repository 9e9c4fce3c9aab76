//! An A2A request's life, which is also the life of an A2A task.
//!
//! ```text
//! accepted ─► offered ──claim──► running ──► completed | failed
//!    │           ▲  │ nobody claims in 60 s      │ lease lost: outcome unknown
//!    └► waiting ─┘  └─────────► waiting ◄────────┘
//!          └──► expired | dropped
//! ```
//!
//! A *slot* on the target is held from `offered` to the end of `running`. The *fence* rises with
//! every offer: whoever holds an older one has lost the slot and the lease, though not the right to
//! deliver a first result.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{BodyId, RequestId, WorkspaceId, activity::Source};

/// How long an offer waits for its claim.
pub const OFFER: SignedDuration = SignedDuration::from_secs(60);
/// How long a claim holds without renewal.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often a running delivery renews its lease and looks for signs of life of the agent.
pub const RENEW_EVERY: SignedDuration = SignedDuration::from_secs(15);
/// When a delivery gives up, before its function would be ended.
pub const LONGEST_DELIVERY: SignedDuration = SignedDuration::from_secs(870);
/// How long results are kept for those who ask again.
pub const RESULT_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How deep a chain of requests may be (decision 33).
pub const MAX_CHAIN: usize = 16;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In line for a slot.
    Waiting,
    /// It has a slot and waits for a delivery to claim it.
    Offered,
    /// A delivery talks to the agent.
    Running,
    /// It has its result.
    Completed,
    /// It ended without a result.
    Failed,
    /// It waited too long.
    Expired,
    /// Its target went away.
    Dropped,
}

impl State {
    /// The name in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Dropped => "dropped",
        }
    }

    /// The name on the wire (decision 42).
    pub fn wire(self) -> &'static str {
        match self {
            Self::Waiting => "queued",
            Self::Offered | Self::Running => "dispatched",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Dropped => "dropped",
        }
    }

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Expired | Self::Dropped
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step of a request's life, for its timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub at: Timestamp,
    /// Where it led.
    pub state: State,
    /// Why, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A request as recorded. Bodies are elsewhere: this moves, they stand still.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The id, also of the A2A task.
    pub id: RequestId,
    /// Who asks.
    pub caller: Source,
    /// Who is asked.
    pub target: WorkspaceId,
    /// The JSON-RPC method, empty if it was no string.
    pub method: String,
    /// The A2A message id; empty never dedupes.
    pub message_id: String,
    /// The normalised body.
    pub body: BodyId,
    /// The workspaces on whose behalf it is made, outermost first, the target last.
    pub chain: Vec<WorkspaceId>,
    /// Whether it holds a slot: self-calls and calls back into the chain do not.
    pub slot: bool,
    /// Where it stands.
    pub state: State,
    /// Rises with every offer.
    pub fence: u32,
    /// How often a delivery was started.
    pub attempts: u32,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When the offer or the lease runs out.
    pub lease_until: Option<Timestamp>,
    /// When a delivery claimed it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whether the agent answered at all: it has the message then.
    pub delivery_confirmed: bool,
    /// The stored reply.
    pub result: Option<BodyId>,
    /// The HTTP status the caller gets, or got.
    pub result_status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// What happened when.
    pub timeline: Vec<Step>,
}

/// Whether a call from `caller`'s running chains to `target` needs no slot: the target waits for
/// this very answer, so making it wait for itself would never end.
pub fn is_reply_into_chain<'a>(
    chains: impl IntoIterator<Item = &'a Vec<WorkspaceId>>,
    target: WorkspaceId,
) -> bool {
    chains.into_iter().any(|chain| chain.contains(&target))
}

/// The chain of a new request to `target` by `caller`: the chain of the caller's single running
/// request, else the caller alone, and then the target.
pub fn chain_of<'a>(
    caller: &Source,
    running: impl IntoIterator<Item = &'a Vec<WorkspaceId>>,
    target: WorkspaceId,
) -> Vec<WorkspaceId> {
    let mut running = running.into_iter();
    let mut chain = match (running.next(), running.next()) {
        (Some(only), None) => only.clone(),
        _ => caller.id().into_iter().collect(),
    };
    chain.push(target);
    chain
}

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

mod chain;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BodyId, DelegationId, RequestId, WorkspaceId, activity::Source, schedule::Fire, trace::Trace,
};
pub use chain::{chain_of, is_reply_into_chain, sender_in};

/// Why requests are let go whose target takes no messages any more.
pub const GONE: &str = "its target is gone";
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
/// How long a request may wait unless its sender says otherwise.
pub const EXPIRY: SignedDuration = SignedDuration::from_hours(24);
/// The longest a sender may let a request wait.
pub const MAX_EXPIRY: SignedDuration = SignedDuration::from_hours(24 * 7);
/// When a busy agent that did not say when is asked again.
pub const RETRY: SignedDuration = SignedDuration::from_secs(30);
/// How often a message that was refused is tried.
pub const MAX_ATTEMPTS: u32 = 5;
/// The most requests that may wait for one workspace.
pub const MAX_WAITING: i64 = 1000;
/// From how many on each sender has a share of a line.
pub const CROWDED: i64 = 500;
/// The most that one workspace may have in another's line once it is crowded: one that sends without end keeps
/// no room from the others.
pub const SHARE: usize = 100;
/// The most requests that may run at one workspace: those that take no slot have no other limit, and each
/// holds a process open.
pub const MAX_RUNNING: i64 = 100;
/// How long after its last change a line of waiting requests is looked at again, come what may:
/// less than a minute, so that the next tick but one never has to.
pub const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(45);
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

/// What makes a request a repeat: the same key; and what makes it another message: another digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// Caller, target and message id, hashed.
    pub key: String,
    /// Method and message, hashed.
    pub digest: String,
}

/// How urgent a request is. Within one priority the first to arrive is the first to go.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(rename = "MessagePriority")]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is nothing else.
    Info,
    /// As a rule.
    #[default]
    Task,
    /// Before all others.
    Critical,
}

impl Priority {
    /// From its name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "critical" => Some(Self::Critical),
            "task" => Some(Self::Task),
            "info" => Some(Self::Info),
            _ => None,
        }
    }

    /// The number the reference gives it.
    pub fn number(self) -> i64 {
        match self {
            Self::Critical => 100,
            Self::Task => 50,
            Self::Info => 10,
        }
    }
}

/// What must happen before a waiting request may be offered again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Nothing: it only waits for a slot.
    #[default]
    None,
    /// This moment, or a heartbeat after `since` that shows capacity: the agent said it is busy.
    Until {
        /// When it wants to be asked again.
        #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
        at: Timestamp,
        /// When it said so.
        #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
        since: Timestamp,
    },
    /// A heartbeat after this moment that shows capacity: the agent may have the message, so it is
    /// asked again only when it looks free.
    Capacity(#[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")] Timestamp),
}

impl Hold {
    /// The moment at which time alone ends it, if it does.
    pub fn ends_at(self) -> Option<Timestamp> {
        match self {
            Self::Until { at, .. } => Some(at),
            Self::None | Self::Capacity(_) => None,
        }
    }

    /// Whether a request may be offered: `beat_at` and `has_capacity` are what the agent's last
    /// heartbeat said.
    pub fn is_over(self, now: Timestamp, beat_at: Option<Timestamp>, has_capacity: bool) -> bool {
        match self {
            Self::None => true,
            Self::Until { at, since } => {
                at <= now || (has_capacity && beat_at.is_some_and(|beat| beat > since))
            }
            Self::Capacity(since) => has_capacity && beat_at.is_some_and(|beat| beat > since),
        }
    }
}

/// How an attempt to deliver went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The agent does not have the message: it said it is busy, or was not there.
    Refused {
        /// When it wants to be asked again, if it said so.
        retry_after: Option<SignedDuration>,
        /// What happened, in a few words.
        why: String,
    },
    /// The agent may have the message.
    Unknown {
        /// What happened, in a few words.
        why: String,
    },
}

/// What becomes of a request whose delivery went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It waits again, first in line.
    Wait {
        /// Until when.
        hold: Hold,
        /// Why.
        why: String,
    },
    /// It has failed.
    Fail {
        /// Why.
        why: String,
    },
}

/// Decides what follows on `trouble`: up to [`MAX_ATTEMPTS`] tries of a message that was refused,
/// one redelivery of a message whose outcome is unknown.
pub fn after(trouble: Trouble, request: &Request, now: Timestamp) -> Next {
    match trouble {
        Trouble::Refused { why, .. } if request.attempts >= MAX_ATTEMPTS => Next::Fail {
            why: format!("{why}; given up after {MAX_ATTEMPTS} attempts"),
        },
        Trouble::Refused { retry_after, why } => Next::Wait {
            hold: Hold::Until {
                at: now + retry_after.unwrap_or(RETRY).min(EXPIRY),
                since: now,
            },
            why,
        },
        Trouble::Unknown { why } if request.redelivered => Next::Fail {
            why: format!("outcome_unknown: {why}"),
        },
        Trouble::Unknown { why } => Next::Wait {
            hold: Hold::Capacity(now),
            why,
        },
    }
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
    /// How its caller was told, if it failed: the answer without its body.
    pub told: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// Until when it may wait.
    pub valid_until: Timestamp,
    /// What it waits for besides a slot.
    pub hold: Hold,
    /// Whether the agent may have the message from an earlier delivery.
    pub redelivered: bool,
    /// What makes a repeat of it a repeat.
    pub idempotency: Option<Idempotency>,
    /// The delegation it carries.
    pub delegation: Option<DelegationId>,
    /// The fire of a schedule it carries.
    pub fire: Option<Fire>,
    /// Whether the target queues by itself, so that nothing is queued for it.
    pub native: bool,
    /// Which call it came with, for whoever follows it to its agent.
    pub trace: Option<Trace>,
    /// What happened when.
    pub timeline: Vec<Step>,
}

impl Request {
    /// Its place among those that wait: urgent first, then by arrival.
    pub fn line_key(&self) -> String {
        let urgency = 999 - self.priority.number();
        let arrival = self.accepted_at.as_microsecond();
        format!("{urgency:03}#{arrival:020}#{}", self.id)
    }
}

#[cfg(test)]
mod tests;

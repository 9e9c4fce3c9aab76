//! The load of a workspace: who holds its slots, and what became of its messages.

use std::collections::HashMap;

use domain::WorkspaceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Gate;

/// A workspace's slots, gate and counters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The requests that hold a slot, each with its chain.
    #[serde(default)]
    pub slots: HashMap<String, Vec<WorkspaceId>>,
    /// How many may hold one at once.
    pub max_concurrent_tasks: i64,
    /// Whether messages may come in.
    pub gate: Gate,
    /// When a message for it was last accepted, or ended.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub message_at: Option<Timestamp>,
    /// When the workspace last got an answer from another one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub last_outbound_at: Option<Timestamp>,
    /// What became of the requests it was sent.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What became of a workspace's requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// All that were accepted.
    pub accepted: i64,
    /// Those in line.
    pub waiting: i64,
    /// Those offered or running.
    pub running: i64,
    /// Those with a result.
    pub done: i64,
    /// Those that ended without.
    pub failed: i64,
    /// Those that waited too long.
    pub expired: i64,
    /// Those whose target went away.
    pub dropped: i64,
}

impl Counts {
    /// By how much the invariant is broken; zero is right.
    pub fn drift(&self) -> i64 {
        let ended = self.done + self.failed + self.expired + self.dropped;
        self.accepted - ended - self.waiting - self.running
    }
}

impl Load {
    /// The load of a new workspace.
    pub fn new(max_concurrent_tasks: i64) -> Self {
        Self {
            slots: HashMap::new(),
            max_concurrent_tasks,
            gate: Gate::Open,
            message_at: None,
            last_outbound_at: None,
            counts: Counts::default(),
        }
    }

    /// How many slots are free.
    pub fn free(&self) -> i64 {
        self.max_concurrent_tasks - i64::try_from(self.slots.len()).unwrap_or(i64::MAX)
    }
}

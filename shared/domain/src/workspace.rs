//! A workspace's status and how it changes.
//!
//! ```text
//!                create                       register (any but paused, hibernat*, removed)
//!   ┌──────────────┴──────────────┐        ┌────────────────────────────────────────────┐
//!   ▼                             ▼        │                                            │
//! provisioning ──first beat──► online ◄────┘      awaiting_agent   (external, no URL yet)
//!   │   ▲                      │  ▲  │
//!   │   │            wedged or │  │  │ silent for 180 s
//!   │   │        errors ≥ 0.5  ▼  │  ▼
//!   │   │                 degraded │ offline ──any beat──► online
//!   │   │   errors < 0.1, no state─┘
//!   │   └── restart, resume, wake: paused, hibernated, offline, failed …
//!   └── boot failed or overdue ──► failed
//!
//! online, degraded ──hibernate──► hibernating ──stopped──► hibernated
//! any but removed  ──pause──► paused           any ──delete──► removed (final)
//! ```
//!
//! Every change is one conditional write that names the status it starts from; a change that finds
//! another status there does nothing and emits nothing.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    capabilities::{Capabilities, Capability, RuntimeMetadata},
    event::Event,
};

/// The ten states of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WorkspaceStatus")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A machine is being made or booted.
    Provisioning,
    /// External, without a URL: waits for its agent to register.
    AwaitingAgent,
    /// The agent answers.
    Online,
    /// The agent answers and says it is not well.
    Degraded,
    /// The agent was not heard of for a while.
    Offline,
    /// The machine could not be made, or never reported.
    Failed,
    /// A person stopped it.
    Paused,
    /// On its way to sleep.
    Hibernating,
    /// Asleep; a message wakes it.
    Hibernated,
    /// Deleted. Final.
    Removed,
}

impl Status {
    /// All of them, for tables in tests and metrics.
    pub const ALL: [Self; 10] = [
        Self::Provisioning,
        Self::AwaitingAgent,
        Self::Online,
        Self::Degraded,
        Self::Offline,
        Self::Failed,
        Self::Paused,
        Self::Hibernating,
        Self::Hibernated,
        Self::Removed,
    ];

    /// The name on the wire and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::AwaitingAgent => "awaiting_agent",
            Self::Online => "online",
            Self::Degraded => "degraded",
            Self::Offline => "offline",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Hibernating => "hibernating",
            Self::Hibernated => "hibernated",
            Self::Removed => "removed",
        }
    }

    /// Whether the agent can be talked to as far as we know.
    pub fn answers(self) -> bool {
        matches!(self, Self::Online | Self::Degraded)
    }

    /// Whether registering brings it online. A lingering agent must not undo what a person did
    /// (paused, hibernating, hibernated); removed is final.
    pub fn may_register(self) -> bool {
        match self {
            Self::Provisioning
            | Self::AwaitingAgent
            | Self::Online
            | Self::Degraded
            | Self::Offline
            | Self::Failed => true,
            Self::Paused | Self::Hibernating | Self::Hibernated | Self::Removed => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an agent says of itself every 30 s, and at each change of task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heartbeat {
    /// Share of failed calls, 0 to 1 (not clamped).
    pub error_rate: f64,
    /// A recent error, in the agent's words; empty clears.
    pub sample_error: String,
    /// How many messages it works on.
    pub active_tasks: i64,
    /// Seconds since it started.
    pub uptime_seconds: i64,
    /// What it works on, in its words; empty clears.
    pub current_task: String,
    /// Its running total of the month in US cents; none leaves the stored value.
    pub monthly_spend: Option<i64>,
    /// `wedged` means alive and stuck; any other text only keeps it from recovering.
    pub runtime_state: String,
    /// Absent in the partial beats of helpers: they change no capability.
    pub runtime: Option<RuntimeMetadata>,
}

/// The most a month may cost, in US cents.
pub const MAX_MONTHLY_SPEND: i64 = 1_000_000_000_000;

/// Two thresholds rather than one, so that a workspace hovering near either does not flap.
const DEGRADED_FROM: f64 = 0.5;
const HEALTHY_BELOW: f64 = 0.1;

impl Heartbeat {
    /// The spend to store: zero and negative mean "not reported", the rest is capped.
    pub fn spend(reported: i64) -> Option<i64> {
        (reported > 0).then(|| reported.min(MAX_MONTHLY_SPEND))
    }

    /// Whether the agent says it is alive and stuck.
    pub fn is_wedged(&self) -> bool {
        self.runtime_state == "wedged"
    }

    /// The status this beat leads to from `status`, and the event that tells of it; none if the
    /// beat changes nothing (contract: registry-and-auth 9.1).
    ///
    /// `stored` are the capabilities before this beat; what the beat declares takes effect at once.
    pub fn turn(&self, status: Status, stored: Capabilities) -> Option<Turn> {
        let native = self
            .runtime
            .map_or(stored, |runtime| runtime.capabilities)
            .has(Capability::StatusMgmt);
        let failing = !native && self.error_rate >= DEGRADED_FROM;
        let healthy = !native && self.error_rate < HEALTHY_BELOW && self.runtime_state.is_empty();
        let turn = |to, event| Some(Turn { to, event });
        match status {
            Status::Online if self.is_wedged() => turn(
                Status::Degraded,
                Event::Wedged {
                    sample_error: self.sample_error.clone(),
                },
            ),
            Status::Online if failing => turn(
                Status::Degraded,
                Event::Failing {
                    error_rate: self.error_rate,
                    sample_error: self.sample_error.clone(),
                },
            ),
            Status::Degraded if healthy => turn(Status::Online, Event::Recovered),
            Status::Offline => turn(Status::Online, Event::Recovered),
            Status::Provisioning => turn(Status::Online, Event::Booted),
            Status::Online
            | Status::Degraded
            | Status::AwaitingAgent
            | Status::Failed
            | Status::Paused
            | Status::Hibernating
            | Status::Hibernated
            | Status::Removed => None,
        }
    }
}

/// A change of status and the event that tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Where it leads.
    pub to: Status,
    /// What is told.
    pub event: Event,
}

#[cfg(test)]
mod tests;

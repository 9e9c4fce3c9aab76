//! What happens, as told to people, agents and operators' rules.
//!
//! Names and payloads are the contract's (a2a-notify-events 10). One enum, so that a payload's keys
//! are written down once; the enum grows with the routes that emit. [`CATALOGUE`] has all names there
//! will be. What is told and never written down is [`Passing`].

mod approval;
mod catalogue;
mod envelope;
mod passing;

pub use approval::ApprovalEvent;
pub use catalogue::{CATALOGUE, Entry};
pub use envelope::{MAX_ENVELOPE, envelope, fitted};
use jiff::Timestamp;
pub use passing::{Passing, told_by};
use serde_json::{Value, json};

use crate::{EventId, ScheduleId, WorkspaceId};

/// How far a clock that makes ids may be ahead of another, in milliseconds.
const AHEAD_MS: i64 = 10_000;

/// Whether an id is of a time to come: no event has it, and who asks for what is above it is told nothing.
pub fn is_ahead(id: EventId, now: Timestamp) -> bool {
    let millis = id.as_uuid().as_u128() >> 80;
    let latest = now.as_millisecond().saturating_add(AHEAD_MS);
    millis > u128::try_from(latest).unwrap_or_default()
}

/// One event about one workspace.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A workspace was created and may be getting a machine.
    Provisioning {
        /// Its name.
        name: String,
        /// Its size, 1 to 4.
        tier: i64,
        /// What runs in it.
        runtime: String,
    },
    /// A workspace was created as part of an organisation.
    Imported {
        /// Its name.
        name: String,
        /// Its size, 1 to 4.
        tier: i64,
        /// What runs in it.
        runtime: String,
        /// Its place on the canvas, seen from its parent.
        x: f64,
        /// Its place on the canvas, seen from its parent.
        y: f64,
        /// Its parent.
        parent_id: Option<WorkspaceId>,
    },
    /// An external workspace was created with its URL.
    ExternalOnline {
        /// Its name.
        name: String,
    },
    /// An external workspace was created without a URL.
    AwaitingAgent {
        /// Its name.
        name: String,
    },
    /// An agent registered.
    Registered {
        /// Where it answers; empty in poll mode.
        url: String,
        /// Its card, any JSON.
        agent_card: Value,
    },
    /// The first heartbeat of a workspace that was being provisioned.
    Booted,
    /// A heartbeat found it well again.
    Recovered,
    /// The agent says it is alive and stuck.
    Wedged {
        /// A recent error.
        sample_error: String,
    },
    /// Too many of its calls fail.
    Failing {
        /// Share of failed calls.
        error_rate: f64,
        /// A recent error.
        sample_error: String,
    },
    /// It was not heard of for too long, or its machine is gone.
    Offline,
    /// A person stopped it.
    Paused {
        /// Its name.
        name: String,
    },
    /// It sleeps.
    Hibernated {
        /// Its name.
        name: String,
        /// Its size, 1 to 4.
        tier: i64,
    },
    /// It will not boot.
    ProvisionFailed {
        /// What is told: see [`crate::lifecycle::BootFailure`].
        payload: Value,
    },
    /// It was deleted, or went with its ancestor.
    Removed {
        /// How many descendants went with it; only on the one that was asked for.
        cascade_deleted: Option<usize>,
    },
    /// Its card was replaced.
    CardUpdated {
        /// The new card, any JSON.
        agent_card: Value,
    },
    /// It gave another one a task.
    DelegationSent {
        /// The delegation.
        delegation_id: String,
        /// Who is to do it.
        target_id: String,
        /// The beginning of the task.
        task_preview: String,
    },
    /// A task it gave was offered to its target, or stands in line.
    DelegationStatus {
        /// The delegation.
        delegation_id: String,
        /// Who is to do it.
        target_id: String,
        /// `dispatched` or `queued`.
        status: String,
    },
    /// A task it gave is done.
    DelegationComplete {
        /// The delegation.
        delegation_id: String,
        /// Who did it; not known when the agent carried it out by itself.
        target_id: Option<String>,
        /// The beginning of the reply.
        response_preview: String,
        /// Whether it had to stand in line.
        via_queue: bool,
    },
    /// A task it gave will not be done.
    DelegationFailed {
        /// The delegation.
        delegation_id: String,
        /// Who was to do it; not known when the agent carried it out by itself.
        target_id: Option<String>,
        /// Why.
        error: String,
    },
    /// A schedule of it ran.
    CronExecuted {
        /// The schedule.
        schedule_id: ScheduleId,
        /// Its name.
        schedule_name: String,
        /// `ok`, `error` or `stale`.
        status: &'static str,
    },
    /// A schedule of it was due, and nothing was sent.
    CronSkipped {
        /// The schedule.
        schedule_id: ScheduleId,
        /// Its name.
        schedule_name: String,
        /// Why.
        reason: String,
    },
    /// Something about a request for approval.
    Approval(ApprovalEvent),
    /// It works on something else now. Told, not kept.
    TaskUpdated {
        /// The new task, in its words.
        current_task: String,
        /// How many it works on.
        active_tasks: i64,
    },
}

impl Event {
    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Provisioning { .. } | Self::Imported { .. } => "WORKSPACE_PROVISIONING",
            Self::ExternalOnline { .. }
            | Self::Registered { .. }
            | Self::Booted
            | Self::Recovered => "WORKSPACE_ONLINE",
            Self::AwaitingAgent { .. } => "WORKSPACE_AWAITING_AGENT",
            Self::Wedged { .. } | Self::Failing { .. } => "WORKSPACE_DEGRADED",
            Self::Offline => "WORKSPACE_OFFLINE",
            Self::Paused { .. } => "WORKSPACE_PAUSED",
            Self::Hibernated { .. } => "WORKSPACE_HIBERNATED",
            Self::ProvisionFailed { .. } => "WORKSPACE_PROVISION_FAILED",
            Self::Removed { .. } => "WORKSPACE_REMOVED",
            Self::CardUpdated { .. } => "AGENT_CARD_UPDATED",
            Self::DelegationSent { .. } => "DELEGATION_SENT",
            Self::DelegationStatus { .. } => "DELEGATION_STATUS",
            Self::DelegationComplete { .. } => "DELEGATION_COMPLETE",
            Self::DelegationFailed { .. } => "DELEGATION_FAILED",
            Self::CronExecuted { .. } => "CRON_EXECUTED",
            Self::CronSkipped { .. } => "CRON_SKIPPED",
            Self::Approval(event) => event.name(),
            Self::TaskUpdated { .. } => "TASK_UPDATED",
        }
    }

    /// Whether it belongs into the event log, or is only pushed to those who listen now.
    pub fn is_persisted(&self) -> bool {
        !matches!(self, Self::TaskUpdated { .. })
    }

    /// Its payload on the wire.
    pub fn payload(&self) -> Value {
        match self {
            Self::Provisioning {
                name,
                tier,
                runtime,
            } => json!({"name": name, "tier": tier, "runtime": runtime}),
            Self::Imported {
                name,
                tier,
                runtime,
                x,
                y,
                parent_id,
            } => {
                let mut payload =
                    json!({"name": name, "tier": tier, "runtime": runtime, "x": x, "y": y});
                if let Some(parent_id) = parent_id {
                    payload["parent_id"] = json!(parent_id);
                }
                payload
            }
            Self::ExternalOnline { name } | Self::AwaitingAgent { name } => {
                json!({"name": name, "external": true})
            }
            Self::Registered { url, agent_card } => json!({"url": url, "agent_card": agent_card}),
            Self::Booted => json!({"recovered_from": "provisioning"}),
            Self::Recovered | Self::Offline => json!({}),
            Self::Paused { name } => json!({"name": name}),
            Self::Hibernated { name, tier } => json!({"name": name, "tier": tier}),
            Self::ProvisionFailed { payload } => payload.clone(),
            Self::Wedged { sample_error } => {
                json!({"runtime_state": "wedged", "sample_error": sample_error})
            }
            Self::Failing {
                error_rate,
                sample_error,
            } => json!({"error_rate": error_rate, "sample_error": sample_error}),
            Self::Removed { cascade_deleted } => match cascade_deleted {
                Some(count) => json!({"cascade_deleted": count}),
                None => json!({}),
            },
            Self::CardUpdated { agent_card } => json!({"agent_card": agent_card}),
            Self::DelegationSent {
                delegation_id,
                target_id,
                task_preview,
            } => json!({
                "delegation_id": delegation_id,
                "target_id": target_id,
                "task_preview": task_preview,
            }),
            Self::DelegationStatus {
                delegation_id,
                target_id,
                status,
            } => json!({
                "delegation_id": delegation_id,
                "target_id": target_id,
                "status": status,
            }),
            Self::DelegationComplete {
                delegation_id,
                target_id,
                response_preview,
                via_queue,
            } => {
                let mut payload = json!({
                    "delegation_id": delegation_id,
                    "response_preview": response_preview,
                });
                if let Some(target_id) = target_id {
                    payload["target_id"] = json!(target_id);
                }
                if *via_queue {
                    payload["via"] = json!("queue_drain");
                }
                payload
            }
            Self::DelegationFailed {
                delegation_id,
                target_id,
                error,
            } => {
                let mut payload = json!({"delegation_id": delegation_id, "error": error});
                if let Some(target_id) = target_id {
                    payload["target_id"] = json!(target_id);
                }
                payload
            }
            Self::CronExecuted {
                schedule_id,
                schedule_name,
                status,
            } => json!({
                "schedule_id": schedule_id,
                "schedule_name": schedule_name,
                "status": status,
            }),
            Self::CronSkipped {
                schedule_id,
                schedule_name,
                reason,
            } => json!({
                "schedule_id": schedule_id,
                "schedule_name": schedule_name,
                "reason": reason,
            }),
            Self::Approval(event) => event.payload(),
            Self::TaskUpdated {
                current_task,
                active_tasks,
            } => json!({"current_task": current_task, "active_tasks": active_tasks}),
        }
    }
}

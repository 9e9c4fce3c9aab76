//! All events there are, with the keys their payloads may have (contract: a2a-notify-events 10).

/// One event of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it belongs into the event log, or is only pushed to those who listen now.
    pub persisted: bool,
    /// The keys a payload may have; which of them are there depends on what happened.
    pub keys: &'static [&'static str],
    /// Why nothing here emits it, if nothing does.
    pub unused: Option<&'static str>,
}

const fn kept(name: &'static str, keys: &'static [&'static str]) -> Entry {
    Entry {
        name,
        persisted: true,
        keys,
        unused: None,
    }
}

/// One of a route that is no part of this product: clients may know the name, and never hear it.
const fn unused(name: &'static str, keys: &'static [&'static str], why: &'static str) -> Entry {
    Entry {
        name,
        persisted: true,
        keys,
        unused: Some(why),
    }
}

/// A workspace gets its team by an organisation's import; the reference's `expand` reads a folder of its
/// container, and is there with a local container backend only.
const TEAMS: &str = "POST /workspaces/{id}/expand and /collapse are not served";
/// A workspace is its agent here. What the reference assigns is a row with a model's name, for which
/// there is PUT /workspaces/{id}/model.
const AGENTS: &str = "POST, PATCH and DELETE /workspaces/{id}/agent and /agent/move are not served";
/// Chat services are not connected; what an import says of channels is kept and named in its answer.
const CHANNELS: &str = "/workspaces/{id}/channels and webhooks of chat services are not served";

const fn told(name: &'static str, keys: &'static [&'static str]) -> Entry {
    Entry {
        name,
        persisted: false,
        keys,
        unused: None,
    }
}

/// The contract's 32 events, 27 of them kept, with `APPROVAL_DECIDED` and `APPROVAL_EXPIRED`, for which
/// agents wait (decision 15). Seven are of routes that are not served, and say so.
pub const CATALOGUE: [Entry; 34] = [
    kept(
        "WORKSPACE_PROVISIONING",
        &[
            "name",
            "tier",
            "runtime",
            "x",
            "y",
            "parent_id",
            "source_bundle_id",
        ],
    ),
    kept(
        "WORKSPACE_PROVISION_FAILED",
        &[
            "error",
            "missing",
            "log_tail",
            "source",
            "timeout_secs",
            "runtime",
        ],
    ),
    kept(
        "WORKSPACE_ONLINE",
        &["url", "agent_card", "name", "external", "recovered_from"],
    ),
    kept("WORKSPACE_AWAITING_AGENT", &["name", "external"]),
    kept("WORKSPACE_OFFLINE", &[]),
    kept(
        "WORKSPACE_DEGRADED",
        &["runtime_state", "error_rate", "sample_error"],
    ),
    kept("WORKSPACE_HIBERNATED", &["name", "tier"]),
    kept("WORKSPACE_PAUSED", &["name"]),
    kept("WORKSPACE_REMOVED", &["cascade_deleted"]),
    unused("WORKSPACE_EXPANDED", &["children"], TEAMS),
    unused("WORKSPACE_COLLAPSED", &["removed_children"], TEAMS),
    unused("AGENT_ASSIGNED", &["agent_id", "model"], AGENTS),
    unused(
        "AGENT_REPLACED",
        &["agent_id", "model", "old_model"],
        AGENTS,
    ),
    unused("AGENT_REMOVED", &["agent_id", "model"], AGENTS),
    unused(
        "AGENT_MOVED",
        &[
            "agent_id",
            "model",
            "target_workspace_id",
            "source_workspace_id",
        ],
        AGENTS,
    ),
    kept("AGENT_CARD_UPDATED", &["agent_card"]),
    kept(
        "APPROVAL_REQUESTED",
        &["approval_id", "action", "reason", "task_id"],
    ),
    kept(
        "APPROVAL_ESCALATED",
        &["approval_id", "from_workspace_id", "action", "reason"],
    ),
    kept(
        "APPROVAL_APPROVED",
        &["approval_id", "decision", "decided_by"],
    ),
    kept(
        "APPROVAL_DENIED",
        &["approval_id", "decision", "decided_by"],
    ),
    kept(
        "APPROVAL_DECIDED",
        &["approval_id", "decision", "decided_by", "status"],
    ),
    kept("APPROVAL_EXPIRED", &["approval_id", "action"]),
    kept(
        "DELEGATION_SENT",
        &["delegation_id", "target_id", "task_preview"],
    ),
    kept(
        "DELEGATION_STATUS",
        &["delegation_id", "target_id", "status"],
    ),
    kept(
        "DELEGATION_COMPLETE",
        &["delegation_id", "target_id", "response_preview", "via"],
    ),
    kept(
        "DELEGATION_FAILED",
        &["delegation_id", "target_id", "error"],
    ),
    kept("CRON_EXECUTED", &["schedule_id", "schedule_name", "status"]),
    kept("CRON_SKIPPED", &["schedule_id", "schedule_name", "reason"]),
    unused(
        "CHANNEL_MESSAGE",
        &["channel_id", "channel_type", "direction", "username"],
        CHANNELS,
    ),
    told("TASK_UPDATED", &["current_task", "active_tasks"]),
    told("WORKSPACE_HEARTBEAT", &["active_tasks", "uptime_seconds"]),
    told(
        "ACTIVITY_LOGGED",
        &[
            "activity_type",
            "method",
            "summary",
            "status",
            "source_id",
            "target_id",
            "duration_ms",
            "tool_trace",
        ],
    ),
    told(
        "A2A_RESPONSE",
        &["response_body", "method", "duration_ms", "truncated"],
    ),
    told(
        "AGENT_MESSAGE",
        &[
            "message",
            "workspace_id",
            "name",
            "attachments",
            "truncated",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        ApprovalId, ScheduleId, WorkspaceId,
        approval::Decision,
        event::{ApprovalEvent, Event},
    };

    fn text() -> String {
        "x".to_owned()
    }

    /// One of each variant, with all it may have.
    fn every_event() -> Vec<Event> {
        let id = || Some(text());
        let events = vec![
            Event::Provisioning {
                name: text(),
                tier: 1,
                runtime: text(),
            },
            Event::Imported {
                name: text(),
                tier: 1,
                runtime: text(),
                x: 0.0,
                y: 0.0,
                parent_id: Some(WorkspaceId::random()),
            },
            Event::ExternalOnline { name: text() },
            Event::AwaitingAgent { name: text() },
            Event::Registered {
                url: text(),
                agent_card: Value::Null,
            },
            Event::Booted,
            Event::Recovered,
            Event::Wedged {
                sample_error: text(),
            },
            Event::Failing {
                error_rate: 0.5,
                sample_error: text(),
            },
            Event::Offline,
            Event::Paused { name: text() },
            Event::Hibernated {
                name: text(),
                tier: 1,
            },
            Event::ProvisionFailed {
                payload: json!({"error": "x"}),
            },
            Event::Removed {
                cascade_deleted: Some(1),
            },
            Event::CardUpdated {
                agent_card: Value::Null,
            },
            Event::DelegationSent {
                delegation_id: text(),
                target_id: text(),
                task_preview: text(),
            },
            Event::DelegationStatus {
                delegation_id: text(),
                target_id: text(),
                status: text(),
            },
            Event::DelegationComplete {
                delegation_id: text(),
                target_id: id(),
                response_preview: text(),
                via_queue: true,
            },
            Event::DelegationFailed {
                delegation_id: text(),
                target_id: id(),
                error: text(),
            },
            Event::CronExecuted {
                schedule_id: ScheduleId::from_uuid(uuid::Uuid::nil()),
                schedule_name: text(),
                status: "ok",
            },
            Event::CronSkipped {
                schedule_id: ScheduleId::from_uuid(uuid::Uuid::nil()),
                schedule_name: text(),
                reason: text(),
            },
            Event::TaskUpdated {
                current_task: text(),
                active_tasks: 1,
            },
        ];
        let approvals = approvals().into_iter().map(Event::Approval);
        events.into_iter().chain(approvals).collect()
    }

    fn approvals() -> Vec<ApprovalEvent> {
        let approval_id = ApprovalId::from_uuid(uuid::Uuid::nil());
        let mut approvals = vec![
            ApprovalEvent::Requested {
                approval_id,
                action: text(),
                reason: text(),
                task_id: text(),
            },
            ApprovalEvent::Escalated {
                approval_id,
                from: WorkspaceId::from_uuid(uuid::Uuid::nil()),
                action: text(),
                reason: text(),
            },
            ApprovalEvent::Expired {
                approval_id,
                action: text(),
            },
        ];
        for decision in [Decision::Approved, Decision::Denied] {
            approvals.push(ApprovalEvent::Said {
                approval_id,
                decision,
                decided_by: text(),
            });
            approvals.push(ApprovalEvent::Decided {
                approval_id,
                decision,
                decided_by: text(),
            });
        }
        approvals
    }

    #[test]
    fn names_are_there_once_and_as_many_as_the_contract_has() {
        let names: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        let told = CATALOGUE.iter().filter(|entry| !entry.persisted).count();
        assert_eq!((CATALOGUE.len() - 2 - told, told), (27, 5));
    }

    #[test]
    fn what_is_emitted_is_in_the_catalogue_with_its_keys() {
        for event in every_event() {
            let name = event.name();
            let entry = CATALOGUE.iter().find(|entry| entry.name == name);
            let entry = entry.unwrap_or_else(|| panic!("{name} is in no catalogue"));
            assert_eq!(event.is_persisted(), entry.persisted, "{name}");
            let payload = event.payload();
            for key in payload.as_object().expect("an object").keys() {
                assert!(entry.keys.contains(&key.as_str()), "{name} has {key}");
            }
        }
    }

    #[test]
    fn the_table_covers_every_variant_of_what_is_emitted() {
        // A variant without a sample fails to name all it should: one name per family at least.
        let names: BTreeSet<_> = every_event().iter().map(Event::name).collect();
        let unused = CATALOGUE.iter().filter(|entry| entry.unused.is_some());
        let unused: Vec<_> = unused.map(|entry| entry.name).collect();
        assert_eq!(unused.len(), 7, "{unused:?}");
        let passing = [
            "WORKSPACE_HEARTBEAT",
            "ACTIVITY_LOGGED",
            "A2A_RESPONSE",
            "AGENT_MESSAGE",
        ];
        let rest: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
        let missing: BTreeSet<_> = rest.difference(&names).copied().collect();
        assert_eq!(missing, unused.into_iter().chain(passing).collect());
    }
}

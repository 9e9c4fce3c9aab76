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
            "truncated",
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
mod tests;

//! An event as those who listen get it (contract: a2a-notify-events 11).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{EventId, WorkspaceId, time::wire};

/// The most bytes an envelope may have: a connection takes 128 KB at a time, and 32 KB of it are left
/// to what counts bytes differently.
pub const MAX_ENVELOPE: usize = 100_000;

/// The one event that is read at the top as well: these fields of its payload.
const DECIDED: &str = "APPROVAL_DECIDED";
const READ_AT_THE_TOP: [&str; 3] = ["approval_id", "status", "decided_by"];

/// The text of one frame.
///
/// It has `event`, `workspace_id`, `timestamp` and `payload` as the contract has them, and `id`, by
/// which repeats are told. Fields of the payload that are too long, the longest first, are
/// left out; `truncated` is `true` then.
pub fn envelope(
    id: EventId,
    name: &str,
    workspace: Option<WorkspaceId>,
    at: Timestamp,
    payload: &Value,
) -> String {
    let whole = written(id, name, workspace, at, payload);
    if whole.len() <= MAX_ENVELOPE {
        return whole;
    }
    let around = written(id, name, workspace, at, &Value::Null).len();
    let payload = fitted(payload.clone(), MAX_ENVELOPE - around);
    written(id, name, workspace, at, &payload)
}

/// A payload of at most so many bytes. Fields that are too long, the longest first, are left out;
/// `truncated` is `true` then.
pub fn fitted(payload: Value, most: usize) -> Value {
    if payload.to_string().len() <= most {
        return payload;
    }
    let mut rest = match payload {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    rest.insert("truncated".to_owned(), Value::Bool(true));
    while Value::Object(rest.clone()).to_string().len() > most && drop_longest(&mut rest) {}
    Value::Object(rest)
}

fn written(
    id: EventId,
    name: &str,
    workspace: Option<WorkspaceId>,
    at: Timestamp,
    payload: &Value,
) -> String {
    let mut envelope = json!({
        "id": id,
        "event": name,
        // What is about no workspace has an empty one: the key is always there.
        "workspace_id": workspace.map(|id| id.to_string()).unwrap_or_default(),
        "timestamp": wire(at),
        "payload": payload,
    });
    // Agents that wait for a decision look for it beside the event's name (contract: trap 13).
    if name == DECIDED {
        for key in READ_AT_THE_TOP {
            envelope[key] = payload[key].clone();
        }
    }
    envelope.to_string()
}

/// Whether there was one to drop.
fn drop_longest(fields: &mut Map<String, Value>) -> bool {
    let length = |value: &Value| value.to_string().len();
    let longest = fields
        .iter()
        .filter(|(key, _)| *key != "truncated")
        .max_by_key(|(_, value)| length(value))
        .map(|(key, _)| key.clone());
    longest.and_then(|key| fields.remove(&key)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(payload: &Value) -> Value {
        let id = "0190a0b0-0000-7000-8000-000000000001"
            .parse()
            .expect("valid");
        let workspace = "0a1b2c3d-0000-4000-8000-00000000000f"
            .parse()
            .expect("valid");
        let at = "2026-11-25T03:12:47.5Z".parse().expect("valid");
        let text = envelope(id, "AGENT_CARD_UPDATED", Some(workspace), at, payload);
        assert!(text.len() <= MAX_ENVELOPE, "{}", text.len());
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn a_decision_is_where_agents_look_for_it() {
        let id = "0190a0b0-0000-7000-8000-000000000001"
            .parse()
            .expect("valid");
        let at = "2026-11-25T03:12:47.5Z".parse().expect("valid");
        let payload = json!({
            "approval_id": "a", "decision": "denied", "status": "denied", "decided_by": "ada",
        });
        let frame = |name| -> Value {
            serde_json::from_str(&envelope(id, name, None, at, &payload)).expect("JSON")
        };
        assert_eq!(frame(DECIDED)["approval_id"], "a");
        assert_eq!(frame(DECIDED)["status"], "denied");
        assert_eq!(frame(DECIDED)["decided_by"], "ada");
        assert_eq!(frame("APPROVAL_DENIED")["status"], Value::Null);
    }

    #[test]
    fn an_envelope_is_the_contracts_and_an_id() {
        assert_eq!(
            sent(&json!({"agent_card": {"version": 1.0}})),
            json!({
                "id": "0190a0b0-0000-7000-8000-000000000001",
                "event": "AGENT_CARD_UPDATED",
                "workspace_id": "0a1b2c3d-0000-4000-8000-00000000000f",
                "timestamp": "2026-11-25T03:12:47.5Z",
                "payload": {"agent_card": {"version": 1.0}},
            })
        );
    }

    #[test]
    fn what_is_too_long_loses_its_longest_fields_and_says_so() {
        let long = "x".repeat(MAX_ENVELOPE);
        let payload = sent(&json!({"agent_card": long, "small": 1}))["payload"].clone();
        assert_eq!(payload, json!({"small": 1, "truncated": true}));
        let two = json!({"a": long, "b": long, "c": "kept"});
        assert_eq!(
            sent(&two)["payload"],
            json!({"c": "kept", "truncated": true})
        );
        let half = "x".repeat(MAX_ENVELOPE / 2);
        let kept = sent(&json!({"a": long, "b": half}))["payload"].clone();
        assert_eq!(kept, json!({"b": half, "truncated": true}));
        // No object: nothing of it can be kept.
        assert_eq!(sent(&json!(long))["payload"], json!({"truncated": true}));
    }
}

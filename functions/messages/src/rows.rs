//! The activity rows of messages (contract: a2a-notify-events 2.8).

use domain::{
    BodyId, WorkspaceId,
    activity::{Activity, Content},
    json::mended,
    request::Request,
};
use jiff::Timestamp;
use serde_json::Value;
use store::activity;

/// What every row of a request has.
fn base(request: &Request, now: Timestamp) -> Activity {
    Activity {
        id: activity::new_id(),
        workspace: request.target,
        activity_type: "a2a_receive".to_owned(),
        source: request.caller.clone(),
        target_id: Some(request.target.to_string()),
        method: Some(request.method.clone()),
        summary: None,
        request_body: Content::Stored(request.body),
        response_body: Content::Absent,
        tool_trace: Content::Absent,
        duration_ms: None,
        status: "ok".to_owned(),
        error_detail: None,
        created_at: now,
    }
}

fn called(name: &str, id: WorkspaceId) -> String {
    if name.is_empty() {
        id.to_string()
    } else {
        name.to_owned()
    }
}

/// The row of a message that its target will fetch.
pub(crate) fn fetched(request: &Request, name: &str, now: Timestamp) -> Activity {
    Activity {
        summary: Some(format!(
            "{} → {}",
            request.method,
            called(name, request.target)
        )),
        ..base(request, now)
    }
}

/// The row of a message that was answered with `status`.
pub(crate) fn answered(
    request: &Request,
    name: &str,
    status: u16,
    reply: Option<(BodyId, &[u8])>,
    duration_ms: i64,
    now: Timestamp,
) -> Activity {
    let json = reply.and_then(|(_, bytes)| serde_json::from_slice::<Value>(&mended(bytes)).ok());
    let trace = json
        .as_ref()
        .and_then(|json| json.pointer("/result/metadata/tool_trace"))
        .cloned();
    let response_body = match (reply, json) {
        (Some((id, _)), Some(_)) => Content::Stored(id),
        // A reply that is no JSON shows as JSON null; the caller has the bytes.
        (Some(_), None) => Content::from(Value::Null),
        (None, _) => Content::Absent,
    };
    Activity {
        response_body,
        tool_trace: Content::from(trace),
        // Zero would read as "not done yet" in chat.
        duration_ms: Some(duration_ms.max(1)),
        status: if status < 400 { "ok" } else { "error" }.to_owned(),
        ..fetched(request, name, now)
    }
}

/// The row of a message that was not answered.
pub(crate) fn failed(
    request: &Request,
    name: &str,
    why: &str,
    duration_ms: i64,
    now: Timestamp,
) -> Activity {
    let name = called(name, request.target);
    Activity {
        summary: Some(format!("A2A request to {name} failed: {why}")),
        duration_ms: Some(duration_ms.max(1)),
        status: "error".to_owned(),
        error_detail: Some(why.to_owned()),
        ..base(request, now)
    }
}

//! Events that are told and never written down: they follow from rows that are written anyway.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::{Builder, Uuid};

use crate::{
    EventId, WorkspaceId,
    activity::{Activity, Content, Source},
};

/// What a row tells those who listen now.
#[derive(Debug, Clone, PartialEq)]
pub enum Passing {
    /// It gave a sign of life.
    Heartbeat {
        /// How many messages it works on.
        active_tasks: i64,
        /// Seconds since its agent started.
        uptime_seconds: i64,
    },
    /// A row of its activity, without bodies.
    ActivityLogged(Box<Activity>),
    /// It answered a person.
    Response {
        /// What it answered.
        body: Content,
        /// The A2A method.
        method: Option<String>,
        /// Milliseconds it took.
        duration_ms: Option<i64>,
    },
    /// It tells people something.
    AgentMessage {
        /// The message and its files, as chat history keeps them.
        body: Content,
    },
}

/// What a row of activity tells: a notification is a message, everything else but delegations is
/// logged, and an answer to a person is told as well (contract: a2a-notify-events 2.8, trap 15).
pub fn told_by(row: &Activity) -> Vec<Passing> {
    let by_person = row.source == Source::Person;
    let received = row.activity_type == "a2a_receive";
    // With a request it is a call of a method that is named so.
    let unasked = row.request_body == Content::Absent;
    if received && by_person && unasked && row.method.as_deref() == Some("notify") {
        return vec![Passing::AgentMessage {
            body: row.response_body.clone(),
        }];
    }
    if row.activity_type == "delegation" || row.activity_type == "cron_run" {
        return Vec::new();
    }
    let mut told = vec![Passing::ActivityLogged(Box::new(row.clone()))];
    // A reply that is no JSON is kept as null, and nobody is told of it.
    let answered = match &row.response_body {
        Content::Absent => false,
        Content::Inline(json) => !json.is_null(),
        Content::Stored(_) => true,
    };
    if received && by_person && row.status == "ok" && answered {
        told.push(Passing::Response {
            body: row.response_body.clone(),
            method: row.method.clone(),
            duration_ms: row.duration_ms,
        });
    }
    told
}

impl Passing {
    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Heartbeat { .. } => "WORKSPACE_HEARTBEAT",
            Self::ActivityLogged(_) => "ACTIVITY_LOGGED",
            Self::Response { .. } => "A2A_RESPONSE",
            Self::AgentMessage { .. } => "AGENT_MESSAGE",
        }
    }

    /// The body it needs that lies elsewhere.
    pub fn body(&self) -> Option<&Content> {
        match self {
            Self::Response { body, .. } | Self::AgentMessage { body } => Some(body),
            Self::ActivityLogged(row) => Some(&row.tool_trace),
            Self::Heartbeat { .. } => None,
        }
    }

    /// Its payload. `body` is [`body`](Self::body) as JSON, if it could be had; `name` is the
    /// workspace's.
    pub fn payload(&self, workspace: WorkspaceId, name: &str, body: Option<Value>) -> Value {
        match self {
            Self::Heartbeat {
                active_tasks,
                uptime_seconds,
            } => json!({"active_tasks": active_tasks, "uptime_seconds": uptime_seconds}),
            Self::ActivityLogged(row) => {
                let mut payload = json!({
                    "activity_type": row.activity_type,
                    "method": row.method,
                    "summary": row.summary,
                    "status": row.status,
                    "source_id": row.source.id(),
                    "target_id": row.target_id,
                    "duration_ms": row.duration_ms,
                });
                match (&row.tool_trace, body) {
                    (Content::Absent, _) => {}
                    (Content::Inline(trace), _) => payload["tool_trace"] = trace.value(),
                    (Content::Stored(_), Some(trace)) => payload["tool_trace"] = trace,
                    (Content::Stored(_), None) => payload["truncated"] = json!(true),
                }
                payload
            }
            Self::Response {
                method,
                duration_ms,
                ..
            } => {
                let mut payload = json!({"method": method, "duration_ms": duration_ms});
                match body {
                    Some(body) => payload["response_body"] = body,
                    None => payload["truncated"] = json!(true),
                }
                payload
            }
            Self::AgentMessage { .. } => message(workspace, name, body),
        }
    }

    /// The id of what a row with this id tells: the same whenever it is told, and another for each
    /// of the two that one row may tell.
    pub fn id(&self, row: &Uuid) -> EventId {
        match self {
            Self::Response { .. } => EventId::from_uuid(Uuid::from_u128(row.as_u128() ^ 1)),
            _ => EventId::from_uuid(*row),
        }
    }

    /// The id of a heartbeat: of its moment and its workspace, so the same whenever it is told.
    pub fn beat_id(workspace: WorkspaceId, at: Timestamp) -> EventId {
        let (millis, micros) = (at.as_millisecond(), at.as_microsecond());
        let mut rest = [0; 10];
        rest.copy_from_slice(&workspace.as_uuid().as_bytes()[6..]);
        rest[0] = u8::try_from(micros.rem_euclid(1000) / 4).unwrap_or_default();
        let millis = u64::try_from(millis).unwrap_or_default();
        EventId::from_uuid(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
    }
}

/// A message to people: its text and its files, as they were posted.
fn message(workspace: WorkspaceId, name: &str, body: Option<Value>) -> Value {
    let mut payload = json!({"workspace_id": workspace, "name": name});
    let Some(body) = body else {
        payload["truncated"] = json!(true);
        return payload;
    };
    payload["message"] = body["result"].clone();
    let files = body["parts"].as_array().into_iter().flatten();
    let files: Vec<Value> = files.map(|part| part["file"].clone()).collect();
    if !files.is_empty() {
        payload["attachments"] = files.into();
    }
    payload
}

#[cfg(test)]
mod tests;

//! A workspace's activity: what was said to it, by it, and done in it.

use jiff::Timestamp;
use serde_json::Value;

use crate::{ActivityId, BodyId, WorkspaceId, json::Text};

/// The types agents may report themselves (contract: a2a-notify-events 5.3).
pub const REPORTABLE: [&str; 7] = [
    "a2a_send",
    "a2a_receive",
    "task_update",
    "agent_log",
    "skill_promotion",
    "memory_write",
    "error",
];

/// How long rows are kept, in days (contract: lifecycle-and-sweepers 11.1).
pub const RETENTION_DAYS: i64 = 7;

/// A body of a row: none, here, or stored once elsewhere because a request or reply is the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Content {
    /// There is none: the key is omitted on the wire.
    #[default]
    Absent,
    /// Any JSON, `null` included.
    Inline(Text),
    /// The stored body of a request or a reply.
    Stored(BodyId),
}

impl From<Option<Value>> for Content {
    fn from(value: Option<Value>) -> Self {
        value.map_or(Self::Absent, Self::from)
    }
}

impl From<Value> for Content {
    fn from(value: Value) -> Self {
        Self::Inline(Text::from(value))
    }
}

impl Content {
    /// The JSON that is here.
    pub fn json(self) -> Option<Text> {
        match self {
            Self::Inline(json) => Some(json),
            Self::Absent | Self::Stored(_) => None,
        }
    }
}

/// Who is behind a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A person (on the wire: a null `source_id`, which chat history reads as "the user").
    Person,
    /// A workspace.
    Workspace(WorkspaceId),
    /// A part of the platform, by its name (contract: a2a-notify-events 2.2): `system:…` and the like.
    Platform(String),
}

impl Source {
    /// The id on the wire.
    pub fn id(&self) -> Option<WorkspaceId> {
        match self {
            Self::Person | Self::Platform(_) => None,
            Self::Workspace(id) => Some(*id),
        }
    }

    /// The part of the platform that it is, if it is one.
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Platform(name) => Some(name),
            Self::Person | Self::Workspace(_) => None,
        }
    }

    /// Whether its messages show in the target's activity: what the platform tells agents about
    /// themselves does not.
    pub fn is_logged(&self) -> bool {
        self.platform()
            .is_none_or(|name| !name.starts_with("system:"))
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Version 7: rows sort by it.
    pub id: ActivityId,
    /// Whose activity it is.
    pub workspace: WorkspaceId,
    /// One of [`REPORTABLE`], or a type of the platform's own.
    pub activity_type: String,
    /// Who is behind it.
    pub source: Source,
    /// Whom it concerns, as given.
    pub target_id: Option<String>,
    /// The A2A method, or what the agent calls it.
    pub method: Option<String>,
    /// One line for people.
    pub summary: Option<String>,
    /// What was asked.
    pub request_body: Content,
    /// What was answered.
    pub response_body: Content,
    /// The tools an agent used for its answer.
    pub tool_trace: Content,
    /// Milliseconds it took.
    pub duration_ms: Option<i64>,
    /// `ok`, `error`, `queued`, or free text.
    pub status: String,
    /// What went wrong.
    pub error_detail: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// The first `max` bytes of `text`, cut at a character, with `ellipsis` when something was cut.
pub fn preview(text: &str, max: usize, ellipsis: &str) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    format!("{}{ellipsis}", &text[..text.floor_char_boundary(max)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_never_split_a_character() {
        assert_eq!(preview("short", 80, "…"), "short");
        assert_eq!(preview("exactly", 7, "…"), "exactly");
        assert_eq!(preview("grüße", 3, "..."), "gr...");
        assert_eq!(preview("grüße", 4, "..."), "grü...");
    }
}

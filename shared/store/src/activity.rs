//! Activity rows: newest first by id, bodies by reference where a request or reply has them.

mod list;
mod search;

use domain::{
    ActivityId, BodyId, Result, WorkspaceId,
    activity::{Activity, Content, Source},
    json::Text,
};
use jiff::Timestamp;
pub use list::{Filter, Patience};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::{Builder, Uuid};

use crate::{Store, beats, bodies, bodies::expiry, expr::Write, keys};

/// A fresh row id.
pub fn new_id() -> ActivityId {
    ActivityId::from_uuid(Uuid::now_v7())
}

/// A fresh row id above `id`, whatever the clock of its writer said.
pub(crate) fn new_id_above(id: ActivityId) -> ActivityId {
    let fresh = new_id();
    if fresh > id {
        return fresh;
    }
    let millis = u64::try_from(id.as_uuid().as_u128() >> 80).unwrap_or_default();
    let fresh = fresh.as_uuid().as_bytes();
    let mut rest = [0; 10];
    rest.copy_from_slice(&fresh[6..]);
    let above = Builder::from_unix_timestamp_millis(millis.saturating_add(1), &rest);
    ActivityId::from_uuid(above.into_uuid())
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    id: ActivityId,
    workspace_id: WorkspaceId,
    activity_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_id: Option<WorkspaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(default, skip_serializing_if = "Body::is_absent")]
    request_body: Body,
    #[serde(default, skip_serializing_if = "Body::is_absent")]
    response_body: Body,
    #[serde(default, skip_serializing_if = "Body::is_absent")]
    tool_trace: Body,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i64>,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_detail: Option<String>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    created_at: Timestamp,
    expires_at: i64,
}

/// JSON as text, so that it comes back as it came; or a reference.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    #[default]
    Absent,
    Json(String),
    Stored(BodyId),
}

impl Body {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl From<&Content> for Body {
    fn from(content: &Content) -> Self {
        match content {
            Content::Absent => Self::Absent,
            Content::Inline(json) => Self::Json(json.as_str().to_owned()),
            Content::Stored(id) => Self::Stored(*id),
        }
    }
}

impl From<Body> for Content {
    fn from(body: Body) -> Self {
        match body {
            Body::Absent => Self::Absent,
            Body::Json(text) => Self::Inline(Text::parse(text).unwrap_or_default()),
            Body::Stored(id) => Self::Stored(id),
        }
    }
}

impl From<&Activity> for Row {
    fn from(activity: &Activity) -> Self {
        let Activity {
            id,
            workspace,
            activity_type,
            source,
            target_id,
            method,
            summary,
            request_body,
            response_body,
            tool_trace,
            duration_ms,
            status,
            error_detail,
            created_at,
        } = activity.clone();
        Self {
            id,
            workspace_id: workspace,
            activity_type,
            source_id: source.id(),
            target_id,
            method,
            summary,
            request_body: (&request_body).into(),
            response_body: (&response_body).into(),
            tool_trace: (&tool_trace).into(),
            duration_ms,
            status,
            error_detail,
            created_at,
            expires_at: expiry(created_at),
        }
    }
}

impl From<Row> for Activity {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            workspace: row.workspace_id,
            activity_type: row.activity_type,
            source: row.source_id.map_or(Source::Person, Source::Workspace),
            target_id: row.target_id,
            method: row.method,
            summary: row.summary,
            request_body: row.request_body.into(),
            response_body: row.response_body.into(),
            tool_trace: row.tool_trace.into(),
            duration_ms: row.duration_ms,
            status: row.status,
            error_detail: row.error_detail,
            created_at: row.created_at,
        }
    }
}

/// The write that puts `activity` into its workspace's list.
pub(crate) fn record(activity: &Activity) -> Write {
    Write::put(
        keys::activity(activity.workspace, activity.id),
        &Row::from(activity),
    )
}

/// A row from plain JSON, as the stream shows it.
pub(crate) fn from_json(json: Value) -> Result<Activity, serde_json::Error> {
    Ok(serde_json::from_value::<Row>(json)?.into())
}

impl Store {
    /// Writes a row, and that its workspace gave a sign of life. Bodies over 16 KB go to the
    /// bucket first: one more call.
    ///
    /// # Errors
    /// The datastore did not answer. `false`: the workspace is gone.
    pub async fn log_activity(&self, mut activity: Activity) -> Result<bool> {
        let now = activity.created_at;
        for content in [&mut activity.request_body, &mut activity.response_body] {
            self.set_aside(content, now).await?;
        }
        let writes = [record(&activity), beats::active(activity.workspace, now)];
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(crate::TransactError::Cancelled(why)) if why.failed(1) => Ok(false),
            Err(other) => Err(other.into_error()),
        }
    }

    async fn set_aside(&self, content: &mut Content, now: Timestamp) -> Result<()> {
        let Content::Inline(json) = content else {
            return Ok(());
        };
        let text = json.as_str();
        if text.len() > bodies::IN_TABLE {
            let id = bodies::new_id();
            self.put_body(id, text.as_bytes(), now).await?;
            *content = Content::Stored(id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_above_another_is_above_it() {
        let now = new_id();
        let ahead = Builder::from_unix_timestamp_millis(1 << 44, &[u8::MAX; 10]).into_uuid();
        for id in [now, ActivityId::from_uuid(ahead)] {
            let above = new_id_above(id);
            assert!(above > id, "{above} {id}");
            assert_eq!(above.as_uuid().get_version_num(), 7);
            assert_ne!(above, new_id_above(id));
        }
    }
}

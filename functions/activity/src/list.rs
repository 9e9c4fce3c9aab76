//! `GET /workspaces/{id}/activity`: the newest rows, or those after one (contract:
//! a2a-notify-events 5.2; `since_id` is how poll-mode agents fetch their messages).

use domain::{
    ActivityId, Error, Kind, Result, WorkspaceId,
    activity::{Activity, Content},
    time::wire,
};
use edge::{App, Caller, Input, Reply};
use serde::Serialize;
use serde_json::Value;
use store::activity::Filter;

const DEFAULT_ROWS: usize = 100;
const MAX_ROWS: usize = 500;
/// The most bodies to fetch for one answer, in bytes; how many of them fit is seen when they are
/// written.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// A row on the wire: nulls explicit, absent bodies left out.
#[derive(Debug, Serialize)]
struct Row {
    id: ActivityId,
    workspace_id: WorkspaceId,
    activity_type: String,
    source_id: Option<WorkspaceId>,
    target_id: Option<String>,
    method: Option<String>,
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_trace: Option<Value>,
    duration_ms: Option<i64>,
    status: String,
    error_detail: Option<String>,
    created_at: String,
}

impl Row {
    fn drop_bodies(&mut self) {
        self.request_body = None;
        self.response_body = None;
        self.tool_trace = None;
    }
}

fn json(content: Content) -> Option<Value> {
    match content {
        Content::Inline(value) => Some(value),
        Content::Absent | Content::Stored(_) => None,
    }
}

impl From<Activity> for Row {
    fn from(row: Activity) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace,
            activity_type: row.activity_type,
            source_id: row.source.id(),
            target_id: row.target_id,
            method: row.method,
            summary: row.summary,
            request_body: json(row.request_body),
            response_body: json(row.response_body),
            tool_trace: json(row.tool_trace),
            duration_ms: row.duration_ms,
            status: row.status,
            error_detail: row.error_detail,
            created_at: wire(row.created_at),
        }
    }
}

fn filter(input: &Input) -> Result<Filter> {
    let from_agents = match input.query("source") {
        None | Some("") => None,
        Some("canvas") => Some(false),
        Some("agent") => Some(true),
        Some(_) => return Err(Error::invalid("source must be 'canvas' or 'agent'")),
    };
    let limit = input
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0)
        .map_or(DEFAULT_ROWS, |limit| limit.min(MAX_ROWS));
    let after = input.query("since_id").filter(|text| !text.is_empty());
    Ok(Filter {
        activity_type: input
            .query("type")
            .filter(|t| !t.is_empty())
            .map(str::to_owned),
        from_agents,
        after: after.map(str::parse).transpose()?,
        limit,
    })
}

/// Lists rows. What one answer cannot carry is left out, bodies first, and `X-Bodies-Truncated`
/// says so.
///
/// # Errors
/// 400, 401; 410 when the row of `since_id` is not known (any more): start over without it.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    app.own(&caller, id).await?;
    let filter = filter(&input)?;
    if let Some(cursor) = filter.after
        && !app.store.has_activity(id, cursor).await?
    {
        return Err(Error::new(
            Kind::Gone,
            "since_id is not known: start over without it",
        ));
    }
    let mut rows = app.store.activity(id, &filter, input.now).await?;
    let truncated = app
        .store
        .inline_bodies(&mut rows, MAX_BODY_BYTES, input.now)
        .await?;
    let rows = rows.into_iter().map(Row::from).collect();
    let (reply, whole) = Reply::list(rows, Row::drop_bodies);
    Ok(if truncated || !whole {
        reply.header("x-bodies-truncated", "true")
    } else {
        reply
    })
}

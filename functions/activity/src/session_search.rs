//! `GET /workspaces/{id}/session-search`: what happened that has this text in it, newest first
//! (contract: a2a-notify-events 7).
//!
//! There is no index of texts: rows are read, newest first, with what was said, until there are enough
//! or a limit is met; `X-Search-Truncated` says when there may be more. At most 1,000 rows and 4 MB of
//! bodies, which is about 1,500 read units; a search that finds what it wants in the newest 50 rows
//! reads no others, and bodies of ten rows at a time.

use domain::{
    ActivityId, Error, Result, WorkspaceId,
    activity::Activity,
    json::Text,
    search::{MAX_PATTERN, Pattern},
    time::wire,
};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

const DEFAULT_ITEMS: usize = 50;
const MAX_ITEMS: usize = 200;

/// Something found. Its texts are never null.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SessionSearchItem")]
struct Item {
    kind: &'static str,
    id: ActivityId,
    workspace_id: WorkspaceId,
    label: String,
    content: String,
    method: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    request_body: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    response_body: Option<Text>,
    created_at: String,
}

impl Item {
    fn drop_bodies(&mut self) {
        self.request_body = None;
        self.response_body = None;
    }
}

impl From<Activity> for Item {
    fn from(row: Activity) -> Self {
        Self {
            kind: "activity",
            id: row.id,
            workspace_id: row.workspace,
            label: row.activity_type,
            content: row.summary.unwrap_or_default(),
            method: row.method.unwrap_or_default(),
            status: row.status,
            request_body: row.request_body.json(),
            response_body: row.response_body.json(),
            created_at: wire(row.created_at),
        }
    }
}

/// Searches.
///
/// # Errors
/// 400 for a text over 256 bytes, 401.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    app.own(&caller, id).await?;
    let text = input.query("q").unwrap_or_default().trim();
    if text.len() > MAX_PATTERN {
        return Err(Error::invalid(format!("q may have {MAX_PATTERN} bytes")));
    }
    let limit = input
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0)
        .map_or(DEFAULT_ITEMS, |limit| limit.min(MAX_ITEMS));
    let pattern = Pattern::of(text);
    let found = app
        .store
        .search_activity(id, pattern.as_ref(), limit, input.now);
    let (rows, all) = found.await?;
    let items = rows.into_iter().map(Item::from).collect();
    let (reply, whole) = Reply::list(items, Item::drop_bodies);
    Ok(if all && whole {
        reply
    } else {
        reply.header("x-search-truncated", "true")
    })
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/session-search";
    api.route(
        "search_session",
        path,
        Who::Own,
        "What happened that has a text in it",
    )
    .query::<String>("q", "At most 256 bytes; without it all is found.")
    .query::<u32>("limit", "50 unless said otherwise; 200 at most.")
    .ok::<Vec<Item>>("Newest first.")
    .with_header(200, "X-Search-Truncated", "`true` where there may be more.")
    .fails(&[]);
}

//! `GET /workspaces/{id}/activity`: the newest rows, or those after one (contract: a2a-notify-events 5.2).
//!
//! Agents that fetch their messages have filters of their own (decision 27):
//! `since_id`, after which rows come oldest first, `since_secs`, `before_ts` and `peer_id`.

use domain::{
    ActivityId, Error, Kind, Result, WorkspaceId,
    activity::{Activity, RETENTION_DAYS},
    json::Text,
    time::wire,
};
use edge::{
    App, Caller, Identity, Input, Reply,
    openapi::{Api, Who},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::activity::Filter;

const DEFAULT_ROWS: usize = 100;
const MAX_ROWS: usize = 500;
/// The most bodies to fetch for one answer, in bytes; how many of them fit is seen when they are
/// written.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// A row on the wire: nulls explicit, absent bodies left out.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Activity")]
struct Row {
    id: ActivityId,
    workspace_id: WorkspaceId,
    activity_type: String,
    source_id: Option<WorkspaceId>,
    target_id: Option<String>,
    method: Option<String>,
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    request_body: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    response_body: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    tool_trace: Option<Text>,
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
            request_body: row.request_body.json(),
            response_body: row.response_body.json(),
            tool_trace: row.tool_trace.json(),
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
    let given = |name| input.query(name).filter(|text| !text.is_empty());
    let peer = given("peer_id").map(|text| {
        let id: Result<WorkspaceId> = text.parse();
        id.map_err(|_| Error::invalid("peer_id must be a UUID"))
    });
    Ok(Filter {
        activity_type: input
            .query("type")
            .filter(|t| !t.is_empty())
            .map(str::to_owned),
        from_agents,
        upto: None,
        after: given("since_id").map(str::parse).transpose()?,
        since: given("since_secs")
            .map(|text| since(text, input.now))
            .transpose()?,
        before: given("before_ts").map(before).transpose()?,
        peer: peer.transpose()?,
        limit,
        patience: None,
    })
}

/// So many seconds ago; more than rows are kept is all of them.
fn since(text: &str, now: Timestamp) -> Result<Timestamp> {
    let refusal = || Error::invalid("since_secs must be a positive integer");
    let seconds: u64 = text.trim().parse().map_err(|_| refusal())?;
    if seconds == 0 {
        return Err(refusal());
    }
    let kept = RETENTION_DAYS * 24 * 3600;
    let seconds = i64::try_from(seconds).map_or(kept, |seconds| seconds.min(kept));
    Ok(now - SignedDuration::from_secs(seconds))
}

fn before(text: &str) -> Result<Timestamp> {
    text.parse().map_err(|_| {
        Error::invalid("before_ts must be an RFC 3339 timestamp, as 2026-11-25T03:12:47Z")
    })
}

/// Lists rows. What one answer cannot carry is left out, bodies first, and `X-Bodies-Truncated`
/// says so.
///
/// # Errors
/// 400, 401; 410 when the row of `since_id` is not known (any more): start over without it.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let who = app.own(&caller, id).await?;
    let filter = filter(&input)?;
    if let Some(cursor) = filter.after
        && !app.store.has_activity(id, cursor).await?
    {
        return Err(Error::new(
            Kind::Gone,
            "since_id is not known: start over without it",
        ));
    }
    // An agent goes on from the last row it was shown.
    let goes_on = filter.after.is_some() || matches!(who, Identity::Workspace(_));
    let store = &app.store;
    let mut rows = if goes_on {
        store.activity_to_go_on_from(id, &filter, input.now).await?
    } else {
        store.activity(id, &filter, input.now).await?
    };
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

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/activity";
    api.route(
        "list_activity",
        path,
        Who::Own,
        "What a workspace did, and what it was sent",
    )
    .about("How agents without an address fetch their messages: `type=a2a_receive`, `since_id`.")
    .query::<String>("type", "Only rows of this type.")
    .query::<String>(
        "source",
        "`canvas`: only people's; `agent`: only those of workspaces.",
    )
    .query::<u32>("limit", "100 unless said otherwise; 500 at most.")
    .query::<ActivityId>(
        "since_id",
        "Only rows after this one, oldest first. 410: start over.",
    )
    .query::<u64>("since_secs", "Only rows of the last so many seconds.")
    .query::<String>("before_ts", "Only rows before this moment (RFC 3339).")
    .query::<WorkspaceId>("peer_id", "Only rows that this workspace has to do with.")
    .ok::<Vec<Row>>("Newest first, without `since_id`.")
    .with_header(
        200,
        "X-Bodies-Truncated",
        "`true` where bodies, or rows, were left out.",
    )
    .fails(&[Kind::Gone]);
}

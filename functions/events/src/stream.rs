//! `GET /workspaces/{id}/events/stream`: one workspace's events as server-sent events (contract:
//! a2a-notify-events 12).
//!
//! An HTTP API passes on an answer only when it is whole. So one answer is what has happened since
//! `Last-Event-ID`, waited for up to 20 s, and ends; an `EventSource` asks again by itself, from the
//! last `id` on. The first block has an id and no data: who has seen nothing yet misses nothing
//! either.

use std::time::Duration;

use domain::{Error, EventId, Kind, Result, WorkspaceId};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use serde_json::json;
use store::{events::EventRow, workspaces::Parts};
use tokio::time::{Instant, sleep};
use uuid::{Builder, Uuid};

/// How long one answer waits for something to tell: an HTTP API ends at 30 s.
const WINDOW: Duration = Duration::from_secs(20);
/// How often the log is looked at: half a read unit each time.
const EVERY: Duration = Duration::from_secs(1);
/// How many events one answer has at most.
const MOST: i32 = 100;

/// Tells what happens to a workspace.
///
/// # Errors
/// 400 for a `Last-Event-ID` that is no event's, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let (rows, credential) = app.rows(&caller, Parts::Core.keys(id)).await?;
    auth::own(app.settings.mode, &caller, id, credential.as_ref())?;
    if rows.workspace(id)?.is_none() {
        return Err(Error::missing("workspace not found"));
    }
    let since = match input.header("last-event-id").filter(|it| !it.is_empty()) {
        Some(text) => text.parse()?,
        None => first_of(input.now),
    };
    let deadline = Instant::now() + WINDOW;
    loop {
        let found = app.store.events_of_since(id, since, MOST).await?;
        let new: Vec<_> = found.into_iter().filter(|row| row.id > since).collect();
        if !new.is_empty() || Instant::now() + EVERY > deadline {
            return Ok(Reply::event_stream(&text(since, &new)));
        }
        sleep(EVERY).await;
    }
}

/// The lowest id of a moment.
fn first_of(now: Timestamp) -> EventId {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let id: Uuid = Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    EventId::from_uuid(id)
}

fn text(since: EventId, rows: &[EventRow]) -> String {
    let mut text = format!(": ping\n\nretry: 100\nid: {since}\n\n");
    for row in rows {
        let data = json!({
            "type": row.event_type,
            "timestamp": row.created_at.as_millisecond(),
            "data": row.payload(),
        });
        text += &format!("id: {}\ndata: {data}\n\n", row.id);
    }
    text
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/events/stream";
    api.route(
        "stream_events",
        path,
        Who::Own,
        "Tells of a workspace's events as they happen",
    )
    .about(
        "For `EventSource`. Each answer waits up to 20 s for something to tell, and ends; the next \
             one goes on from `Last-Event-ID`.",
    )
    .header::<EventId>("Last-Event-ID", "The last event that was seen.")
    .answers_with(
        200,
        "Events, each with an `id` and `data` that is JSON: `type`, `timestamp`, `data`.",
        "text/event-stream",
        // Readers take the stream apart and hold each event against it.
        json!({}),
    )
    .fails(&[Kind::Missing]);
}

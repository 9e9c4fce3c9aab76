//! `GET /workspaces/{id}/events/stream`: one workspace's events as server-sent events (contract:
//! a2a-notify-events 12, 16.5).
//!
//! An HTTP API passes on an answer only when it is whole. So one answer is what has happened since
//! `Last-Event-ID`, waited for up to 20 s, and ends; an `EventSource` asks again by itself, from the
//! last `id` on. The first block has an id and no data: who has seen nothing yet misses nothing
//! either. The same at the address where answers stream is [`live`](crate::live).

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
/// How often the log is looked at: a read unit each time.
pub(crate) const EVERY: Duration = Duration::from_secs(1);
/// How many events one answer has at most.
const MOST: usize = 100;
/// After how many milliseconds a client asks again when an answer ended as it should.
pub(crate) const AGAIN_MS: u32 = 100;
/// What keeps proxies from giving up, and what an answer begins with.
pub(crate) const PING: &str = ": ping\n\n";

/// Tells what happened to a workspace.
///
/// # Errors
/// 400 for a `Last-Event-ID` that is no event's, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    admit(app, &caller, id).await?;
    let since = since(&input)?;
    let deadline = Instant::now() + WINDOW;
    loop {
        let now = Timestamp::now();
        let found = app.store.events_of_after(id, since, |_| false, MOST, now);
        let new = found.await?;
        if !new.is_empty() || Instant::now() + EVERY > deadline {
            let blocks: String = new.iter().map(block).collect();
            return Ok(Reply::event_stream(&(opening(since, AGAIN_MS) + &blocks)));
        }
        sleep(EVERY).await;
    }
}

/// Who may listen: the workspace itself and operators, also when it is removed.
///
/// # Errors
/// 401, 404.
pub(crate) async fn admit(app: &App, caller: &Caller, id: WorkspaceId) -> Result<()> {
    let (rows, credential) = app.rows(caller, Parts::Core.keys(id)).await?;
    auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    if rows.workspace(id)?.is_none() {
        return Err(Error::missing("workspace not found"));
    }
    Ok(())
}

/// The last event that the client knows; without one, all that happened up to now.
///
/// # Errors
/// 400: it is no event's id.
pub(crate) fn since(input: &Input) -> Result<EventId> {
    match input.header("last-event-id").filter(|it| !it.is_empty()) {
        Some(text) => text.parse(),
        None => Ok(first_of(input.now)),
    }
}

/// The lowest id of a moment.
fn first_of(now: Timestamp) -> EventId {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let id: Uuid = Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    EventId::from_uuid(id)
}

/// How an answer begins: after so many milliseconds the client asks again, from `since` on.
pub(crate) fn opening(since: EventId, again_ms: u32) -> String {
    format!("{PING}retry: {again_ms}\n{}", place(since))
}

/// From where the client is to go on; nothing is told by it.
pub(crate) fn place(since: EventId) -> String {
    format!("id: {since}\n\n")
}

/// An event.
pub(crate) fn block(row: &EventRow) -> String {
    let data = json!({
        "type": row.event_type,
        "timestamp": row.created_at.as_millisecond(),
        "data": row.payload(),
    });
    format!("id: {}\ndata: {data}\n\n", row.id)
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

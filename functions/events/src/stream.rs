//! `GET /workspaces/{id}/events/stream`: one workspace's events as server-sent events (contract:
//! a2a-notify-events 12, 16.5).
//!
//! An HTTP API passes on an answer only when it is whole. So one answer is what has happened since
//! `Last-Event-ID`, waited for up to 20 s, and ends; an `EventSource` asks again by itself, from the
//! last `id` on. The first block has an id and no data: who has seen nothing yet misses nothing
//! either. The last one says [what was told](crate::told). The same at the address where answers stream
//! is [`live`](crate::live).

use std::time::Duration;

use domain::{Error, Kind, Result, WorkspaceId};
use edge::{
    App, Caller, Identity, Input, Reply, auth,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use serde_json::json;
use store::{leases::Waits, workspaces::Parts};
use tokio::time::{Instant, sleep};

use crate::{
    room,
    told::{Payload, Told},
};

/// How long one answer waits for something to tell: an HTTP API ends at 30 s.
const WINDOW: Duration = Duration::from_secs(20);
/// How often the log is looked at: a read unit each time.
pub(crate) const EVERY: Duration = Duration::from_secs(1);
/// How many events one answer has at most, and after how many bytes none is added: Lambda takes 6 MB, in
/// which text is up to twice as long.
const MOST: (usize, usize) = (100, 2_000_000);
/// After how many milliseconds a client asks again when an answer ended as it should.
pub(crate) const AGAIN_MS: u32 = 100;
/// What keeps proxies from giving up, and what an answer begins with.
pub(crate) const PING: &str = ": ping\n\n";

/// Tells what happened to a workspace.
///
/// # Errors
/// 400 for a `Last-Event-ID` that is no event's, 401, 404, 429 for a workspace that has many open.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let who = admit(app, &caller, id).await?;
    let mut told = since(&input)?;
    let opening = opening(&told, AGAIN_MS);
    let deadline = Instant::now() + WINDOW;
    // Only who waits needs room: what is there already is told as any other list.
    let (mut waits, mut lease) = (false, None);
    loop {
        let now = Timestamp::now();
        let news = match told.news(app, id, MOST, now).await {
            Ok(news) => news,
            Err(error) => {
                room::give_back(app, lease).await;
                return Err(error);
            }
        };
        if !news.is_empty() || Instant::now() + EVERY > deadline {
            // Also where it is about to end by itself: the client is back before that.
            room::give_back(app, lease).await;
            let blocks: String = news.iter().map(block).collect();
            return Ok(Reply::event_stream(&(opening + &blocks + &place(&told))));
        }
        if !waits {
            lease = room::take(app, &who, Waits::Answer, now + WINDOW, now).await?;
            waits = true;
        }
        sleep(EVERY).await;
    }
}

/// Who may listen: the workspace itself and operators, also when it is removed. Answers which of them it is.
///
/// # Errors
/// 401, 404.
pub(crate) async fn admit(app: &App, caller: &Caller, id: WorkspaceId) -> Result<Identity> {
    let (rows, credential) = app.rows(caller, Parts::Core.keys(id)).await?;
    let who = auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    if rows.workspace(id)?.is_none() {
        return Err(Error::missing("workspace not found"));
    }
    Ok(who)
}

/// What the client was told; without a word of it, all that happened up to now.
///
/// # Errors
/// 400: it is no event's id.
pub(crate) fn since(input: &Input) -> Result<Told> {
    match input.header("last-event-id").filter(|it| !it.is_empty()) {
        Some(text) => Told::parse(text, input.now),
        None => Ok(Told::at(input.now)),
    }
}

/// How an answer begins: after so many milliseconds the client asks again, from there on.
pub(crate) fn opening(told: &Told, again_ms: u32) -> String {
    format!("{PING}retry: {again_ms}\n{}", place(told))
}

/// From where the client is to go on; nothing is told by it.
pub(crate) fn place(told: &Told) -> String {
    format!("id: {told}\n\n")
}

/// An event.
pub(crate) fn block((news, payload): &Payload) -> String {
    let (id, at, name) = (news.id, news.at.as_millisecond(), json!(news.name));
    format!("id: {id}\ndata: {{\"data\":{payload},\"timestamp\":{at},\"type\":{name}}}\n\n")
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/events/stream";
    api.route(
        "stream_events",
        path,
        Who::Own,
        "Tells what happens to a workspace, as it happens",
    )
    .about(
        "For `EventSource`. Each answer waits up to 20 s for something to tell, and ends; the next \
             one goes on from `Last-Event-ID`. A workspace has 20 streams open at most, operators as many as they \
             like.",
    )
    .header::<String>(
        "Last-Event-ID",
        "The last `id` that was seen: of an event, or the one after the events.",
    )
    .answers_with(
        200,
        "Events, each with an `id` and `data` that is JSON: `type`, `timestamp`, `data`.",
        "text/event-stream",
        // Readers take the stream apart and hold each event against it.
        json!({}),
    )
    .fails(&[Kind::Missing, Kind::TooMany]);
}

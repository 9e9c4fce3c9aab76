//! News to connections: each connection in order, many at the same time, all within a deadline. What they are told
//! is read in the first half of it at most: no connection is closed because a table or a bucket was slow.
//!
//! A connection that does not take a frame is closed and forgotten. It would else miss one event and
//! get the next; so its client comes back and asks for what it missed. Those whose token was revoked are
//! closed, too, within seconds of the next news there is: the marks of workspaces' live tokens come with rows
//! that are read anyway, and [operators'](crate::operators) are looked up.

use std::{collections::HashSet, time::Duration};

use domain::{Error, Result, event::envelope};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use store::connections::Connection;
use tokio::time::{Instant, timeout_at};

use super::Relay;
use crate::{
    news::News,
    sockets::{Posted, is_opening},
    views::Places,
};

/// How many connections are posted to at the same time.
const AT_ONCE: usize = 64;
/// How long closing and forgetting may take after the deadline; the function has half a minute in all.
const SETTLING: Duration = Duration::from_secs(7);
/// How many frames are made at the same time: some of them are read from the bucket.
const READ_AT_ONCE: usize = 8;

/// What a workspace is told last.
const REMOVED: &str = "WORKSPACE_REMOVED";

/// How a connection fared.
enum Fared {
    Well,
    /// It is gone.
    Gone,
    /// It did not take a frame, or not in time.
    Badly(String),
    /// The gateway did not answer.
    Unknown(Error),
}

/// Who may be told, and what.
struct Telling {
    connections: Vec<Connection>,
    places: Places,
    /// Of each of the news, unless nobody sees it.
    frames: Vec<Option<String>>,
    /// The connections of operators whose token is none any more.
    void: HashSet<String>,
}

/// Tells those who may see it.
///
/// # Errors
/// The datastore did not answer in time, or the gateway took nothing at all.
pub(super) async fn push(
    relay: &Relay,
    news: &[News],
    now: Timestamp,
    deadline: Instant,
) -> Result<()> {
    let begun = Instant::now();
    let half = begun + deadline.saturating_duration_since(begun) / 2;
    let Telling {
        connections,
        places,
        frames,
        void,
    } = timeout_at(half, prepare(relay, news, now))
        .await
        .map_err(|_| Error::unavailable("what is to be told was not read in time"))??;
    let is_revoked =
        |connection: &Connection| places.is_revoked(connection) || void.contains(&connection.id);
    let is_over = |connection: &Connection| {
        let own = connection.workspace_id;
        let removed = |it: &News| it.name == REMOVED && Some(it.workspace) == own;
        is_revoked(connection) || news.iter().any(removed)
    };
    let fared: Vec<_> = stream::iter(&connections)
        .map(|connection| {
            let frames = &frames;
            let revoked = is_revoked(connection);
            let seen = news.iter().zip(frames).filter_map(|(it, frame)| {
                // A removed workspace has no token any more, and is told why all the same.
                let its_end = it.name == REMOVED && Some(it.workspace) == connection.workspace_id;
                let sees = places.sees(connection, it.workspace, it.whom);
                frame.as_deref().filter(|_| sees && (its_end || !revoked))
            });
            tell(relay, connection, seen.collect(), deadline)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let settled = timeout_at(deadline + SETTLING, settle(relay, fared, is_over, now)).await;
    settled.map_err(|_| Error::unavailable("connections were not closed in time"))?
}

/// Reads all that telling needs; nothing but the list of connections when there are none.
async fn prepare(relay: &Relay, news: &[News], now: Timestamp) -> Result<Telling> {
    let app = relay.app;
    let connections = app.store.connections(now).await?;
    if connections.is_empty() {
        return Ok(Telling {
            connections,
            places: Places::default(),
            frames: Vec::new(),
            void: HashSet::new(),
        });
    }
    let listening = connections.iter().filter_map(|it| it.workspace_id);
    let about = news.iter().map(|it| it.workspace);
    let places = relay
        .views
        .of(&app.store, listening.chain(about), now)
        .await?;
    let frames = stream::iter(news)
        .map(|it| frame(relay, it, &connections, &places, now))
        .buffered(READ_AT_ONCE)
        .try_collect()
        .await?;
    let void = relay.operators.void(&app.store, &connections, now).await?;
    Ok(Telling {
        connections,
        places,
        frames,
        void,
    })
}

/// The frame, unless nobody sees it: then what it needs is not read.
async fn frame(
    relay: &Relay,
    news: &News,
    connections: &[Connection],
    places: &Places,
    now: Timestamp,
) -> Result<Option<String>> {
    let mut all = connections.iter();
    if !all.any(|it| places.sees(it, news.workspace, news.whom)) {
        return Ok(None);
    }
    let name = places.name(news.workspace);
    let payload = news.payload(relay.app, name, now).await?;
    let workspace = Some(news.workspace);
    Ok(Some(envelope(
        news.id, &news.name, workspace, news.at, &payload,
    )))
}

/// One connection's frames, in order; the first that is not taken is the last.
async fn tell<'a>(
    relay: &Relay,
    connection: &'a Connection,
    frames: Vec<&str>,
    deadline: Instant,
) -> (&'a Connection, usize, Fared) {
    let mut sent = 0;
    for frame in frames {
        match timeout_at(deadline, relay.sockets.post(&connection.id, frame)).await {
            Ok(Posted::Sent) => sent += 1,
            Ok(Posted::Gone) => return (connection, sent, Fared::Gone),
            Ok(Posted::Refused(why)) => return (connection, sent, Fared::Badly(why)),
            Ok(Posted::Failed(why)) => return (connection, sent, Fared::Unknown(why)),
            Err(_) => return (connection, sent, Fared::Badly("too slow".to_owned())),
        }
    }
    (connection, sent, Fared::Well)
}

/// Forgets those that are gone, closes those that did badly and those that may listen no longer, many at a
/// time: a gateway that is slow to post is slow to close.
async fn settle(
    relay: &Relay,
    fared: Vec<(&Connection, usize, Fared)>,
    is_over: impl Fn(&Connection) -> bool,
    now: Timestamp,
) -> Result<()> {
    let sent: usize = fared.iter().map(|(_, sent, _)| sent).sum();
    let (mut ended, mut gone) = (Vec::new(), Vec::new());
    for (connection, _, fared) in fared {
        let id = connection.id.as_str();
        match fared {
            Fared::Well if is_over(connection) => ended.push(id),
            Fared::Well => {}
            Fared::Gone if is_opening(connection, now) => {}
            Fared::Gone => gone.push(id),
            // Nobody got anything: that is the gateway, and no connection's fault.
            Fared::Unknown(why) if sent == 0 => return Err(why),
            Fared::Unknown(why) => {
                edge::http::log_failure(&why, "push");
                ended.push(id);
            }
            Fared::Badly(why) => {
                tracing::warn!(connection = %id, reason = why, "closed: it did not take a frame");
                ended.push(id);
            }
        }
    }
    let forgetting = gone.into_iter().map(|id| (id, false));
    stream::iter(ended.into_iter().map(|id| (id, true)).chain(forgetting))
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |(id, closes)| async move {
            if closes {
                relay.sockets.close(relay.app, id).await
            } else {
                relay.app.store.disconnect(id).await
            }
        })
        .await
}

//! News to connections: each connection in order, many at the same time, all within a deadline.
//!
//! A connection that does not take a frame is closed and forgotten. It would else miss one event and
//! get the next; so its client comes back and asks for what it missed. Those whose token was revoked are
//! closed, too, within seconds of the next news there is: the marks of workspaces' live tokens come with rows
//! that are read anyway, and [operators'](crate::operators) are looked up.

use std::time::Duration;

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
/// How long a batch may take: the function has 30 s.
const PATIENCE: Duration = Duration::from_secs(20);

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

/// Tells those who may see it.
///
/// # Errors
/// The datastore did not answer, or the gateway took nothing at all.
pub(super) async fn push(relay: &Relay, news: &[News], now: Timestamp) -> Result<()> {
    let app = relay.app;
    let connections = app.store.connections(now).await?;
    if connections.is_empty() {
        return Ok(());
    }
    let listening = connections.iter().filter_map(|it| it.workspace_id);
    let about = news.iter().map(|it| it.workspace);
    let places = relay
        .views
        .of(&app.store, listening.chain(about), now)
        .await?;
    let mut frames = Vec::with_capacity(news.len());
    for it in news {
        frames.push(frame(relay, it, &connections, &places, now).await?);
    }
    let void = relay.operators.void(&app.store, &connections, now).await?;
    let is_revoked =
        |connection: &Connection| places.is_revoked(connection) || void.contains(&connection.id);
    let is_over = |connection: &Connection| {
        let own = connection.workspace_id;
        let removed = |it: &News| it.name == REMOVED && Some(it.workspace) == own;
        is_revoked(connection) || news.iter().any(removed)
    };
    let deadline = Instant::now() + PATIENCE;
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
    settle(relay, fared, is_over, now).await
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

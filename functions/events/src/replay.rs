//! `replay`: who comes back with `?since=<event id>` is told what was missed.
//!
//! The row of the connection, on the table's stream, is the job. Live events may come between those
//! missed; the last frame, `REPLAY_COMPLETE`, says that from now on all come in order.

use std::{collections::HashSet, time::Duration};

use domain::{Error, EventId, Result, event::envelope};
use edge::{App, Missing, required};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    connections::Connection,
    keys::Key,
    stream::{Batch, Seen},
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::{
    sockets::{Posted, Sockets},
    views::{Audience, Views},
};

/// How many events are told again at most.
pub const MOST: usize = 1000;
/// A connection opens a moment after its row is written: how often it is looked for, 100 ms apart.
const KNOCKS: u32 = 50;
/// How many connections are served at the same time.
const AT_ONCE: usize = 10;
/// How many events are read at once: a payload has up to 64 KB.
const CHUNK: usize = 50;
/// How far an index is behind its table, as a rule with much to spare.
const BEHIND: Duration = Duration::from_secs(1);
/// How long one replay may take. Those of other connections wait for it, and the function has 120 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// The context of replays.
#[derive(Debug)]
pub struct Replay {
    app: &'static App,
    sockets: Sockets,
    views: Views,
}

impl Replay {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let sockets = Sockets::new(app, &required("WEBSOCKET_ENDPOINT")?);
        Ok(Self::with(app, sockets))
    }

    /// With this gateway.
    pub fn with(app: &'static App, sockets: Sockets) -> &'static Self {
        Box::leak(Box::new(Self {
            app,
            sockets,
            views: Views::default(),
        }))
    }
}

/// Tells each connection of a batch what it missed.
///
/// # Errors
/// Never: who could not be told is cut off, comes back and asks again.
pub async fn handle(replay: &'static Replay, batch: Batch) -> Result<Value> {
    let seen = batch.records.iter().map(|record| record.dynamodb.seen());
    let returning = seen.filter_map(|seen| match seen {
        Ok(Seen::Connection(connection)) => Some((connection.since?, connection)),
        _ => None,
    });
    stream::iter(returning)
        .for_each_concurrent(AT_ONCE, |(since, connection)| async move {
            let told = timeout(PATIENCE, tell(replay, &connection, since)).await;
            let told = told.unwrap_or_else(|_| Err(Error::unavailable("a replay took too long")));
            if let Err(error) = told {
                edge::http::log_failure(&error, "replay");
                let closed = replay.sockets.close(replay.app, &connection.id).await;
                if let Err(error) = closed {
                    edge::http::log_failure(&error, "replay");
                }
            }
        })
        .await;
    Ok(json!({"batchItemFailures": []}))
}

async fn tell(replay: &Replay, connection: &Connection, since: EventId) -> Result<()> {
    let store = &replay.app.store;
    // The relay tells nothing to who is not there yet, so the log is read when it is.
    if !is_open(replay, connection).await? {
        return store.disconnect(&connection.id).await;
    }
    let sees = async |ids: Vec<_>| {
        let all = ids.iter().copied().chain(connection.workspace_id);
        let places = replay.views.of(store, all, Timestamp::now()).await?;
        let seen = ids.into_iter();
        let seen = seen.filter(|id| places.sees(connection, *id, Audience::Tree));
        Ok(seen.collect::<HashSet<_>>())
    };
    let missed = store.events_since(since, &sees, MOST).await?;
    if !post_all(replay, connection, &missed.keys).await? {
        return Ok(());
    }
    let (mut count, mut upto, mut more) = (missed.missed, missed.upto, missed.more);
    if !more {
        // The index of the log is a moment behind.
        sleep(BEHIND).await;
        let late = store.events_since(upto, &sees, MOST).await?;
        let known: HashSet<&Key> = missed.keys.iter().collect();
        let keys = late.keys.into_iter().filter(|key| !known.contains(key));
        let keys: Vec<Key> = keys.collect();
        if !post_all(replay, connection, &keys).await? {
            return Ok(());
        }
        (count, upto, more) = (count + late.missed, late.upto, late.more);
    }
    let payload = json!({"replayed": count, "more": more, "since": upto});
    let id = EventId::from_uuid(Uuid::now_v7());
    let frame = envelope(id, "REPLAY_COMPLETE", None, Timestamp::now(), &payload);
    post(replay, connection, &frame).await?;
    Ok(())
}

/// Whether a connection is open, once it is or will not be any more.
async fn is_open(replay: &Replay, connection: &Connection) -> Result<bool> {
    for _ in 0..KNOCKS {
        if replay.sockets.is_open(&connection.id).await? {
            return Ok(true);
        }
        if !crate::sockets::is_opening(connection, Timestamp::now()) {
            return Ok(false);
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(false)
}

/// Posts events, a few read at a time; `false` when the connection is gone.
async fn post_all(replay: &Replay, connection: &Connection, keys: &[Key]) -> Result<bool> {
    for some in keys.chunks(CHUNK) {
        for row in replay.app.store.events_at(some).await? {
            let about = Some(row.workspace_id);
            let (at, payload) = (row.created_at, row.payload());
            let frame = envelope(row.id, &row.event_type, about, at, &payload);
            if !post(replay, connection, &frame).await? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Posts a frame; `false` when the connection is gone.
async fn post(replay: &Replay, connection: &Connection, frame: &str) -> Result<bool> {
    match replay.sockets.post(&connection.id, frame).await {
        Posted::Sent => Ok(true),
        Posted::Refused(why) => Err(Error::unavailable(why)),
        Posted::Failed(why) => Err(why),
        Posted::Gone => {
            replay.app.store.disconnect(&connection.id).await?;
            Ok(false)
        }
    }
}

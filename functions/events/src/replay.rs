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
    stream::{Batch, Seen},
};
use tokio::time::sleep;
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
            if let Err(error) = tell(replay, &connection, since).await {
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
    let (store, now) = (&replay.app.store, Timestamp::now());
    let sees = async |ids: Vec<_>| {
        let all = ids.iter().copied().chain(connection.workspace_id);
        let places = replay.views.of(store, all, now).await?;
        let seen = ids.into_iter();
        let seen = seen.filter(|id| places.sees(connection, *id, Audience::Tree));
        Ok(seen.collect::<HashSet<_>>())
    };
    let (rows, more) = store.events_since(since, sees, MOST).await?;
    for row in &rows {
        let about = Some(row.workspace_id);
        let frame = envelope(
            row.id,
            &row.event_type,
            about,
            row.created_at,
            &row.payload(),
        );
        if !post(replay, connection, &frame).await? {
            return Ok(());
        }
    }
    let last = rows.last().map_or(since, |row| row.id.max(since));
    let missed = rows.iter().filter(|row| row.id > since).count();
    let payload = json!({"replayed": missed, "more": more, "since": last});
    let id = EventId::from_uuid(Uuid::now_v7());
    let frame = envelope(id, "REPLAY_COMPLETE", None, Timestamp::now(), &payload);
    post(replay, connection, &frame).await?;
    Ok(())
}

/// Posts a frame; `false` when the connection is gone.
async fn post(replay: &Replay, connection: &Connection, frame: &str) -> Result<bool> {
    for _ in 0..KNOCKS {
        match replay.sockets.post(&connection.id, frame).await {
            Posted::Sent => return Ok(true),
            Posted::Refused(why) => return Err(Error::unavailable(why)),
            Posted::Failed(why) => return Err(why),
            Posted::Gone if !crate::sockets::is_opening(connection, Timestamp::now()) => {
                replay.app.store.disconnect(&connection.id).await?;
                return Ok(false);
            }
            Posted::Gone => sleep(Duration::from_millis(100)).await,
        }
    }
    // It never opened.
    replay.app.store.disconnect(&connection.id).await?;
    Ok(false)
}

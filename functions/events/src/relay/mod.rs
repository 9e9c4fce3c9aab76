//! `relay`: what the table's stream shows goes to those who listen and to the bus.
//!
//! The stream gives every row at least once, in the order in which the rows of one workspace were
//! committed. A batch that fails is told again as a whole or from the failed record on; repeats carry
//! the same ids. What cannot be read goes to the dead letters at once, since it would not be readable
//! next time.

mod bus;
mod push;

use std::time::Duration;

use domain::{Error, Result};
use edge::{App, Missing, required};
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::stream::{Batch, Change};
use tokio::time::Instant;

use self::bus::Bus;
use crate::{news::News, operators::Operators, sockets::Sockets, views::Views};

/// How long a batch may take: the function has 30 s, and some of them are needed to say what was not told.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the bus may refuse an event before the rest is told without it.
const BUS_PATIENCE: SignedDuration = SignedDuration::from_mins(1);
/// How long the bus has for what it may refuse: if it hangs, batches that waited long must not wait for it, each
/// of them, as long as new ones do. A bus that is well takes a batch in a tenth of it.
const BUS_LATE: Duration = Duration::from_secs(5);

/// The context of the relay.
#[derive(Debug)]
pub struct Relay {
    app: &'static App,
    sockets: Sockets,
    bus: Bus,
    views: Views,
    operators: Operators,
    sqs: aws_sdk_sqs::Client,
    dead: String,
}

impl Relay {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let sockets = Sockets::new(app, &required("WEBSOCKET_ENDPOINT")?);
        let (bus, dead) = (required("EVENT_BUS")?, required("RELAY_DEAD_QUEUE_URL")?);
        Ok(Self::with(app, sockets, bus, dead))
    }

    /// With this gateway, this bus and this queue.
    pub fn with(app: &'static App, sockets: Sockets, bus: String, dead: String) -> &'static Self {
        Box::leak(Box::new(Self {
            app,
            sockets,
            bus: Bus::new(app, bus),
            views: Views::default(),
            operators: Operators::of(&app.settings.admin_token, Timestamp::now()),
            sqs: aws_sdk_sqs::Client::new(&app.sdk),
            dead,
        }))
    }

    /// Puts aside what cannot be read: its key, never its content.
    async fn bury(&self, change: &Change, why: &serde_json::Error) -> Result<()> {
        tracing::error!(key = %change.keys, error = %why, "a row of the stream cannot be read");
        self.put_aside(&json!({
            "key": change.keys,
            "sequence_number": change.sequence,
            "error": why.to_string(),
        }))
        .await
    }

    /// Puts aside what the bus does not take.
    async fn bury_news(&self, news: &News) -> Result<()> {
        let (event_id, workspace) = (news.id, news.workspace);
        tracing::error!(%event_id, workspace_id = %workspace, "the bus does not take an event");
        self.put_aside(&json!({
            "event_id": event_id,
            "workspace_id": workspace,
            "error": "the bus does not take it",
        }))
        .await
    }

    async fn put_aside(&self, letter: &Value) -> Result<()> {
        let send = self.sqs.send_message().queue_url(&self.dead);
        let sent = send.message_body(letter.to_string()).send().await;
        sent.map_err(Error::unavailable)?;
        Ok(())
    }
}

/// Tells a batch.
///
/// # Errors
/// Nothing of it could be told: all of it comes again.
pub async fn handle(relay: &'static Relay, batch: Batch) -> Result<Value> {
    tell(relay, batch, Timestamp::now(), Instant::now() + PATIENCE).await
}

/// Tells it at this time, with the last word to the bus and to connections at `deadline`.
///
/// # Errors
/// As [`handle`].
pub async fn tell(
    relay: &'static Relay,
    batch: Batch,
    now: Timestamp,
    deadline: Instant,
) -> Result<Value> {
    let mut news: Vec<News> = Vec::new();
    // The change that each of them came with.
    let mut sequences: Vec<&str> = Vec::new();
    for record in &batch.records {
        match record.dynamodb.seen() {
            Ok(seen) => {
                news.extend(News::of(seen));
                sequences.resize(news.len(), &record.dynamodb.sequence);
            }
            Err(why) => relay.bury(&record.dynamodb, &why).await?,
        }
    }
    if news.is_empty() {
        return Ok(json!({"batchItemFailures": []}));
    }
    let is_late = |it: &News| now.duration_since(it.at) > BUS_PATIENCE;
    let for_bus = match news.first().is_some_and(is_late) {
        true => deadline.min(Instant::now() + BUS_LATE),
        false => deadline,
    };
    let (sent, pushed) = join(
        relay.bus.send(&news, for_bus),
        push::push(relay, &news, now, deadline),
    )
    .await;
    pushed?;
    let Some(first) = sent else {
        return Ok(json!({"batchItemFailures": []}));
    };
    // What the bus has not taken for a minute holds up nobody who listens.
    if is_late(&news[first]) {
        for it in news[first..].iter().filter(|it| it.kept) {
            relay.bury_news(it).await?;
        }
        return Ok(json!({"batchItemFailures": []}));
    }
    // From the first that the bus did not take on. Those before it are done.
    match first {
        0 => Err(Error::unavailable("the bus takes nothing")),
        _ => Ok(json!({"batchItemFailures": [{"itemIdentifier": sequences[first]}]})),
    }
}

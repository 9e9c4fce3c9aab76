//! `GET /workspaces/{id}/events/stream` at the address `StreamUrl`, where an answer is sent while it is
//! made (contract: a2a-notify-events 12, 16.5).
//!
//! The same rules, blocks and ids as at the [API](crate::stream), as one answer that lasts until ten
//! seconds before Lambda would stop it. Events come as they are written. The log is looked at only when
//! there is room for what it says: a client that does not read is waited for, and nothing is kept for it.
//!
//! Every second costs its function's memory, and one read unit; a client that goes away without a word is
//! not noticed before the end. So an answer ends by itself, and early when its credential is revoked.

use std::{collections::HashSet, time::Duration};

use domain::{EventId, Result, WorkspaceId};
use edge::{App, Caller, Input, Reply, Streamed};
use futures_util::stream::{Stream, unfold};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{Method, StatusCode};
use store::events::{EventRow, before};
use tokio::time::{Instant, sleep_until};

use crate::stream::{AGAIN_MS, EVERY, PING, admit, block, opening, place, since};

/// How long before Lambda would stop it an answer ends.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// How long an answer lasts where nobody says when it is stopped.
const UNTOLD: SignedDuration = SignedDuration::from_secs(20);
/// How often it is looked whether the client may still listen, and said that somebody is there.
const PROOF: Duration = Duration::from_secs(15);
/// How many events are told at once. A payload has up to 64 KB or so: this many fit the function.
const MOST: usize = 20;
/// After how many milliseconds a client asks again when the answer broke off.
const BROKEN_MS: u32 = 2000;

/// Tells what happens to a workspace, as it happens. A URL has no routes: all other paths and methods
/// are 404 here, and a preflight is 204.
///
/// # Errors
/// 400 for a `Last-Event-ID` that is no event's, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Streamed> {
    if input.method == Method::OPTIONS {
        return Ok(Reply::empty(StatusCode::NO_CONTENT).into());
    }
    let Some(id) = subject(&input) else {
        return Ok(Reply::text(StatusCode::NOT_FOUND, "404 page not found").into());
    };
    let id: WorkspaceId = id.parse()?;
    admit(app, &caller, id).await?;
    let since = since(&input)?;
    let stops_at = input.stops_at.map_or(input.now + UNTOLD, |at| at - MARGIN);
    let left = stops_at.duration_since(Timestamp::now());
    let now = Instant::now();
    let told = Teller {
        app,
        caller,
        id,
        told: Told::upto(since),
        ends: now + Duration::try_from(left).unwrap_or_default(),
        look: now,
        prove: now + PROOF,
    };
    let head = Reply::event_stream(&opening(since, BROKEN_MS));
    Ok(Streamed::new(head, told.stream()))
}

/// The id in the one path there is.
fn subject(input: &Input) -> Option<&str> {
    let id = input.path.strip_prefix("/workspaces/")?;
    let id = id.strip_suffix("/events/stream")?;
    (input.method == Method::GET && !id.contains('/')).then_some(id)
}

/// One answer being made.
struct Teller {
    app: &'static App,
    caller: Caller,
    id: WorkspaceId,
    told: Told,
    ends: Instant,
    /// When the log is looked at next.
    look: Instant,
    /// When the credential is looked at next.
    prove: Instant,
}

/// What is said next.
enum Said {
    Next(String),
    /// Nothing follows.
    Last(String),
}

impl Teller {
    fn stream(self) -> impl Stream<Item = Vec<u8>> + Send {
        unfold(Some(self), |teller| async {
            let mut teller = teller?;
            match teller.say().await {
                Said::Next(text) => Some((text.into_bytes(), Some(teller))),
                Said::Last(text) => Some((text.into_bytes(), None)),
            }
        })
    }

    /// Waits for something to say. What fails midway cannot be an answer any more: it is logged, and
    /// the client comes back for the rest.
    async fn say(&mut self) -> Said {
        loop {
            if self.look >= self.ends {
                sleep_until(self.ends).await;
                return Said::Last(format!("retry: {AGAIN_MS}\n\n"));
            }
            sleep_until(self.look).await;
            match self.look().await {
                Ok(text) if text.is_empty() => {}
                Ok(text) => return Said::Next(text),
                Err(error) => {
                    edge::http::log_failure(&error, "events.live");
                    return Said::Last(": the stream broke off\n\n".to_owned());
                }
            }
        }
    }

    async fn look(&mut self) -> Result<String> {
        let now = Instant::now();
        let mut text = String::new();
        if now >= self.prove {
            admit(self.app, &self.caller, self.id).await?;
            self.prove = now + PROOF;
            text += PING;
        }
        let rows = self.told.news(self.app, self.id).await?;
        // There may be more: at once.
        self.look = if self.told.more { now } else { now + EVERY };
        text.extend(rows.iter().map(block));
        if rows.last().is_some_and(|last| last.id < self.told.upto) {
            text += &place(self.told.upto);
        }
        Ok(text)
    }
}

/// What was told: the highest id, and all those of ten seconds before it, among which there may come
/// others yet.
#[derive(Debug)]
struct Told {
    upto: EventId,
    ids: HashSet<EventId>,
    /// Whether there may be more than the last look has shown.
    more: bool,
    /// Up to where the client knows all that is there when the first look is taken.
    known: Option<EventId>,
}

impl Told {
    fn upto(since: EventId) -> Self {
        Self {
            upto: since,
            ids: HashSet::new(),
            more: false,
            known: Some(since),
        }
    }

    /// The events that were not told yet; from now on they are.
    async fn news(&mut self, app: &App, id: WorkspaceId) -> Result<Vec<EventRow>> {
        let now = Timestamp::now();
        // What comes late is looked for when all else is told, and not again with each part of it.
        let after = if self.more {
            self.upto
        } else {
            before(self.upto)
        };
        let is_known = |id| self.knows(id);
        let rows = app.store.events_of_after(id, after, is_known, MOST, now);
        let rows = rows.await?;
        self.more = rows.len() == MOST;
        self.told(rows.iter().map(|row| row.id));
        Ok(rows)
    }

    /// Whether an event that is in the log was told, or known from the beginning.
    fn knows(&mut self, id: EventId) -> bool {
        if self.known.is_some_and(|known| id <= known) {
            self.ids.insert(id);
        }
        self.ids.contains(&id)
    }

    /// These are told now.
    fn told(&mut self, ids: impl Iterator<Item = EventId>) {
        self.known = None;
        for id in ids {
            self.upto = self.upto.max(id);
            self.ids.insert(id);
        }
        let oldest = before(self.upto);
        self.ids.retain(|id| *id >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, Request, RequestExt as _};

    use super::*;

    /// The id of second `second`, and one of several of it.
    fn id(second: u64, which: u8) -> EventId {
        let mut rest = [0; 10];
        rest[9] = which;
        let it = uuid::Builder::from_unix_timestamp_millis(second * 1000, &rest);
        EventId::from_uuid(it.into_uuid())
    }

    #[test]
    fn each_event_is_news_once_whatever_the_order_it_is_seen_in() {
        let mut told = Told::upto(id(100, 5));
        // The first look: what is there up to the place the client named is known to it.
        assert!(told.knows(id(95, 1)));
        assert!(told.knows(id(100, 5)));
        assert!(!told.knows(id(100, 7)));
        told.told([id(100, 7)].into_iter());
        // A second look: one that was committed late is news, whatever its id is.
        for known in [id(95, 1), id(100, 5), id(100, 7)] {
            assert!(told.knows(known), "{known}");
        }
        assert!(!told.knows(id(96, 1)));
        told.told([id(96, 1), id(103, 1)].into_iter());
        assert!(told.knows(id(96, 1)));
        assert_eq!(told.upto, id(103, 1));
    }

    #[test]
    fn what_is_not_read_any_more_is_not_remembered() {
        let mut told = Told::upto(id(100, 0));
        for second in 101..=200 {
            told.told((0..10).map(|which| id(second, which)));
        }
        assert!(told.ids.len() <= 11 * 10, "{}", told.ids.len());
        assert_eq!(told.upto, id(200, 9));
    }

    #[test]
    fn there_is_one_path() {
        for (method, path, expected) in [
            ("GET", "/workspaces/x/events/stream", Some("x")),
            ("GET", "/workspaces/x/y/events/stream", None),
            ("GET", "/workspaces/x/events/stream/", None),
            ("GET", "/workspaces//events/stream", Some("")),
            ("GET", "/", None),
            ("POST", "/workspaces/x/events/stream", None),
        ] {
            let mut request = Request::new(Body::Empty).with_raw_http_path(path);
            *request.method_mut() = method.parse().expect("a method");
            assert_eq!(subject(&Input::from(request)), expected, "{method} {path}");
        }
    }
}

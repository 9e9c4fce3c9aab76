//! `GET /workspaces/{id}/events/stream` at the address `StreamUrl`, where an answer is sent while it is
//! made (contract: a2a-notify-events 12, 16.5).
//!
//! The same rules, blocks and ids as at the [API](crate::stream), as one answer that lasts until ten
//! seconds before Lambda would stop it. Events come as they are written. The log is looked at only when
//! there is room for what it says: a client that does not read is waited for, and nothing is kept for it.
//!
//! Every second costs its function's memory, and four read units; a client that goes away without a word is
//! not noticed before the end. So an answer ends by itself, and early when its credential is revoked.

use std::time::Duration;

use domain::{Result, WorkspaceId};
use edge::{App, Caller, Input, Reply, Streamed};
use futures_util::stream::{Stream, unfold};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{Method, StatusCode};
use store::leases::{Lease, Waits};
use tokio::time::{Instant, sleep_until};

use crate::{
    room,
    stream::{AGAIN_MS, EVERY, PING, admit, block, opening, place, since},
    told::Told,
};

/// How long before Lambda would stop it an answer ends.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// How long an answer lasts where nobody says when it is stopped.
const UNTOLD: SignedDuration = SignedDuration::from_secs(20);
/// How often it is looked whether the client may still listen, and said that somebody is there.
const PROOF: Duration = Duration::from_secs(15);
/// How many events are told at once, and after how many bytes none is added: so much fits the function.
const MOST: (usize, usize) = (10, 500_000);
/// After how many milliseconds a client asks again when the answer broke off.
const BROKEN_MS: u32 = 2000;

/// Tells what happens to a workspace, as it happens. A URL has no routes: all other paths and methods
/// are 404 here, and a preflight is 204.
///
/// # Errors
/// 400 for a `Last-Event-ID` that is no event's, 401, 404, 429 for a workspace that has many open.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Streamed> {
    if input.method == Method::OPTIONS {
        return Ok(Reply::empty(StatusCode::NO_CONTENT).into());
    }
    let Some(id) = subject(&input) else {
        return Ok(Reply::text(StatusCode::NOT_FOUND, "404 page not found").into());
    };
    let id: WorkspaceId = id.parse()?;
    let who = admit(app, &caller, id).await?;
    let told = since(&input)?;
    let stops_at = input.stops_at.map_or(input.now + UNTOLD, |at| at - MARGIN);
    let lease = room::take(app, &who, Waits::Stream, stops_at, input.now).await?;
    let left = stops_at.duration_since(Timestamp::now());
    let now = Instant::now();
    let head = Reply::event_stream(&opening(&told, BROKEN_MS));
    let teller = Teller {
        app,
        caller,
        id,
        told,
        lease,
        ends: now + Duration::try_from(left).unwrap_or_default(),
        look: now,
        prove: now + PROOF,
    };
    Ok(Streamed::new(head, teller.stream()))
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
    /// Room for it, until it ends.
    lease: Option<Lease>,
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
                    room::give_back(self.app, self.lease.take()).await;
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
        let told = &mut self.told;
        let news = told.news(self.app, self.id, MOST, Timestamp::now());
        let news = news.await?;
        // There may be more: at once.
        self.look = if self.told.more { now } else { now + EVERY };
        if !news.is_empty() {
            text.extend(news.iter().map(block));
            text += &place(&self.told);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, Request, RequestExt as _};

    use super::*;

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

//! A request's share of what its client may ask, and the note that a token was used.

use std::time::Duration;

use domain::{Error, Kind, Result};
use jiff::Timestamp;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use super::{Input, Reply};
use crate::{App, Caller, limits};

/// How many requests in a minute.
const LIMIT: &str = "x-ratelimit-limit";
/// How many more after this one.
const REMAINING: &str = "x-ratelimit-remaining";
/// Seconds until there are all of them again.
const RESET: &str = "x-ratelimit-reset";
const RETRY_AFTER: &str = "retry-after";

/// How long an answer may wait for the note of a token's use.
const PATIENCE: Duration = Duration::from_secs(1);

/// A request's share; none in open development, where nobody is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share(Option<limits::Share>);

/// Takes it.
pub(super) fn take(app: &App, caller: &Caller, input: &Input) -> Share {
    let counted = !app.settings.mode.doors_open();
    Share(counted.then(|| {
        app.limits
            .take(caller.token(), input.source_ip(), input.now)
    }))
}

/// Takes a share for who asks otherwise than over HTTP.
///
/// # Errors
/// 429: there is none.
pub fn take_share(app: &App, caller: &Caller, address: Option<&str>, now: Timestamp) -> Result<()> {
    if app.settings.mode.doors_open() {
        return Ok(());
    }
    let share = app.limits.take(caller.token(), address, now);
    if share.allowed {
        return Ok(());
    }
    let wait = u32::try_from(share.retry_after).unwrap_or(1);
    Err(Error::new(Kind::TooMany, "rate limit exceeded")
        .with("retry_after", wait)
        .retry_after(wait))
}

impl Share {
    pub(super) fn allowed(self) -> bool {
        self.0.is_none_or(|share| share.allowed)
    }

    /// The answer to a request that has none.
    pub(super) fn refusal(self) -> Reply {
        let seconds = self.0.map_or(1, |share| share.retry_after);
        let body = json!({"error": "rate limit exceeded", "retry_after": seconds});
        Reply::json(StatusCode::TOO_MANY_REQUESTS, &body).header(RETRY_AFTER, seconds.to_string())
    }

    /// Says how it stands, unless the handler has said so of a limit of its own.
    pub(super) fn decorate(self, headers: &mut HeaderMap) {
        if headers.contains_key(LIMIT) {
            return;
        }
        let Some(share) = self.0 else {
            headers.insert(LIMIT, HeaderValue::from_static("unlimited"));
            return;
        };
        headers.insert(LIMIT, share.limit.into());
        headers.insert(REMAINING, share.remaining.into());
        headers.insert(RESET, share.reset.into());
    }
}

/// Writes that the caller's token was used, at most once a minute, and forgets one that is refused.
///
/// A note is one write unit and one round trip, so 43,200 units a month for a token that is never at rest. Heartbeats are
/// not noted here, as they look no credential up: they say which token proved them in the write they make anyway. A note
/// that fails fails no request.
///
/// A token that is good for nothing any more is forgotten: else whoever goes on with one that was revoked would use up its
/// workspace's share.
pub async fn note<T>(app: &App, caller: &Caller, outcome: &Result<T>, now: Timestamp) {
    let Some(hash) = caller.token() else {
        return;
    };
    let refused = |error: &Error| error.kind() == Kind::Unauthenticated;
    if outcome.as_ref().is_err_and(refused) && caller.seen().is_none() {
        app.limits.forget(hash);
    }
    let (true, Some(credential)) = (outcome.is_ok(), caller.seen()) else {
        return;
    };
    if app.limits.proven(hash, credential, now) {
        let _ = tokio::time::timeout(PATIENCE, app.store.note_token_use(credential, now)).await;
    }
}

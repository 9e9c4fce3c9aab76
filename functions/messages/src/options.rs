//! What a sender may ask for: urgency, how long the message may wait, when it must be over.
//!
//! As headers (`X-Priority`, `X-Expires-In`, `X-Timeout`), the first two also in `params.metadata`
//! (`priority`, `expires_in`).

use domain::{
    Error, Result,
    request::{EXPIRY, LONGEST_DELIVERY, MAX_EXPIRY, Priority},
    trace::Trace,
};
use edge::Input;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A sender's wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How urgent it is.
    pub priority: Priority,
    /// How long it may wait.
    pub expires_in: SignedDuration,
    /// When its delivery must be over.
    pub deadline: Option<Timestamp>,
    /// Which call it came with.
    pub trace: Option<Trace>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            priority: Priority::default(),
            expires_in: EXPIRY,
            deadline: None,
            trace: None,
        }
    }
}

/// Reads a sender's wishes; headers win over metadata.
///
/// Only headers are meant for us and are refused when they cannot be followed. Metadata is the agents' own, passed on
/// as it is (contract: a2a-notify-events 2.4): a `priority` or `expires_in` of theirs may mean something else.
///
/// # Errors
/// 400 for an `X-Priority` nobody knows and an `X-Expires-In` out of range. An `X-Timeout` that is no positive
/// whole number is ignored (contract: a2a-notify-events 2.1).
pub fn read(input: &Input, body: &[u8]) -> Result<Options> {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let priority = match input.header("x-priority") {
        Some(name) => priority_of(name)
            .ok_or_else(|| Error::invalid("priority must be critical, task or info"))?,
        None => said(&json, "priority")
            .and_then(|name| priority_of(name.as_str()?))
            .unwrap_or_default(),
    };
    let expires_in = match input.header("x-expires-in") {
        Some(text) => text
            .trim()
            .parse()
            .ok()
            .and_then(expiry_of)
            .ok_or_else(|| {
                let most = MAX_EXPIRY.as_secs();
                Error::invalid(format!("expires_in must be 1 to {most} seconds"))
            })?,
        None => said(&json, "expires_in")
            .and_then(|seconds| expiry_of(seconds.as_i64()?))
            .unwrap_or(EXPIRY),
    };
    Ok(Options {
        priority,
        expires_in,
        deadline: deadline(input.header("x-timeout"), input.now),
        trace: input.trace,
    })
}

/// What a body's metadata says of it.
fn said<'a>(body: &'a Value, key: &str) -> Option<&'a Value> {
    body.pointer("/params/metadata")?.get(key)
}

fn priority_of(name: &str) -> Option<Priority> {
    Priority::named(name.trim())
}

fn expiry_of(seconds: i64) -> Option<SignedDuration> {
    (1..=MAX_EXPIRY.as_secs())
        .contains(&seconds)
        .then(|| SignedDuration::from_secs(seconds))
}

fn deadline(header: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let seconds: i64 = header?.trim().parse().ok()?;
    let longest = LONGEST_DELIVERY.as_secs();
    (seconds > 0).then(|| now + SignedDuration::from_secs(seconds.min(longest)))
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, Request};
    use serde_json::json;

    use super::*;

    fn read_of(header: Option<(&'static str, &str)>, metadata: &Value) -> Result<Options> {
        let mut request = Request::new(Body::Empty);
        if let Some((name, value)) = header {
            let value = value.parse().expect("a header");
            request.headers_mut().insert(name, value);
        }
        let body = json!({"params": {"metadata": metadata}}).to_string();
        read(&Input::from(request), body.as_bytes())
    }

    #[test]
    fn a_body_may_wish_and_is_never_refused_for_it() {
        let (task, day) = (Priority::Task, EXPIRY);
        let hour = SignedDuration::from_hours(1);
        for (metadata, priority, expires_in) in [
            (json!({"priority": "info"}), Priority::Info, day),
            (json!({"priority": "high", "expires_in": 3600}), task, hour),
            (json!({"priority": 1, "expires_in": "3600"}), task, day),
            (
                json!({"priority": "critical", "expires_in": 86_400_000}),
                Priority::Critical,
                day,
            ),
            (json!({"priority": null, "expires_in": 0.5}), task, day),
            (json!({"expires_in": -1}), task, day),
            (json!({"expires_in": {"seconds": 1}}), task, day),
            (json!("priority"), task, day),
            (json!(null), task, day),
        ] {
            let read = read_of(None, &metadata).expect("fine");
            assert_eq!(
                (read.priority, read.expires_in),
                (priority, expires_in),
                "{metadata}"
            );
        }
    }

    #[test]
    fn a_header_wins_and_is_refused_when_it_cannot_be_followed() {
        let said = json!({"priority": "info", "expires_in": 60});
        let urgent = read_of(Some(("x-priority", "critical")), &said).expect("fine");
        assert_eq!(urgent.priority, Priority::Critical);
        let long = read_of(Some(("x-expires-in", " 3600 ")), &said).expect("fine");
        assert_eq!(long.expires_in, SignedDuration::from_hours(1));
        for header in [
            ("x-priority", "high"),
            ("x-priority", ""),
            ("x-expires-in", "0"),
            ("x-expires-in", "604801"),
            ("x-expires-in", "1.5"),
            ("x-expires-in", "soon"),
        ] {
            assert!(read_of(Some(header), &said).is_err(), "{header:?}");
        }
    }

    #[test]
    fn wishes_are_checked_or_ignored() {
        assert_eq!(priority_of(" critical "), Some(Priority::Critical));
        for bad in ["", "urgent", "CRITICAL", "100"] {
            assert_eq!(priority_of(bad), None, "{bad}");
        }
        assert_eq!(expiry_of(60), Some(SignedDuration::from_mins(1)));
        assert_eq!(expiry_of(604_800), Some(MAX_EXPIRY));
        for bad in [0, -1, 604_801, i64::MAX] {
            assert_eq!(expiry_of(bad), None, "{bad}");
        }
        let now = Timestamp::UNIX_EPOCH;
        for (header, expected) in [
            (None, None),
            (Some("0"), None),
            (Some("-3"), None),
            (Some("1.5"), None),
            (Some("soon"), None),
            (Some(" 3 "), Some(3)),
            (Some("9223372036854775807"), Some(870)),
        ] {
            let at = deadline(header, now).map(Timestamp::as_second);
            assert_eq!(at, expected, "{header:?}");
        }
    }
}

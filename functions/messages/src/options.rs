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
/// # Errors
/// 400 for a priority nobody knows and an expiry out of range. An `X-Timeout` that is no positive
/// whole number is ignored (contract: a2a-notify-events 2.1).
pub fn read(input: &Input, body: &[u8]) -> Result<Options> {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let metadata = json.pointer("/params/metadata");
    let said = |key: &str| metadata.and_then(|metadata| metadata.get(key));
    let priority = match input.header("x-priority") {
        Some(name) => Some(name.to_owned()),
        None => said("priority").and_then(Value::as_str).map(str::to_owned),
    };
    let expires_in = match input.header("x-expires-in") {
        Some(text) => Some(text.trim().parse::<i64>().ok()),
        None => said("expires_in").map(Value::as_i64),
    };
    Ok(Options {
        priority: priority_of(priority.as_deref())?,
        expires_in: expiry_of(expires_in)?,
        deadline: deadline(input.header("x-timeout"), input.now),
        trace: input.trace,
    })
}

fn priority_of(name: Option<&str>) -> Result<Priority> {
    name.map_or(Ok(Priority::default()), |name| {
        Priority::named(name.trim())
            .ok_or_else(|| Error::invalid("priority must be critical, task or info"))
    })
}

fn expiry_of(seconds: Option<Option<i64>>) -> Result<SignedDuration> {
    let most = MAX_EXPIRY.as_secs();
    match seconds {
        None => Ok(EXPIRY),
        Some(Some(seconds)) if (1..=most).contains(&seconds) => {
            Ok(SignedDuration::from_secs(seconds))
        }
        Some(_) => Err(Error::invalid(format!(
            "expires_in must be 1 to {most} seconds"
        ))),
    }
}

fn deadline(header: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let seconds: i64 = header?.trim().parse().ok()?;
    let longest = LONGEST_DELIVERY.as_secs();
    (seconds > 0).then(|| now + SignedDuration::from_secs(seconds.min(longest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_checked_or_ignored() {
        assert_eq!(priority_of(None).expect("fine"), Priority::Task);
        assert_eq!(
            priority_of(Some("critical")).expect("fine"),
            Priority::Critical
        );
        for bad in ["", "urgent", "CRITICAL", "100"] {
            assert!(priority_of(Some(bad)).is_err(), "{bad}");
        }
        assert_eq!(expiry_of(None).expect("fine"), EXPIRY);
        assert_eq!(
            expiry_of(Some(Some(60))).expect("fine"),
            SignedDuration::from_mins(1)
        );
        for bad in [None, Some(0), Some(-1), Some(604_801), Some(i64::MAX)] {
            assert!(expiry_of(Some(bad)).is_err(), "{bad:?}");
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

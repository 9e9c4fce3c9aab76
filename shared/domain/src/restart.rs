//! What an agent is told when it is back after a restart (contract: lifecycle-and-sweepers 3.7).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Who sends it.
pub const SENDER: &str = "system:restart-context";

/// What was known when a restart began, kept until its agent is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub at: Timestamp,
    /// When the agent of before was last heard of, if it ever was.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub ended: Option<Timestamp>,
}

impl Restart {
    /// The text of the message. `names` are those of the secrets that it sees now, never values.
    pub fn context(&self, names: &BTreeSet<&str>) -> String {
        let ended = self.ended.map_or_else(
            || "(no prior session on record)".to_owned(),
            |ended| {
                let ago = spoken(self.at.duration_since(ended));
                format!("{} ({ago} ago)", whole_seconds(ended))
            },
        );
        let names = if names.is_empty() {
            "(none)".to_owned()
        } else {
            names.iter().copied().collect::<Vec<_>>().join(", ")
        };
        [
            "=== WORKSPACE RESTART CONTEXT ===".to_owned(),
            format!("Restart at: {}", whole_seconds(self.at)),
            format!("Previous session ended: {ended}"),
            format!("Env vars now available: {names}"),
            "=== END RESTART CONTEXT ===".to_owned(),
        ]
        .join("\n")
    }

    /// The id of its message: one for each restart, however often it is sent.
    pub fn message_id(&self) -> String {
        format!("restart-context-{}", self.at.as_microsecond())
    }
}

fn whole_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2h14m`, `3m0s`, `45s`; nothing, or less, is `0s`.
fn spoken(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        format!("{hours}h{minutes}m")
    } else if minutes > 0 {
        format!("{minutes}m{}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn durations_are_the_contract_s() {
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (45, "45s"),
            (59, "59s"),
            (60, "1m0s"),
            (180, "3m0s"),
            (3599, "59m59s"),
            (3600, "1h0m"),
            (8040, "2h14m"),
            (8099, "2h14m"),
            (90_000, "25h0m"),
        ] {
            assert_eq!(spoken(SignedDuration::from_secs(seconds)), expected);
        }
        assert_eq!(spoken(SignedDuration::from_millis(-1)), "0s");
        assert_eq!(spoken(SignedDuration::from_millis(1999)), "1s");
    }

    #[test]
    fn the_text_has_the_contract_s_lines() {
        let restart = Restart {
            at: at("2026-05-01T12:14:00.9Z"),
            ended: Some(at("2026-05-01T10:00:00.123456Z")),
        };
        assert_eq!(
            restart.context(&BTreeSet::from(["B", "A"])),
            "=== WORKSPACE RESTART CONTEXT ===\n\
             Restart at: 2026-05-01T12:14:00Z\n\
             Previous session ended: 2026-05-01T10:00:00Z (2h14m ago)\n\
             Env vars now available: A, B\n\
             === END RESTART CONTEXT ==="
        );
        let first = Restart {
            ended: None,
            ..restart
        };
        let text = first.context(&BTreeSet::new());
        assert!(text.contains("\nPrevious session ended: (no prior session on record)\n"));
        assert!(text.contains("\nEnv vars now available: (none)\n"));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        for ended in [None, Some(at("2026-05-01T10:00:00.123456Z"))] {
            let restart = Restart {
                at: at("2026-05-01T12:14:00.000001Z"),
                ended,
            };
            let json = serde_json::to_string(&restart).expect("JSON");
            assert_eq!(
                serde_json::from_str::<Restart>(&json).expect("read"),
                restart
            );
        }
    }
}

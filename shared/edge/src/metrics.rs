//! Facts that CloudWatch counts, in its embedded metric format: a line of JSON on standard output.
//!
//! Requests, errors and durations of every function are in `AWS/Lambda` for nothing. Metrics of our
//! own cost $0.30 a month each while they are written, so they are few, have one dimension with one
//! value, and are written only when they are not zero: a healthy month costs nothing.

use std::io::{self, Write as _};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of all metrics of our own.
pub const NAMESPACE: &str = "Molecule";
/// Their only dimension: two stacks of one account stay apart.
pub const DIMENSION: &str = "Stack";

/// A fact worth an operator's attention. About ten are the most there should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// By how much the counters of workspaces contradict themselves.
    LedgerDrift,
    /// How long the oldest of what is due has been due, when ticks do not keep up.
    TickBacklogSeconds,
    /// What a tick tried and could not do.
    TickFailed,
    /// Jobs that the stream did not carry to their queue in time, so that a tick had to.
    JobsLate,
    /// Machines and disks that nobody wants, when a sweep found some.
    Orphans,
    /// How long the first of some line has waited, once it is long.
    OldestWaitingSeconds,
    /// Workspaces whose agent did not come up.
    BootsFailed,
    /// Answers of 5xx that are an agent's own, or say that it could not be reached or cannot serve now:
    /// what the gateway counts beside them are failures of ours.
    AgentsFailed,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::LedgerDrift,
        Self::TickBacklogSeconds,
        Self::TickFailed,
        Self::JobsLate,
        Self::Orphans,
        Self::OldestWaitingSeconds,
        Self::BootsFailed,
        Self::AgentsFailed,
    ];

    /// Its name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::LedgerDrift => "LedgerDrift",
            Self::TickBacklogSeconds => "TickBacklogSeconds",
            Self::TickFailed => "TickFailed",
            Self::JobsLate => "JobsLate",
            Self::Orphans => "Orphans",
            Self::OldestWaitingSeconds => "OldestWaitingSeconds",
            Self::BootsFailed => "BootsFailed",
            Self::AgentsFailed => "AgentsFailed",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::TickBacklogSeconds | Self::OldestWaitingSeconds => "Seconds",
            _ => "Count",
        }
    }
}

/// Writes metrics of one stack.
#[derive(Debug, Clone)]
pub struct Metrics {
    stack: String,
}

impl Metrics {
    /// The metrics of this stack; without a name (simulations have none) nothing is written.
    pub fn of(stack: impl Into<String>) -> Self {
        Self {
            stack: stack.into(),
        }
    }

    /// Writes those of `facts` that are not zero.
    pub fn write(&self, facts: &[(Metric, i64)], at: Timestamp) {
        let Some(line) = self.line(facts, at) else {
            return;
        };
        // Not through `tracing`: the object must be the whole line, whatever the format of logs is.
        if let Err(error) = writeln!(io::stdout(), "{line}") {
            tracing::error!(%error, "metrics could not be written");
        }
    }

    /// The line; none when all are zero.
    fn line(&self, facts: &[(Metric, i64)], at: Timestamp) -> Option<String> {
        let facts: Vec<_> = facts.iter().filter(|(_, value)| *value != 0).collect();
        if facts.is_empty() || self.stack.is_empty() {
            return None;
        }
        let names = facts.iter().map(|(metric, _)| metric);
        let names = names.map(|it| json!({"Name": it.name(), "Unit": it.unit()}));
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [[DIMENSION]],
                    "Metrics": names.collect::<Vec<_>>(),
                }],
            }),
        );
        line.insert(DIMENSION.to_owned(), self.stack.as_str().into());
        line.extend(
            facts
                .iter()
                .map(|(metric, value)| (metric.name().to_owned(), (*value).into())),
        );
        Some(Value::Object(line).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_object_with_what_is_not_zero() {
        let at = Timestamp::from_millisecond(1_795_000_000_123).expect("valid");
        let facts = [
            (Metric::TickFailed, 0),
            (Metric::LedgerDrift, 3),
            (Metric::TickBacklogSeconds, 125),
        ];
        let line = Metrics::of("mine").line(&facts, at).expect("a line");
        assert!(!line.contains('\n'), "{line}");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        let metrics = json!([
            {"Name": "LedgerDrift", "Unit": "Count"},
            {"Name": "TickBacklogSeconds", "Unit": "Seconds"},
        ]);
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_795_000_000_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Molecule",
                        "Dimensions": [["Stack"]],
                        "Metrics": metrics,
                    }],
                },
                "Stack": "mine",
                "LedgerDrift": 3,
                "TickBacklogSeconds": 125,
            })
        );
    }

    #[test]
    fn nothing_to_tell_is_no_line() {
        let metrics = Metrics::of("mine");
        assert_eq!(metrics.line(&[], Timestamp::UNIX_EPOCH), None);
        let zeros = Metric::ALL.map(|metric| (metric, 0));
        assert_eq!(metrics.line(&zeros, Timestamp::UNIX_EPOCH), None);
    }
}

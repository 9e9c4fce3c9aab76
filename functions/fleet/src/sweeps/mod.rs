//! Sweeps: the world is made to match the table, again and again.
//!
//! | sweep | looks at | makes |
//! |---|---|---|
//! | [`silent`] | all beats | who is silent offline and then start anew; who is idle sleep; who is said to be busy idle |
//! | [`overdue`] | machines that are due | boots fail that took too long; lost jobs anew |
//! | [`orphans`] | the backend's machines | machines that nobody wants go; gone ones start anew |
//!
//! A sweep takes no input but the clock: it observes, plans by a pure function, and acts step by
//! step. Each step is a conditional write or a call that can be repeated, so a sweep that is killed
//! half way, or runs twice at once, does no harm, and the next tick is the retry.

pub mod orphans;
pub mod overdue;
pub mod silent;

use std::time::{Duration, Instant};

use domain::{Result, WorkspaceId};
use edge::metrics::{Metric, Metrics};
use jiff::Timestamp;
use serde::Serialize;

/// How many steps one sweep takes; the rest is the next one's.
pub const LIMIT: usize = 100;
/// After this long a sweep leaves the rest to the next one, and still has time to say so: the
/// functions have 55 s, and one call may take 8.
const PATIENCE: Duration = Duration::from_secs(30);
/// This many may always be concerned at once, however few there are.
const A_FEW: usize = 5;

/// How many of so many a sweep takes for a trouble of theirs; more look like one of ours (contract:
/// lifecycle-and-sweepers 11.5).
pub fn allowance(of: usize) -> usize {
    A_FEW.max(of / 5)
}

/// What a sweep found and did.
#[derive(Debug, Default, Clone, Serialize, PartialEq, Eq)]
pub struct Report {
    /// What was not as it should be.
    pub found: usize,
    /// What was changed.
    pub changed: usize,
    /// What went wrong, and is tried again by the next sweep.
    pub failed: usize,
    /// How many steps it would have taken.
    pub limit: usize,
    /// For how many seconds the oldest had been so.
    pub backlog_age: i64,
    /// Whether there was more than it took on.
    pub unfinished: bool,
    /// How many it did not touch, because so many at once look like a trouble of ours.
    pub held: usize,
}

impl Report {
    /// An empty report.
    pub fn new() -> Self {
        Self {
            limit: LIMIT,
            ..Self::default()
        }
    }

    /// The age of the backlog if there is one; zero when all was seen to in time.
    pub fn backlog_seconds(&self) -> i64 {
        let behind = self.unfinished || self.failed > 0 || self.held > 0;
        domain::time::backlog_seconds(self.backlog_age, behind)
    }

    /// Notes that something has been so since then.
    pub fn since(&mut self, since: Timestamp, now: Timestamp) {
        let age = now.duration_since(since).as_secs();
        self.backlog_age = self.backlog_age.max(age);
    }

    /// Counts what became of a step; one that fails does not keep the others waiting.
    pub fn count(&mut self, id: WorkspaceId, step: &str, done: Result<bool>) {
        match done {
            Ok(true) => {
                self.changed += 1;
                tracing::info!(workspace_id = %id, step, "a sweep changed something");
            }
            // It is not as it was seen any more: somebody else knew better.
            Ok(false) => {}
            Err(error) => {
                self.failed += 1;
                tracing::warn!(workspace_id = %id, step, %error, "a step of a sweep failed");
            }
        }
    }

    /// One line of the log, and metrics; nothing when nothing was found.
    pub fn tell(&self, sweep: &'static str, metrics: &Metrics, now: Timestamp) {
        if self.found == 0 && self.failed == 0 {
            return;
        }
        tracing::info!(
            sweep,
            found = self.found,
            changed = self.changed,
            failed = self.failed,
            limit = self.limit,
            backlog_age_s = self.backlog_age,
            unfinished = self.unfinished,
            held = self.held,
            "fleet sweep"
        );
        metrics.write(&self.facts(), now);
    }

    fn facts(&self) -> [(Metric, i64); 2] {
        let failed = i64::try_from(self.failed + self.held).unwrap_or(i64::MAX);
        [
            (Metric::TickFailed, failed),
            (Metric::TickBacklogSeconds, self.backlog_seconds()),
        ]
    }
}

/// The time of a sweep: what it takes for now, and whether it should end.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    now: Timestamp,
    began: Instant,
}

impl Watch {
    /// Starts now.
    pub fn start() -> Self {
        Self::at(Timestamp::now())
    }

    /// Starts as if it were this moment.
    pub fn at(now: Timestamp) -> Self {
        let began = Instant::now();
        Self { now, began }
    }

    /// When it was started.
    pub fn started(self) -> Timestamp {
        self.now
    }

    /// Whether the rest must be left to the next sweep.
    pub fn is_over(self) -> bool {
        self.began.elapsed() > PATIENCE
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod report {
    use super::*;

    #[test]
    fn a_few_or_a_fifth() {
        let allowed = [0, 5, 25, 30, 1_000].map(allowance);
        assert_eq!(allowed, [5, 5, 5, 6, 200]);
    }

    #[test]
    fn only_what_was_left_over_is_a_backlog() {
        let usual = Report {
            found: 3,
            changed: 3,
            backlog_age: 59,
            ..Report::new()
        };
        assert!(usual.facts().iter().all(|(_, value)| *value == 0));
        let late = |change: fn(&mut Report)| {
            let mut report = usual.clone();
            change(&mut report);
            report.backlog_seconds()
        };
        assert_eq!(late(|report| report.failed = 1), 59);
        assert_eq!(late(|report| report.held = 9), 59);
        assert_eq!(late(|report| report.unfinished = true), 59);
        assert_eq!(late(|report| report.backlog_age = 91), 91);
    }
}

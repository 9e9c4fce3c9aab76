//! `tick`: every minute, whatever should have happened and has not; and whether the books balance.

use domain::Result;
use edge::{
    App, Missing,
    metrics::{Metric, Metrics},
    required,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::{Store, approvals::Expired, sweeps::Run};

use crate::{
    Messages,
    flow::{
        Clock as _,
        audit::{Audited, audit},
        tick::{Report, tick},
    },
    kick::Jobs,
};

/// Its name where runs are noted.
pub const NAME: &str = "messages";

/// How many late requests for approval a tick denies, of each shard.
const LATE_APPROVALS: i32 = 25;

/// What a tick needs.
#[derive(Debug)]
pub struct Ticking {
    messages: &'static Messages,
    jobs: &'static Jobs,
    metrics: Metrics,
}

/// What a tick did and found.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Ticked {
    /// Of what was due.
    #[serde(flatten)]
    pub report: Report,
    /// By how much counters contradict themselves; none when nobody could tell.
    pub drift: Option<i64>,
    /// Of requests for approval that nobody decided in time; none when nobody could tell.
    pub approvals: Option<Expired>,
}

impl Ticking {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let (messages, jobs) = (Messages::delivering(app)?, Jobs::start(app)?);
        Ok(Self::over(messages, jobs, &required("STACK_NAME")?))
    }

    /// Over these parts.
    pub fn over(messages: &'static Messages, jobs: &'static Jobs, stack: &str) -> &'static Self {
        Box::leak(Box::new(Self {
            messages,
            jobs,
            metrics: Metrics::of(stack),
        }))
    }
}

/// Takes no input: it reads the world, and is the same after a crash as on a good day.
///
/// # Errors
/// The datastore did not say what is due: the next tick is the retry.
pub async fn handle(ticking: &'static Ticking, _: Value) -> Result<Ticked> {
    let (flow, store) = (ticking.messages.flow(), &ticking.messages.app.store);
    let now = flow.clock.now();
    let report = tick(&flow, ticking.jobs).await?;
    // Written before the audit, whose trouble must not hide what is known already.
    tell(ticking, &report, now);

    let audited = audit(store, &report.seen, now).await;
    let drift = match audited {
        Ok(Audited { drift, .. }) => {
            ticking.metrics.write(&[(Metric::LedgerDrift, drift)], now);
            Some(drift)
        }
        Err(error) => {
            edge::http::log_failure(&error, "audit");
            ticking.metrics.write(&[(Metric::TickFailed, 1)], now);
            None
        }
    };
    let approvals = approvals(ticking, store, now).await;
    // A tick is no worse for it: the next one notes itself again.
    if let Err(error) = store.note_run(NAME, &Run::at(now)).await {
        edge::http::log_failure(&error, NAME);
    }
    Ok(Ticked {
        report,
        drift,
        approvals,
    })
}

/// Requests for approval that are late. Here because this is the tick that looks at what is due every
/// minute anyway: a function of their own would be called 43,200 times a month to find nothing.
async fn approvals(ticking: &Ticking, store: &Store, now: Timestamp) -> Option<Expired> {
    match store.expire_approvals(now, LATE_APPROVALS).await {
        Ok(expired) => {
            if expired.found > 0 {
                tracing::info!(
                    found = expired.found,
                    changed = expired.changed,
                    failed = expired.failed,
                    backlog_age_s = expired.backlog_age,
                    unfinished = expired.unfinished,
                    "requests for approval expired"
                );
            }
            ticking.metrics.write(&facts_of_approvals(&expired), now);
            Some(expired)
        }
        Err(error) => {
            edge::http::log_failure(&error, "approvals");
            ticking.metrics.write(&[(Metric::TickFailed, 1)], now);
            None
        }
    }
}

fn number(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

fn tell(ticking: &Ticking, report: &Report, now: Timestamp) {
    if report.found == 0 {
        return;
    }
    tracing::info!(
        found = report.found,
        changed = report.changed,
        failed = report.failed,
        limit = report.limit,
        backlog_age_s = report.backlog_age,
        unfinished = report.unfinished,
        late_jobs = report.late_jobs,
        oldest_waiting_s = report.oldest_waiting,
        "messages tick"
    );
    ticking.metrics.write(&facts(report), now);
}

fn facts(report: &Report) -> [(Metric, i64); 4] {
    [
        (Metric::TickFailed, number(report.failed)),
        (Metric::TickBacklogSeconds, report.backlog_seconds()),
        (Metric::JobsLate, number(report.late_jobs)),
        (Metric::OldestWaitingSeconds, report.waiting_seconds()),
    ]
}

fn facts_of_approvals(expired: &Expired) -> [(Metric, i64); 2] {
    [
        (Metric::TickFailed, number(expired.failed)),
        (Metric::TickBacklogSeconds, expired.backlog_seconds()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approvals_that_are_late_for_long_are_a_backlog() {
        let in_time = Expired {
            found: 3,
            changed: 3,
            backlog_age: 61,
            ..Expired::default()
        };
        assert!(
            facts_of_approvals(&in_time)
                .iter()
                .all(|(_, value)| *value == 0)
        );
        let refused = Expired {
            failed: 1,
            ..in_time.clone()
        };
        let told = [(Metric::TickFailed, 1), (Metric::TickBacklogSeconds, 61)];
        assert_eq!(facts_of_approvals(&refused), told);
        let more = Expired {
            unfinished: true,
            ..in_time.clone()
        };
        assert_eq!(facts_of_approvals(&more)[1].1, 61);
        let late = Expired {
            backlog_age: 301,
            ..in_time
        };
        assert_eq!(facts_of_approvals(&late)[1].1, 301);
    }

    #[test]
    fn a_tick_in_time_has_nothing_to_tell() {
        let usual = Report {
            found: 7,
            changed: 7,
            backlog_age: 59,
            ..Report::default()
        };
        assert!(facts(&usual).iter().all(|(_, value)| *value == 0));
        let worse = Report {
            failed: 2,
            late_jobs: 1,
            oldest_waiting: 901,
            ..usual
        };
        let told = [
            (Metric::TickFailed, 2),
            (Metric::TickBacklogSeconds, 59),
            (Metric::JobsLate, 1),
            (Metric::OldestWaitingSeconds, 901),
        ];
        assert_eq!(facts(&worse), told);
    }
}

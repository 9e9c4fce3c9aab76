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
    let failed = |how_many| {
        ticking
            .metrics
            .write(&[(Metric::TickFailed, how_many)], now)
    };
    match store.expire_approvals(now, LATE_APPROVALS).await {
        Ok(expired) => {
            if expired.found > 0 {
                let Expired {
                    found,
                    changed,
                    failed,
                } = expired;
                tracing::info!(found, changed, failed, "requests for approval expired");
            }
            failed(number(expired.failed));
            Some(expired)
        }
        Err(error) => {
            edge::http::log_failure(&error, "approvals");
            failed(1);
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

#[cfg(test)]
mod tests {
    use super::*;

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

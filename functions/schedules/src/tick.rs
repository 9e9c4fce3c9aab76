//! `tick`: every minute, takes on the slots that have come (contract: lifecycle-and-sweepers 11.6,
//! 12.4).
//!
//! It sends nothing itself: each slot is one transaction that names the next one and leaves a job, so
//! a tick may run twice, or die half way, and a slow agent holds up nobody.

use std::time::{Duration, Instant};

use domain::{
    Result,
    schedule::{self, Step, step},
    workspace::Status,
};
use edge::{
    App, Missing,
    metrics::{Metric, Metrics},
    required,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::{
    schedules::{Due, Schedule, SchedulesDue},
    sweeps::Run,
};

/// Its name where runs are noted: the reference's (contract: lifecycle-and-sweepers 8).
pub const NAME: &str = "scheduler";

/// How many slots of each shard one tick reads; the rest is the next one's.
const LIMIT: i32 = 100;
/// After this long a tick leaves the rest to the next one, and still has time to say so: the function
/// has 55 s, and one call may take 8.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a tick needs.
#[derive(Debug)]
pub struct Ticking {
    app: &'static App,
    metrics: Metrics,
}

impl Ticking {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        Ok(Self::over(app, &required("STACK_NAME")?))
    }

    /// Over these parts.
    pub fn over(app: &'static App, stack: &str) -> &'static Self {
        let metrics = Metrics::of(stack);
        Box::leak(Box::new(Self { app, metrics }))
    }
}

/// What a tick did.
#[derive(Debug, Default, Clone, Serialize, PartialEq, Eq)]
pub struct Report {
    /// What was due.
    pub found: usize,
    /// Slots that became fires.
    pub fired: usize,
    /// Slots of agents that fire themselves, or are still at the last one.
    pub passed: usize,
    /// Slots at which nothing could be sent.
    pub skipped: usize,
    /// Fires that somebody else is to send.
    pub resent: usize,
    /// What went wrong, and is tried again in a minute.
    pub failed: usize,
    /// For how many seconds the oldest had been due.
    pub backlog_age: i64,
    /// Whether more was due than it looked at.
    pub unfinished: bool,
}

/// Takes no input: it reads the world, and is the same after a crash as on a good day.
///
/// # Errors
/// The datastore did not say what is due: the next tick is the retry.
pub async fn handle(ticking: &'static Ticking, _: Value) -> Result<Report> {
    tick(ticking, domain::time::to_micros(Timestamp::now())).await
}

/// The tick at this time.
///
/// # Errors
/// As [`handle`].
pub async fn tick(ticking: &Ticking, now: Timestamp) -> Result<Report> {
    let began = Instant::now();
    let SchedulesDue { due, oldest, more } = ticking.app.store.schedules_due(now, LIMIT).await?;
    let mut report = Report {
        found: due.len(),
        backlog_age: oldest.map_or(0, |since| now.duration_since(since).as_secs().max(0)),
        unfinished: more,
        ..Report::default()
    };
    for due in due {
        if began.elapsed() > PATIENCE {
            report.unfinished = true;
            break;
        }
        if let Err(error) = see_to(ticking.app, &due, now, &mut report).await {
            // One that fails does not keep the others waiting.
            report.failed += 1;
            let workspace_id = due.workspace();
            tracing::warn!(%workspace_id, %due, %error, "a slot could not be seen to");
        }
    }
    tell(ticking, &report, now);
    // A tick is no worse for it: the next one notes itself again.
    if let Err(error) = ticking.app.store.note_run(NAME, &Run::at(now)).await {
        edge::http::log_failure(&error, NAME);
    }
    Ok(report)
}

async fn see_to(app: &App, due: &Due, now: Timestamp, report: &mut Report) -> Result<()> {
    let store = &app.store;
    let (schedule, seen) = match due {
        Due::Unsent(fire) => {
            report.resent += usize::from(store.resend(fire, now).await?);
            return Ok(());
        }
        // Nobody is left to be told.
        Due::Slot(schedule, None) => return store.forget_schedule(schedule).await,
        Due::Slot(schedule, Some(seen)) => (schedule, seen),
    };
    let next = next_of(schedule, now);
    match step(seen, now) {
        Step::Fire => report.fired += usize::from(store.claim_slot(schedule, next, now).await?),
        Step::Pass => report.passed += usize::from(store.pass_slot(schedule, next).await?),
        Step::Skip(why) => {
            let done = store.skip_slot(schedule, next, &why, seen.status, now);
            report.skipped += usize::from(done.await?);
        }
        Step::Retire(why) => {
            let done = store.skip_slot(schedule, None, &why, Status::Removed, now);
            report.skipped += usize::from(done.await?);
        }
    }
    Ok(())
}

/// The slot after the one that has come; none of an expression that is none any more.
fn next_of(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let cron = schedule::parse(&schedule.cron_expr, &schedule.timezone).ok()?;
    schedule::next(&cron, schedule.next_run_at?, now)
}

fn tell(ticking: &Ticking, report: &Report, now: Timestamp) {
    if report.found == 0 {
        return;
    }
    tracing::info!(
        found = report.found,
        fired = report.fired,
        passed = report.passed,
        skipped = report.skipped,
        resent = report.resent,
        failed = report.failed,
        backlog_age_s = report.backlog_age,
        unfinished = report.unfinished,
        "schedules tick"
    );
    let behind = report.unfinished || report.failed > 0;
    let failed = i64::try_from(report.failed).unwrap_or(i64::MAX);
    let facts = [
        (Metric::TickFailed, failed),
        (
            Metric::TickBacklogSeconds,
            domain::time::backlog_seconds(report.backlog_age, behind),
        ),
    ];
    ticking.metrics.write(&facts, now);
}

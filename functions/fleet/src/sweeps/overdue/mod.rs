//! `overdue`: every minute, machines that somebody must look at: boots past their deadline, stops
//! that are not done, jobs that were lost (contract: lifecycle-and-sweepers 11.4, 3.11).

pub mod plan;

use domain::{
    Result,
    lifecycle::{Act, REVIVE_PAUSE, SILENT_AFTER},
};
use edge::{
    App, Missing,
    metrics::{Metric, Metrics},
    required,
};
use jiff::Timestamp;
use plan::{Planned, Step};
use serde_json::Value;
use store::{
    lifecycle::{Acted, Ask},
    sweeps::Run,
};

use super::{LIMIT, Report, Watch};

/// Its name where runs are noted.
pub const NAME: &str = "overdue";
/// How many are started anew in one sweep: when a zone is back after an outage, not all at once.
const REVIVALS: usize = super::A_FEW;
/// How many entries of each shard are read.
const PER_SHARD: i32 = 100;

/// What the sweep needs.
#[derive(Debug)]
pub struct Overdue {
    app: &'static App,
    metrics: Metrics,
}

impl Overdue {
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

/// Takes no input: it reads the world, and is the same after a crash as on a good day.
///
/// # Errors
/// The datastore did not say what is due: the next tick is the retry.
pub async fn handle(overdue: &'static Overdue, _: Value) -> Result<Report> {
    sweep(overdue, Watch::start()).await
}

/// The sweep at this time.
///
/// # Errors
/// As [`handle`].
pub async fn sweep(overdue: &Overdue, watch: Watch) -> Result<Report> {
    let (app, now) = (overdue.app, watch.started());
    let due = app.store.machines_due(now, PER_SHARD).await?;
    let mut report = Report::new();
    if due.ids.is_empty() {
        app.store.note_run(NAME, &Run::at(now)).await?;
        return Ok(report);
    }
    report.found = due.ids.len();
    report.unfinished = due.more || due.ids.len() > LIMIT;
    if let Some(since) = due.oldest {
        report.since(since, now);
    }
    let ids: Vec<_> = due.ids.into_iter().take(LIMIT).collect();
    let seen = app.store.watched(&ids).await?;
    let (mut revivals, mut failed) = (0, 0);
    for planned in plan::plan(&seen, &app.settings.fleet, now) {
        if watch.is_over() {
            report.unfinished = true;
            break;
        }
        if planned.step == Step::Revive {
            revivals += 1;
            if revivals > REVIVALS {
                report.unfinished = true;
                continue;
            }
        }
        let done = act(app, &planned, now).await;
        let fails = matches!(planned.step, Step::Fail(_)) && matches!(done, Ok(true));
        failed += i64::from(fails);
        report.count(planned.id, planned.step.name(), done);
    }
    report.tell(NAME, &overdue.metrics, now);
    overdue.metrics.write(&[(Metric::BootsFailed, failed)], now);
    app.store.note_run(NAME, &Run::at(now)).await?;
    Ok(report)
}

async fn act(app: &App, planned: &Planned<'_>, now: Timestamp) -> Result<bool> {
    let Planned {
        id,
        machine,
        step,
        boot_within,
    } = planned;
    let (id, store) = (*id, &app.store);
    let act = match step {
        Step::Ask(at) => return store.ask_again(id, machine, *at, now).await,
        Step::Later(at) => return store.look_later(id, machine, Some(*at)).await,
        Step::Settle => return store.look_later(id, machine, None).await,
        Step::Fail(failure) => Act::Fail(failure.clone()),
        Step::Revive => Act::Revive,
        Step::FallAsleep => Act::FallAsleep,
    };
    let ask = Ask::new(&act, *boot_within, now).of_generation(machine.generation);
    let ask = match act {
        Act::Revive => ask.unheard_since(now - SILENT_AFTER),
        _ => ask,
    };
    match store.act(id, &ask).await? {
        Acted::Done { .. } => Ok(true),
        // It stays where it is for as long as what is above it rests.
        Acted::UnderPaused(_) => {
            let at = now + REVIVE_PAUSE;
            store.look_later(id, machine, Some(at)).await
        }
        _ => Ok(false),
    }
}

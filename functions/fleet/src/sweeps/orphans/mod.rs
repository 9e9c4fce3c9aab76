//! `orphans`: every five minutes, the backend's machines against the table (contract:
//! lifecycle-and-sweepers 11.5; traps 5, 25).
//!
//! The machines are listed first and the records read after: whoever was launched meanwhile has a
//! younger record than listing, never an older one. A listing that failed is no listing: nothing
//! follows from it. Without a backend nothing is asked and nothing is read.

pub mod plan;

use std::collections::BTreeSet;

use domain::{Error, Result, WorkspaceId, lifecycle::Act};
use edge::{
    App, Missing,
    metrics::{Metric, Metrics},
    required,
};
use jiff::{SignedDuration, Timestamp};
use plan::{Plan, Step, What};
use serde_json::Value;
use store::{
    lifecycle::{Acted, Ask, Watched},
    sweeps::Run,
};

use super::{LIMIT, Report, Watch};
use crate::machines::{Backend, Change, Class, Listing, Machines, Settings, Trouble, Whose};

/// Its name where runs are noted.
pub const NAME: &str = "orphans";

/// What the sweep needs.
#[derive(Debug)]
pub struct Orphans<M = Backend> {
    app: &'static App,
    machines: M,
    metrics: Metrics,
}

impl Orphans {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let machines = Backend::new(Settings::from_env(), &app.sdk);
        Ok(Self::over(app, machines, &required("STACK_NAME")?))
    }
}

impl<M> Orphans<M> {
    /// Over these parts.
    pub fn over(app: &'static App, machines: M, stack: &str) -> &'static Self {
        Box::leak(Box::new(Self {
            app,
            machines,
            metrics: Metrics::of(stack),
        }))
    }
}

/// Takes no input: it looks at the world, and is the same after a crash as on a good day.
///
/// # Errors
/// The datastore did not answer: the next tick is the retry.
pub async fn handle(orphans: &'static Orphans, _: Value) -> Result<Report> {
    sweep(orphans, Watch::start()).await
}

/// The sweep at this time.
///
/// # Errors
/// As [`handle`].
pub async fn sweep<M: Machines>(orphans: &Orphans<M>, watch: Watch) -> Result<Report> {
    let now = watch.started();
    let mut report = Report::new();
    let listing = match orphans.machines.list(Whose::Stack).await {
        Ok(listing) => listing,
        Err(trouble) if trouble.class() == Class::NoBackend => return Ok(report),
        Err(trouble) => {
            failed(&mut report, "machines could not be listed", &trouble);
            report.tell(NAME, &orphans.metrics, now);
            return Ok(report);
        }
    };
    // A pass of its own: the machines do not wait for the disks.
    let volumes = match orphans.machines.leftovers().await {
        Ok(volumes) => volumes,
        Err(trouble) => {
            failed(&mut report, "disks could not be listed", &trouble);
            Vec::new()
        }
    };
    let (owners, missing) = records(orphans.app, &listing, now).await?;
    let plan = plan::plan(&listing, &volumes, &owners, &missing, now);
    run(orphans, &plan, watch, &mut report).await;
    report.tell(NAME, &orphans.metrics, now);
    let found = i64::try_from(plan.orphans()).unwrap_or(i64::MAX);
    orphans.metrics.write(&[(Metric::Orphans, found)], now);
    orphans.app.store.note_run(NAME, &Run::at(now)).await?;
    Ok(report)
}

/// What is recorded of the owners of machines, and of those whose machine should be there and was
/// not listed.
async fn records(
    app: &App,
    listing: &Listing,
    now: Timestamp,
) -> Result<(Vec<Watched>, Vec<Watched>)> {
    let owners = listing.machines().iter().filter_map(|it| it.owner);
    let owners: BTreeSet<WorkspaceId> = owners.map(|owner| owner.workspace_id).collect();
    let pulses = app.store.pulses().await?.all;
    let missing = plan::missing(&pulses, &owners, now);
    let owners: Vec<_> = owners.into_iter().collect();
    Ok((
        app.store.watched(&owners).await?,
        app.store.watched(&missing).await?,
    ))
}

async fn run<M: Machines>(orphans: &Orphans<M>, plan: &Plan, watch: Watch, report: &mut Report) {
    let now = watch.started();
    report.found += plan.steps.len() + plan.held;
    report.held += plan.held;
    if plan.held > 0 {
        tracing::error!(
            held = plan.held,
            "so many machines look wrong at once that the records may be: nothing is done about them"
        );
    }
    report.unfinished |= plan.steps.len() > LIMIT;
    if let Some(since) = plan.since() {
        report.since(since, now);
    }
    for step in plan.steps.iter().take(LIMIT) {
        if watch.is_over() {
            report.unfinished = true;
            break;
        }
        let done = act(orphans, step, now).await;
        tracing::info!(workspace_id = %step.id, reason = step.why.name(), what = ?step.what, "an orphan");
        report.count(step.id, step.why.name(), done);
    }
}

async fn act<M: Machines>(orphans: &Orphans<M>, step: &Step, now: Timestamp) -> Result<bool> {
    let machines = &orphans.machines;
    let changed = match &step.what {
        What::Terminate(id) => machines.terminate(id).await,
        What::Stop(id) => machines.stop(id).await,
        What::Delete(id) => machines.delete_volume(id).await,
        What::Revive {
            generation,
            runtime,
            heard_at,
        } => {
            let app = orphans.app;
            let within: SignedDuration = app.settings.fleet.boot_within(runtime);
            let ask = |act| {
                Ask::new(act, within, now)
                    .of_generation(*generation)
                    .unheard_since(*heard_at)
            };
            // First that it is offline, which is told and stays where it may not be started anew yet.
            app.store.act(step.id, &ask(&Act::Silence)).await?;
            let ask = ask(&Act::Revive);
            let acted = app.store.act(step.id, &ask).await?;
            return Ok(matches!(acted, Acted::Done { .. }));
        }
    };
    match changed {
        Ok(change) => Ok(change == Change::Underway),
        // It boots or stops at this moment: the next sweep finds it settled.
        Err(trouble) if trouble.class() == Class::WrongState => Ok(false),
        Err(trouble) => Err(Error::unavailable(trouble)),
    }
}

fn failed(report: &mut Report, what: &'static str, trouble: &Trouble) {
    report.failed += 1;
    tracing::warn!(error = %trouble, what, "a look at the backend failed");
}

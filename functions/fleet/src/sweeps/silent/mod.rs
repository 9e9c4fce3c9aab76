//! `silent`: every minute over all beats, whose agent fell silent, whose has nothing to do, and who
//! counts as busy and is not.
//!
//! Three plans over one look: reading all beats is the one thing here that costs. None needs an
//! entry anywhere that changes of status would have to keep.

pub mod idle;
pub mod phantom;
pub mod silence;
pub mod step;

use domain::{
    Result, WorkspaceId,
    lifecycle::{Act, EXTERNAL_SILENT_AFTER},
};
use edge::{App, Missing, metrics::Metrics, required, var};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use silence::{Heard, Limits};
use step::Step;
use store::{
    lifecycle::{Acted, Ask, Pulse, Use},
    sweeps::Run,
};

use super::{LIMIT, Report, Watch};

/// Its name where runs are noted.
pub const NAME: &str = "silent";

/// What the sweep needs.
#[derive(Debug)]
pub struct Silent {
    app: &'static App,
    limits: Limits,
    metrics: Metrics,
}

impl Silent {
    /// From the environment. `REMOTE_LIVENESS_STALE_AFTER`: how many seconds an external agent may
    /// be silent; anything but a positive whole number is 90 (contract: lifecycle-and-sweepers 11.3).
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let seconds = var("REMOTE_LIVENESS_STALE_AFTER").parse::<u32>().ok();
        let seconds = seconds.filter(|seconds| *seconds > 0).map(i64::from);
        let external = seconds.map_or(EXTERNAL_SILENT_AFTER, SignedDuration::from_secs);
        let limits = Limits {
            external,
            ..Limits::default()
        };
        Ok(Self::over(app, limits, &required("STACK_NAME")?))
    }

    /// Over these parts.
    pub fn over(app: &'static App, limits: Limits, stack: &str) -> &'static Self {
        Box::leak(Box::new(Self {
            app,
            limits,
            metrics: Metrics::of(stack),
        }))
    }
}

/// Takes no input: it reads the world, and is the same after a crash as on a good day.
///
/// # Errors
/// The datastore did not show the beats: the next tick is the retry.
pub async fn handle(silent: &'static Silent, _: Value) -> Result<Report> {
    sweep(silent, Watch::start()).await
}

/// The sweep at this time.
///
/// # Errors
/// As [`handle`].
pub async fn sweep(silent: &Silent, watch: Watch) -> Result<Report> {
    let (store, now) = (&silent.app.store, watch.started());
    let before = store.last_run(NAME).await?;
    let judges_from = silence::judges_from(before.as_ref(), now);
    let pulses = store.pulses().await?;
    let mut report = Report::new();
    if pulses.unreadable > 0 {
        report.failed += pulses.unreadable;
        tracing::error!(count = pulses.unreadable, "beats that cannot be read");
    }
    let quiet = quiet(silent, &pulses.all, judges_from, watch, &mut report).await;
    let suspects = idle::suspects(&pulses.all, now);
    let idle = see_to(silent, suspects, idle::plan, watch, &mut report).await;
    let suspects = phantom::suspects(&pulses.all, now);
    let busy = see_to(silent, suspects, phantom::plan, watch, &mut report).await;
    report.tell(NAME, &silent.metrics, now);
    quiet.and(idle).and(busy)?;
    // Noted at the end only: one that died half way was not here.
    let run = Run {
        judges_from,
        ..Run::at(now)
    };
    store.note_run(NAME, &run).await.map(|()| report)
}

async fn quiet(
    silent: &Silent,
    pulses: &[Pulse],
    judges_from: Option<Timestamp>,
    watch: Watch,
    report: &mut Report,
) -> Result<()> {
    let (store, now) = (&silent.app.store, watch.started());
    let mut suspects = silence::suspects(pulses, silent.limits, now);
    if suspects.is_empty() {
        return Ok(());
    }
    let online = pulses.iter().filter(|it| it.status.answers()).count();
    // So many are read as decide whether it is too many at once; the oldest are among them.
    let most = (LIMIT + 1).max(super::allowance(online) + 1);
    report.unfinished |= suspects.len() > most;
    suspects.truncate(most);
    let seen = store.watched(&suspects).await?;
    let heard = seen.iter().filter_map(Heard::of).collect();
    let plan = match judges_from {
        Some(_) => silence::wait(heard, silent.limits, now),
        None => silence::plan(heard, online, silent.limits, now),
    };
    report.found += plan.silent.len() + plan.held;
    report.held += plan.held;
    if let Some(since) = plan.held_since {
        report.since(since, now);
        match judges_from {
            Some(from) => tracing::warn!(
                online,
                held = plan.held,
                judges_from = %from,
                "the sweep itself was away: silence counts again from then on"
            ),
            None => tracing::error!(
                online,
                held = plan.held,
                "so many agents fell silent at once that the trouble may be ours"
            ),
        }
    }
    report.unfinished |= plan.silent.len() > LIMIT;
    let mut revived = 0;
    for heard in plan.silent.iter().take(LIMIT) {
        if watch.is_over() {
            report.unfinished = true;
            break;
        }
        report.since(heard.late_since(silent.limits), now);
        let done = silence_one(silent, heard, now).await;
        let went = matches!(done, Ok(true));
        report.count(heard.id, "silence", done);
        // Those beyond have their entry: `overdue` starts them anew, a few a minute.
        if went && heard.generation.is_some() && revived < super::allowance(online) {
            revived += 1;
            let done = revive(silent.app, heard, now).await;
            report.count(heard.id, "revive", done);
        }
    }
    Ok(())
}

async fn silence_one(silent: &Silent, heard: &Heard, now: Timestamp) -> Result<bool> {
    let ask = Ask::new(&Act::Silence, SignedDuration::ZERO, now).unheard_since(heard.at);
    let acted = silent.app.store.act(heard.id, &ask).await?;
    Ok(matches!(acted, Acted::Done { .. }))
}

/// Starts a silent one anew, if it is still silent, still itself and not started anew of late.
async fn revive(app: &App, heard: &Heard, now: Timestamp) -> Result<bool> {
    let Some(generation) = heard.generation else {
        return Ok(false);
    };
    let within = app.settings.fleet.boot_within(&heard.runtime);
    let ask = Ask::new(&Act::Revive, within, now)
        .of_generation(generation)
        .unheard_since(heard.at);
    let acted = app.store.act(heard.id, &ask).await?;
    Ok(matches!(acted, Acted::Done { .. }))
}

/// Reads who is suspected and does what `plan` makes of them; those suspected longest come first.
async fn see_to(
    silent: &Silent,
    mut suspects: Vec<WorkspaceId>,
    plan: fn(&[Use], Timestamp) -> Vec<Step>,
    watch: Watch,
    report: &mut Report,
) -> Result<()> {
    let (store, now) = (&silent.app.store, watch.started());
    if suspects.is_empty() {
        return Ok(());
    }
    report.unfinished |= suspects.len() > LIMIT;
    suspects.truncate(LIMIT);
    for step in plan(&store.uses(&suspects).await?, now) {
        if watch.is_over() {
            report.unfinished = true;
            break;
        }
        match step {
            Step::Sleep { id, used_at, since } => {
                report.found += 1;
                report.since(since, now);
                let act = Act::Hibernate { force: false };
                let ask = Ask::new(&act, SignedDuration::ZERO, now).idle_since(used_at);
                let acted = store.act(id, &ask).await;
                let done = acted.map(|acted| matches!(acted, Acted::Done { .. }));
                report.count(id, "sleep", done);
            }
            Step::Clear { id, active_at } => {
                report.found += 1;
                let done = store.clear_tasks(id, active_at).await;
                report.count(id, "phantom", done);
            }
            Step::Note { id, at } => {
                if let Err(error) = store.note_use(id, at).await {
                    report.count(id, "note", Err(error));
                }
            }
        }
    }
    Ok(())
}

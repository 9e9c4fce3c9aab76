//! `image_watch`: every five minutes, if the operator wants it, which digests the tags of images have
//! (contract: lifecycle-and-sweepers 11.8).
//!
//! What is seen for the first time is recorded and starts nothing anew: nobody knows what runs.

use domain::Result;
use edge::{Missing, metrics::Metrics, required};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Refresher,
    registry::{Registries, Resolves},
};
use crate::sweeps::Report;

/// What the watcher needs.
#[derive(Debug)]
pub struct Watcher<R: 'static = Registries> {
    refresher: &'static Refresher<R>,
    metrics: Metrics,
}

impl<R> Watcher<R> {
    /// Over these parts.
    pub fn over(refresher: &'static Refresher<R>, stack: &str) -> &'static Self {
        Box::leak(Box::new(Self {
            refresher,
            metrics: Metrics::of(stack),
        }))
    }
}

impl Watcher {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static edge::App) -> Result<&'static Self, Missing> {
        Ok(Self::over(Refresher::start(app)?, &required("STACK_NAME")?))
    }
}

/// Takes no input. One runtime's failure keeps no other waiting, and is tried again by the next tick.
///
/// # Errors
/// The datastore did not answer: nothing is recorded.
pub async fn handle<R: Resolves>(watcher: &'static Watcher<R>, _: Value) -> Result<Report> {
    let now = domain::time::to_micros(Timestamp::now());
    let on = watcher.refresher;
    let seen = on.look(None).await;
    let plan = on.record(&seen, now, |plan| plan.changed.clone()).await?;
    let mut report = Report::new();
    report.found = plan.changed.len();
    report.changed = plan.changed.len();
    report.failed = seen.iter().filter(|one| one.pinned.is_none()).count();
    report.tell("image_watch", &watcher.metrics, now);
    Ok(report)
}

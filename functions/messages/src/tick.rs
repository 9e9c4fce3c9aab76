//! `tick`: every minute, whatever should have happened and has not.

use domain::Result;
use edge::{App, Missing};
use serde_json::Value;

use crate::{
    Messages,
    flow::tick::{Report, tick},
    kick::Jobs,
};

/// What a tick needs.
#[derive(Debug)]
pub struct Ticking {
    messages: &'static Messages,
    jobs: &'static Jobs,
}

impl Ticking {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        Ok(Box::leak(Box::new(Self {
            messages: Messages::delivering(app)?,
            jobs: Jobs::start(app)?,
        })))
    }
}

/// Takes no input: it reads the world, and is the same after a crash as on a good day.
///
/// # Errors
/// The datastore did not say what is due: the next tick is the retry.
pub async fn handle(ticking: &'static Ticking, _: Value) -> Result<Report> {
    let report = tick(&ticking.messages.flow(), ticking.jobs).await?;
    if report
        != (Report {
            limit: report.limit,
            ..Report::default()
        })
    {
        tracing::info!(
            found = report.found,
            changed = report.changed,
            failed = report.failed,
            limit = report.limit,
            "messages tick"
        );
    }
    Ok(report)
}

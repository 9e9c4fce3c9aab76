//! `restarts`: what follows at its leisure from a change.
//!
//! Machines start anew because a secret of theirs or their image has changed (contract:
//! lifecycle-and-sweepers 3.8, 4.1, 8); the paths below a workspace that has moved follow it, if its
//! move did not live to see to them.
//!
//! Fed by a queue of its own with one job at a time, so that a global secret starts a whole
//! organisation anew at its pace and keeps no other job waiting.

mod refresh;

use domain::{
    Error, Result, WorkspaceId,
    job::Job,
    lifecycle::{Act, Host},
    workspace::Status,
};
use edge::App;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    lifecycle::{Acted, Ask},
    workspaces::Parts,
};

/// Who reads its secrets when it is started the next time.
const ASLEEP: &[Status] = &[Status::Paused, Status::Hibernating, Status::Hibernated];

/// A batch of the queue; its size is one.
#[derive(Debug, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "messageId")]
    message_id: String,
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Default, Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount", default)]
    received: String,
}

/// What the queue is told.
#[derive(Debug, Default, Serialize)]
pub struct Worked {
    /// The jobs to try again.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<Failure>,
}

/// A job to try again.
#[derive(Debug, Serialize)]
pub struct Failure {
    #[serde(rename = "itemIdentifier")]
    item: String,
}

/// Does the jobs.
///
/// # Errors
/// Never: a job that failed comes again.
pub async fn handle(app: &'static App, batch: Batch) -> Result<Worked> {
    let mut worked = Worked::default();
    for record in batch.records {
        let received = record.attributes.received.parse().unwrap_or(1);
        let done = work(app, &record.body, received).await;
        if let Err(error) = &done {
            edge::http::log_failure(error, "restarts");
        }
        if !done.unwrap_or(false) {
            worked.failures.push(Failure {
                item: record.message_id,
            });
        }
    }
    Ok(worked)
}

/// Whether the job is done; else it comes again.
async fn work(app: &App, body: &str, received: u32) -> Result<bool> {
    let job: Job = serde_json::from_str(body).map_err(Error::internal)?;
    let now = domain::time::to_micros(Timestamp::now());
    match job {
        Job::RestartV1 { workspace_id } => restart(app, workspace_id, now).await.map(|_| true),
        Job::RestartAllV1 { key, after } => {
            let name = key.parse().map_err(Error::internal)?;
            let reached = app.store.restart_some(&name, after.as_deref(), now).await?;
            tracing::info!(
                seen = reached.seen,
                restarts = reached.restarts.len(),
                goes_on = reached.goes_on,
                "a global secret has changed"
            );
            Ok(true)
        }
        Job::RefreshV1 {
            workspace_id,
            round,
        } => refresh::one(app, workspace_id, round, received, now).await,
        Job::RefreshAllV1 { runtime, after } => {
            let after = after.as_deref();
            refresh::some(app, &runtime, after, now)
                .await
                .map(|()| true)
        }
        Job::SettleV1 { workspace_id } => app.store.settle_paths(workspace_id).await.map(|()| true),
        other => Err(Error::internal(format!(
            "a job of another queue: {other:?}"
        ))),
    }
}

/// Starts a machine of ours anew, unless it is asleep, or below one that is paused, or on its way
/// already: then it reads its secrets when it wakes. Whoever has none reads them when it likes.
///
/// # Errors
/// The datastore did not answer.
pub async fn restart(app: &App, id: WorkspaceId, now: Timestamp) -> Result<Option<Acted>> {
    let found = app.store.workspace(id, Parts::WithMachine).await?;
    let Some(found) = found.filter(|found| found.host() == Host::Machine) else {
        return Ok(None);
    };
    // Of several secrets that are set in a row the first starts it anew, and that reads them all.
    if found.is_yet_to_read_secrets() {
        return Ok(None);
    }
    let boot_within = app.settings.fleet.boot_within;
    let ask = Ask::new(&Act::Restart, boot_within, now).unless(ASLEEP);
    app.store.act(id, &ask).await.map(Some)
}

//! `deliver`, `deliver_vpc`: jobs and offers in, deliveries out.
//!
//! Invoked synchronously by `dispatch` with an offer, and fed by the queue with one job at a time.
//! Either way it runs to its end: that `dispatch` stops waiting stops nothing.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use domain::{Error, Kind, RequestId, Result, job::Job};
use serde::{Deserialize, Serialize};
use store::ledger::Ledger as _;

use crate::{
    Messages, delegate, fire,
    flow::{
        Shelf as _,
        deliver::{Offer, deliver},
        line,
    },
    outcome::Outcome,
    restart_context,
};

/// What `deliver` is given.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// One job of the queue.
    Queue {
        /// The batch; its size is one.
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// An offer, from `dispatch`.
    Offer(Offer),
}

/// A message of the queue.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// Its id.
    #[serde(rename = "messageId")]
    pub message_id: String,
    /// The job.
    pub body: String,
}

/// What `deliver` says.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// To `dispatch`.
    Outcome(Outcome),
    /// To the queue.
    Batch {
        /// The jobs to try again.
        #[serde(rename = "batchItemFailures")]
        failures: Vec<Failure>,
    },
}

/// A job to try again.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// Its message's id.
    #[serde(rename = "itemIdentifier")]
    item: String,
}

/// Does what it is given.
///
/// # Errors
/// The datastore did not answer: an offer's lease runs out, a job is tried again.
pub async fn handle(messages: &'static Messages, given: Given) -> Result<Said> {
    match given {
        Given::Offer(offer) => Ok(Said::Outcome(deliver(&messages.flow(), offer).await?)),
        Given::Queue { records } => {
            let mut failures = Vec::new();
            for record in records {
                // What an agent does is in the ledger; only our own trouble fails a job.
                let tried = || work(messages, &record.body);
                if let Err(error) = tried.retry(soon()).when(may_pass).await {
                    edge::http::log_failure(&error, "job");
                    failures.push(Failure {
                        item: record.message_id,
                    });
                }
            }
            Ok(Said::Batch { failures })
        }
    }
}

/// When a job that met a busy table is tried again: five times within two minutes at most. The queue, whose
/// visibility is that of the longest delivery, would have it wait for 16.
fn soon() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_secs(1))
        .with_factor(4.0)
        .with_max_delay(Duration::from_secs(30))
        .with_max_times(4)
}

/// Whether a failure is one of the table's, which passes, and none of ours, which does not.
fn may_pass(error: &Error) -> bool {
    error.kind() == Kind::PlatformUnavailable
}

async fn work(messages: &'static Messages, body: &str) -> Result<()> {
    let job: Job = serde_json::from_str(body).map_err(Error::internal)?;
    let flow = messages.flow();
    match job {
        Job::DeliverV1 { request_id, fence } => {
            if forwarded(messages, request_id, body).await? {
                return Ok(());
            }
            let offer = Offer {
                request_id,
                fence,
                call: None,
            };
            deliver(&flow, offer).await.map(drop)
        }
        Job::OfferV1 { workspace_id } => line::look(&flow, workspace_id).await.map(drop),
        Job::DelegateV1 {
            source,
            delegation_id,
        } => delegate::send(messages, source, delegation_id).await,
        Job::RestartContextV1 {
            workspace_id,
            restart,
        } => restart_context::send(messages, workspace_id, &restart).await,
        Job::FireV1 { workspace_id, fire } => fire::send(messages, workspace_id, fire).await,
        other @ (Job::ProvisionV1 { .. }
        | Job::StopV1 { .. }
        | Job::RestartV1 { .. }
        | Job::RestartAllV1 { .. }
        | Job::RefreshV1 { .. }
        | Job::RefreshAllV1 { .. }
        | Job::SettleV1 { .. }) => Err(Error::internal(format!(
            "a job of another queue: {other:?}"
        ))),
    }
}

/// Sends a job on to where its target can be reached, if that is inside the VPC. What is accepted
/// before an agent registers does not know yet where that will be.
async fn forwarded(messages: &Messages, id: RequestId, job: &str) -> Result<bool> {
    let Some(vpc) = messages.vpc.as_ref().filter(|vpc| !vpc.queue.is_empty()) else {
        return Ok(false);
    };
    let store = &messages.app.store;
    let Some(request) = store.request(id).await? else {
        return Ok(false);
    };
    let target = store.target(request.target).await?;
    if target.is_none_or(|target| target.recorded.is_none()) {
        return Ok(false);
    }
    let message = vpc.sqs.send_message().queue_url(&vpc.queue);
    let sent = message.message_body(job).send().await;
    sent.map_err(Error::unavailable)?;
    Ok(true)
}

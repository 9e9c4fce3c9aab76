//! `kick`: job rows from the table's stream to their queues, and the queues themselves.
//!
//! The stream gives every row at least once, so a job may travel twice: delivered twice equals once.
//! A row that cannot be sent is left to the minute tick, so that one bad job keeps no other waiting.

use aws_sdk_sqs::Client;
use domain::{Error, Result, job};
use edge::{App, Missing, required};
use serde::Deserialize;
use serde_json::{Value, json};
use store::ledger::{Ledger as _, PendingJob};

use crate::flow::tick::Queue;

/// The queues.
#[derive(Debug)]
pub struct Jobs {
    app: &'static App,
    sqs: Client,
    deliveries: String,
    provision: String,
    stop: String,
    restarts: String,
}

impl Jobs {
    /// The queues the environment names.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        Ok(Box::leak(Box::new(Self {
            app,
            sqs: Client::new(&app.sdk),
            deliveries: required("DELIVERIES_QUEUE_URL")?,
            provision: required("PROVISION_QUEUE_URL")?,
            stop: required("STOP_QUEUE_URL")?,
            restarts: required("RESTARTS_QUEUE_URL")?,
        })))
    }
}

impl Queue for Jobs {
    async fn send(&self, job: &PendingJob) -> Result<()> {
        let url = match job.job().map_err(Error::internal)?.queue() {
            job::Queue::Deliveries => &self.deliveries,
            job::Queue::Provision => &self.provision,
            job::Queue::Stop => &self.stop,
            job::Queue::Restarts => &self.restarts,
        };
        self.sqs
            .send_message()
            .queue_url(url)
            .message_body(&job.job)
            .send()
            .await
            .map_err(Error::unavailable)?;
        Ok(())
    }
}

/// A batch of the stream.
#[derive(Debug, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    dynamodb: Change,
}

#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "NewImage", default)]
    new: Value,
}

/// Sends what was written.
///
/// # Errors
/// Never: what fails is due in a minute and a half.
pub async fn handle(jobs: &'static Jobs, batch: Batch) -> Result<Value> {
    for record in batch.records {
        let Some(job) = pending(&record.dynamodb.new) else {
            continue;
        };
        let sent = jobs.send(&job).await;
        let outcome = match sent {
            Ok(()) => jobs.app.store.sent(&job).await,
            failed => failed,
        };
        if let Err(error) = outcome {
            edge::http::log_failure(&error, "kick");
        }
    }
    Ok(json!({"batchItemFailures": []}))
}

/// A job row from a stream image, whose values carry their types.
fn pending(image: &Value) -> Option<PendingJob> {
    let fields = image.as_object()?.iter();
    let plain: serde_json::Map<String, Value> = fields
        .filter_map(|(name, typed)| Some((name.clone(), typed.get("S")?.clone())))
        .collect();
    serde_json::from_value(Value::Object(plain)).ok()
}

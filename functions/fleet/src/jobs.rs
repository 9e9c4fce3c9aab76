//! Jobs of a queue: done, to be done again later, or failed and tried again.

use aws_sdk_sqs::Client;
use domain::{Error, Result, job::Job};
use edge::{App, Missing, required};
use serde::{Deserialize, Serialize};

/// How long a job that is tried again waits, in seconds, by how often it was received; the last one
/// from then on. With ten receives (the queues' limit) a job has about twelve minutes: longer than
/// a machine takes to stop or EC2 to stop throttling.
const WAITS: [i32; 5] = [10, 20, 40, 80, 120];

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is left to do.
    Done,
    /// It cannot be done yet, for this reason: nothing is wrong.
    Later(&'static str),
}

/// A batch of the queue; its size is one.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// A message of the queue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    message_id: String,
    #[serde(default)]
    receipt_handle: String,
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
pub struct Said {
    /// The jobs to try again.
    #[serde(rename = "batchItemFailures")]
    failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
struct Failure {
    #[serde(rename = "itemIdentifier")]
    item: String,
}

/// A queue, as far as its consumer needs it.
#[derive(Debug)]
pub struct Queue {
    sqs: Client,
    url: String,
}

impl Queue {
    /// That of machines to bring up.
    ///
    /// # Errors
    /// The name of the variable that is missing.
    pub fn provisions(app: &App) -> Result<Self, Missing> {
        Ok(Self::at(app, required("PROVISION_QUEUE_URL")?))
    }

    /// That of machines to stop.
    ///
    /// # Errors
    /// The name of the variable that is missing.
    pub fn stops(app: &App) -> Result<Self, Missing> {
        Ok(Self::at(app, required("STOP_QUEUE_URL")?))
    }

    /// The queue at this address.
    pub fn at(app: &App, url: String) -> Self {
        let sqs = Client::new(&app.sdk);
        Self { sqs, url }
    }

    /// Works on each job, and has those come back that are not done.
    pub async fn each<F, Fut>(&self, batch: Batch, work: F) -> Said
    where
        F: Fn(Job) -> Fut,
        Fut: Future<Output = Result<Progress>>,
    {
        let mut said = Said::default();
        for record in batch.records {
            let outcome = match serde_json::from_str(&record.body) {
                Ok(job) => work(job).await,
                Err(error) => Err(Error::internal(error)),
            };
            match outcome {
                Ok(Progress::Done) => continue,
                Ok(Progress::Later(why)) => tracing::info!(job = record.body, "later: {why}"),
                Err(error) => edge::http::log_failure(&error, "job"),
            }
            self.hide(&record).await;
            said.failures.push(Failure {
                item: record.message_id,
            });
        }
        said
    }

    /// Has a message come back soon: the queue's own time is that of a function that died.
    async fn hide(&self, record: &Record) {
        let request = self
            .sqs
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(&record.receipt_handle)
            .visibility_timeout(wait(&record.attributes.received));
        if let Err(error) = request.send().await {
            tracing::warn!(%error, "a job comes back later than it should");
        }
    }
}

fn wait(received: &str) -> i32 {
    let before: usize = received.parse().unwrap_or(1).max(1) - 1;
    WAITS[before.min(WAITS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        for (received, expected) in [("", 10), ("1", 10), ("2", 20), ("5", 120), ("99", 120)] {
            assert_eq!(wait(received), expected, "{received}");
        }
    }

    #[test]
    fn messages_are_read_as_lambda_sends_them() {
        let batch = r#"{"Records":[{"messageId":"m","receiptHandle":"r","body":"{}",
            "attributes":{"ApproximateReceiveCount":"3","SentTimestamp":"1"},"md5OfBody":"x"}]}"#;
        let batch: Batch = serde_json::from_str(batch).expect("a batch");
        assert_eq!(wait(&batch.records[0].attributes.received), 40);
    }
}

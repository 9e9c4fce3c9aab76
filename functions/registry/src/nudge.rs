//! A heartbeat that shows capacity while messages wait nudges their line.

use domain::{WorkspaceId, job::Job};
use edge::{App, Missing, required};

/// What a heartbeat needs: the queue, beside the common part.
#[derive(Debug)]
pub struct Registry {
    /// The common part.
    pub app: &'static App,
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
}

impl AsRef<App> for Registry {
    fn as_ref(&self) -> &App {
        self.app
    }
}

impl Registry {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        Ok(Self::with_queue(app, required("DELIVERIES_QUEUE_URL")?))
    }

    /// With this queue.
    pub fn with_queue(app: &'static App, queue_url: String) -> &'static Self {
        Box::leak(Box::new(Self {
            app,
            sqs: aws_sdk_sqs::Client::new(&app.sdk),
            queue_url,
        }))
    }

    /// Has somebody look at a workspace's line. It may be lost: the minute tick looks as well.
    pub async fn nudge(&self, workspace_id: WorkspaceId) {
        let Ok(job) = serde_json::to_string(&Job::OfferV1 { workspace_id }) else {
            return;
        };
        let send = self.sqs.send_message().queue_url(&self.queue_url);
        if let Err(error) = send.message_body(job).send().await {
            tracing::warn!(%workspace_id, error = %error.into_service_error(), "no nudge");
        }
    }
}

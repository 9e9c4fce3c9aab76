//! Behind the stage of the deployed stack: its table and its dead letters, for what no route shows
//! (counters of a workspace that is gone) and for what no test can wait for (a thousand messages, a
//! message of yesterday, a job that failed five times).

mod news;

use std::env;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use aws_sdk_sqs::types::QueueAttributeName;
use domain::{Mode, WorkspaceId, job::Job};
use edge::{App, Settings};
use jiff::{SignedDuration, Timestamp};
use store::{
    keys::{self, Key},
    ledger::{Counts, Entry},
    workspaces::Parts,
};

use crate::{Workspace, counted::InProcess, until};

/// The table and the queues of the deployed stack.
#[derive(Debug)]
pub struct Backstage {
    app: App,
    db: Client,
    table: String,
    sqs: aws_sdk_sqs::Client,
}

impl Backstage {
    /// Of the stack that `make test` started.
    ///
    /// # Panics
    /// There is none.
    pub async fn new() -> Self {
        Self::of(var("TABLE_NAME")).await
    }

    /// Behind functions in this process: nobody is told of what is written there.
    pub async fn beneath(inside: &InProcess) -> Self {
        Self::of(inside.app.settings.table.clone()).await
    }

    async fn of(table: String) -> Self {
        let settings = Settings {
            mode: Mode::DevClosed,
            admin_token: String::new(),
            cors_origins: Vec::new(),
            public_url: String::new(),
            table: table.clone(),
            fleet: edge::Fleet::default(),
            max_workspaces: 0,
            rate_limit: u32::MAX,
            stack: String::new(),
            org_id: String::new(),
            bucket: var("BUCKET_NAME"),
        };
        let sdk = edge::sdk_config().load().await;
        Self {
            db: Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            app: App::new(settings, sdk),
            table,
        }
    }

    /// What became of the messages to a workspace, also when it is removed; none once it is purged.
    pub async fn counts(&self, workspace: &Workspace) -> Option<Counts> {
        let found = self.app.store.workspace(id(workspace), Parts::WithLoad);
        Some(found.await.expect("read")?.load?.counts)
    }

    /// Whether there is a record of a machine of it.
    pub async fn has_machine(&self, workspace: &Workspace) -> bool {
        let machine = self.app.store.machine(id(workspace)).await;
        machine.expect("the emulator answers").is_some()
    }

    /// Those that wait for a workspace, in order.
    pub async fn line(&self, workspace: &Workspace) -> Vec<Entry> {
        let line = self.app.store.whole_line(id(workspace)).await;
        line.expect("the emulator answers")
    }

    /// Until so many wait for a workspace. The list of all queues tells as well, but reads all
    /// workspaces for it.
    pub async fn until_waiting(&self, workspace: &Workspace, count: usize) {
        until(30, &format!("{count} wait"), || async {
            (self.line(workspace).await.len() == count).then_some(())
        })
        .await;
    }

    /// Has the counters say that so many more wait than do. Acceptance looks at nothing else; the
    /// sum stays right, as others look at the drift of all workspaces.
    pub async fn pretend_waiting(&self, workspace: &Workspace, more: i64) {
        let key = keys::load(id(workspace));
        self.db
            .update_item()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.pk))
            .key(keys::SK, AttributeValue::S(key.sk))
            .update_expression("ADD accepted :more, waiting :more")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":more", AttributeValue::N(more.to_string()))
            .send()
            .await
            .expect("written");
    }

    /// Has one that waits have waited for so much longer.
    pub async fn age(&self, workspace: &Workspace, entry: &Entry, by: SignedDuration) {
        let key = keys::in_line(id(workspace), &entry.sk);
        let at: Timestamp = entry.accepted_at - by;
        self.set_time(key, "accepted_at", at).await;
    }

    /// Has an agent not have been heard of for so long.
    pub async fn quieten(&self, workspace: &Workspace, by: SignedDuration) {
        let key = keys::beat(id(workspace));
        let at: Timestamp = Timestamp::now() - by;
        self.set_time(key, "beat_at", at).await;
    }

    /// Sets a time of an item that is there.
    async fn set_time(&self, key: Key, attribute: &str, at: Timestamp) {
        let at = AttributeValue::N(at.as_microsecond().to_string());
        self.db
            .update_item()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.pk))
            .key(keys::SK, AttributeValue::S(key.sk))
            .update_expression(format!("SET {attribute} = :at"))
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":at", at)
            .send()
            .await
            .expect("written");
    }

    /// Puts a job where those end that have failed too often.
    pub async fn bury(&self, job: &Job) {
        let policy = QueueAttributeName::RedrivePolicy;
        let queue = self.sqs.get_queue_attributes();
        let queue = queue.queue_url(var("DELIVERIES_QUEUE_URL"));
        let found = queue.attribute_names(policy.clone()).send().await;
        let found = found.expect("the emulator answers").attributes;
        let policy = found.unwrap_or_default().remove(&policy);
        let policy: serde_json::Value =
            serde_json::from_str(&policy.expect("a policy")).expect("JSON");
        let dead = policy["deadLetterTargetArn"].as_str().expect("a queue");
        let name = dead.rsplit(':').next().expect("a name");
        let url = self.sqs.get_queue_url().queue_name(name).send().await;
        self.sqs
            .send_message()
            .set_queue_url(url.expect("the queue is there").queue_url)
            .message_body(serde_json::to_string(job).expect("JSON"))
            .send()
            .await
            .expect("sent");
    }
}

fn id(workspace: &Workspace) -> WorkspaceId {
    workspace.id.parse().expect("an id")
}

fn var(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: end-to-end tests are run by `make test`"))
}

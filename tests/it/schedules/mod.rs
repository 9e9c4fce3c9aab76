//! Slots and fires over a table of their own, with a clock that is moved: ticks concern all schedules.

pub(crate) mod cost;
mod ends;
pub(crate) mod gone;
mod slots;

use domain::{Mode, WorkspaceId, job::Job};
use e2e::{
    Agent, Workspace,
    counted::{InCall, InProcess},
};
use jiff::{SignedDuration, Timestamp};
use messages::deliver::{self, Given};
use reqwest::Method;
use schedules::tick::{Report, Ticking, tick};
use serde_json::{Value, json};
use store::ledger::{Due, Ledger as _};

use crate::calls_messages::{context, permitted};

/// A workspace with a schedule that fires at every minute, and its agent.
struct World {
    inside: InProcess,
    messages: &'static messages::Messages,
    ticking: &'static Ticking,
    own: Workspace,
    agent: Agent,
}

impl World {
    async fn new() -> Self {
        let inside = InProcess::apart(Mode::DevClosed).await;
        let (own, agent) = (inside.workspace("Own").await, Agent::start().await);
        inside.register(&own, &agent.url).await.expect(200);
        Self {
            messages: context(&inside),
            ticking: Ticking::over(inside.app, "tests"),
            inside,
            own,
            agent,
        }
    }

    fn call(&self, method: Method, rest: &str) -> InCall {
        let path = format!("/workspaces/{}/schedules{rest}", self.own.id);
        self.inside.call(method, &path).bearer(&self.inside.admin)
    }

    /// A new schedule; its id.
    async fn schedule(&self, name: &str, cron: &str) -> String {
        let body = json!({"name": name, "cron_expr": cron, "prompt": format!("Do {name}")});
        let made = self.call(Method::POST, "").json(&body).await;
        made.expect(201).text("id")
    }

    async fn change(&self, id: &str, body: Value) {
        let call = self.call(Method::PATCH, &format!("/{id}")).json(&body);
        call.await.expect(200);
    }

    /// It, as listed.
    async fn shown(&self, id: &str) -> Value {
        let rows = self.call(Method::GET, "").await.expect(200).json;
        let rows = rows.as_array().expect("a list");
        let found = rows.iter().find(|row| row["id"] == id);
        found.cloned().expect("it is listed")
    }

    async fn next_run(&self, id: &str) -> Timestamp {
        let shown = self.shown(id).await;
        let at = shown["next_run_at"].as_str().expect("a slot");
        at.parse().expect("a time")
    }

    /// The statuses of its runs, newest first.
    async fn history(&self, id: &str) -> Vec<Value> {
        let runs = self.call(Method::GET, &format!("/{id}/history")).await;
        runs.expect(200).json.as_array().expect("a list").clone()
    }

    async fn statuses(&self, id: &str) -> Vec<String> {
        let runs = self.history(id).await.into_iter();
        runs.map(|run| run["status"].as_str().expect("a status").to_owned())
            .collect()
    }

    async fn tick_at(&self, now: Timestamp) -> Report {
        self.inside.wire.take();
        let report = tick(self.ticking, now).await.expect("a tick");
        permitted("schedules.tick", &self.inside.wire.take());
        report
    }

    /// The jobs that are on their way, until somebody says that they have arrived.
    async fn jobs(&self) -> Vec<store::ledger::PendingJob> {
        let late = Timestamp::now() + SignedDuration::from_hours(24 * 365);
        let due = self.inside.app.store.due(late, 100).await;
        let due = due.expect("what is due").due.into_iter();
        due.filter_map(|due| match due {
            Due::Job(job) => Some(job),
            Due::Request(_) | Due::Line(_) => None,
        })
        .collect()
    }

    /// Does a job, as the queue would have it done.
    async fn work(&self, job: &Job) {
        let body = serde_json::to_string(job).expect("JSON");
        let given = json!({"Records": [{"messageId": "one", "body": body}]});
        let given: Given = serde_json::from_value(given).expect("a batch");
        self.inside.wire.take();
        let said = deliver::handle(self.messages, given).await.expect("done");
        permitted("messages.deliver", &self.inside.wire.take());
        let said = serde_json::to_value(&said).expect("JSON");
        assert_eq!(said["batchItemFailures"], json!([]), "{job:?}");
    }

    /// Does all jobs that are on their way, each once, until there are none.
    async fn settle(&self) {
        loop {
            let jobs = self.jobs().await;
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                self.work(&job.job().expect("a job")).await;
                self.inside.app.store.sent(&job).await.expect("gone");
            }
        }
    }

    fn id(&self) -> WorkspaceId {
        self.own.id.parse().expect("an id")
    }

    async fn events(&self) -> Vec<(String, Value)> {
        let rows = self.inside.app.store.newest_events_of(self.id()).await;
        let rows = rows.expect("events").into_iter();
        rows.map(|row| (row.event_type.clone(), row.payload()))
            .collect()
    }

    /// The rows of runs in the activity of the workspace, newest first.
    async fn cron_rows(&self) -> Vec<Value> {
        let path = format!("/workspaces/{}/activity?type=cron_run", self.own.id);
        let rows = self.inside.get(&path).bearer(&self.inside.admin).await;
        rows.expect(200).json.as_array().expect("a list").clone()
    }
}

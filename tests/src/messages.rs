//! What tests of messages, queues and delegations ask again and again.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::{sync::Barrier, task::JoinHandle};

use crate::{Agent, Answer, Call, Script, Workspace, World, until};

/// A message that an agent works on until the test lets it end.
#[derive(Debug)]
pub struct Held {
    barrier: Arc<Barrier>,
    answer: JoinHandle<Answer>,
}

impl Held {
    /// Lets the agent answer; what the caller got.
    ///
    /// # Panics
    /// The call failed.
    pub async fn release(self) -> Answer {
        self.barrier.wait().await;
        self.answer.await.expect("joined")
    }
}

impl World {
    /// A message from a person that the agent has and does not answer yet: its slot is taken.
    ///
    /// # Panics
    /// It does not arrive.
    pub async fn hold(&self, workspace: &Workspace, agent: &Agent, text: &str) -> Held {
        let barrier = Arc::new(Barrier::new(2));
        agent.next(Script::Meet(Arc::clone(&barrier)));
        let answer = tokio::spawn(self.message(&workspace.id, text).into_future());
        until(20, "it arrives", || async {
            agent.texts().iter().any(|it| it == text).then_some(())
        })
        .await;
        Held { barrier, answer }
    }

    /// A request as an operator sees it.
    pub async fn request(&self, target: &str, id: &str) -> Value {
        let path = format!("/workspaces/{target}/a2a/requests/{id}");
        self.get(&path).bearer(&self.admin).await.expect(200).json
    }

    /// A request once it has ended.
    pub async fn settled(&self, target: &str, id: &str) -> Value {
        until(30, "the request ends", || async {
            let found = self.request(target, id).await;
            let open = found["state"] == "queued" || found["state"] == "dispatched";
            (!open).then_some(found)
        })
        .await
    }

    /// A workspace's line in the list of `GET /admin/a2a-queue`, if it is on it.
    pub async fn queue_of(&self, id: &str) -> Option<Value> {
        let queues = self.get("/admin/a2a-queue").bearer(&self.admin);
        let queues = queues.await.expect(200).json;
        let queues = queues["queues"].as_array().expect("a list");
        queues.iter().find(|it| it["workspace_id"] == id).cloned()
    }

    /// A task for another workspace.
    pub fn delegate(&self, from: &Workspace, to: &str, task: &str) -> Call {
        self.post(&format!("/workspaces/{}/delegate", from.id))
            .bearer(&from.token)
            .json(&json!({"target_id": to, "task": task}))
    }

    /// A workspace's delegations, newest first: two rows each, at most 50.
    pub async fn delegations(&self, of: &Workspace) -> Vec<Value> {
        let path = format!("/workspaces/{}/delegations", of.id);
        let rows = self.get(&path).bearer(&of.token).await.expect(200).json;
        rows.as_array().expect("a list").clone()
    }

    /// The row of what was asked, once a delegation stands so.
    pub async fn delegated(&self, of: &Workspace, id: &str, status: &str) -> Value {
        until(30, &format!("the delegation is {status}"), || async {
            let rows = self.delegations(of).await;
            let asked = |row: &&Value| {
                let summary = row["summary"].as_str().unwrap_or_default();
                row["delegation_id"] == id && summary.starts_with("Delegating")
            };
            let row = rows.iter().find(asked)?;
            (row["status"] == status).then(|| row.clone())
        })
        .await
    }
}

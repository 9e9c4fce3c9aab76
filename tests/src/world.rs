//! The stack as its clients see it. Every test makes workspaces of its own, so tests run side by
//! side and in any order.

use std::{env, time::Duration};

use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{Agent, Answer, Call};

/// An id that no workspace has.
pub const STRANGER: &str = "00000000-0000-4000-8000-000000000000";

/// The running stack.
#[derive(Debug, Clone)]
pub struct World {
    /// Where its API answers.
    pub base: String,
    /// The admin token.
    pub admin: String,
    http: Client,
}

/// A workspace a test made, and a token of it.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its id.
    pub id: String,
    /// A live token.
    pub token: String,
}

impl World {
    /// The stack that `make test` started.
    ///
    /// # Panics
    /// There is none: these tests are run by `make test`, not by `cargo test` alone.
    pub fn new() -> Self {
        let var = |name: &str| {
            env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: end-to-end tests are run by `make test`")
            })
        };
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client");
        Self {
            base: var("BASE_URL"),
            admin: var("ADMIN_TOKEN"),
            http,
        }
    }

    /// A call without a credential.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call {
            request: self.http.request(method, format!("{}{path}", self.base)),
        }
    }

    /// `GET` without a credential.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// `POST` without a credential.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// `GET` of any address, such as one that an answer points to.
    pub fn fetch(&self, url: &str) -> Call {
        Call {
            request: self.http.get(url),
        }
    }

    /// A new external workspace that waits for its agent.
    pub async fn workspace(&self, name: &str) -> Workspace {
        self.create(json!({"name": name, "external": true})).await
    }

    /// A new external workspace below `parent`.
    pub async fn child(&self, name: &str, parent: &Workspace) -> Workspace {
        self.create(json!({"name": name, "external": true, "parent_id": parent.id}))
            .await
    }

    /// A new workspace from this body; it must be external and without URL, so that it has a token.
    pub async fn create(&self, body: Value) -> Workspace {
        let made = self
            .post("/workspaces")
            .bearer(&self.admin)
            .json(&body)
            .await
            .expect(201);
        Workspace {
            id: made.text("id"),
            token: made.json["connection"]["auth_token"]
                .as_str()
                .expect("a token")
                .to_owned(),
        }
    }

    /// A new workspace that waits for its machine, and a token of it.
    pub async fn managed(&self, name: &str) -> Workspace {
        let made = self
            .post("/workspaces")
            .bearer(&self.admin)
            .json(&json!({"name": name}))
            .await
            .expect(201);
        let id = made.text("id");
        let token = self.test_token(&id).await;
        Workspace { id, token }
    }

    /// What somebody does to a workspace's life, still without a caller.
    pub fn act(&self, id: &str, act: &str) -> Call {
        self.post(&format!("/workspaces/{id}/{act}"))
    }

    /// The status of a workspace.
    pub async fn status(&self, id: &str) -> String {
        let shown = self.show(id).await;
        shown["status"].as_str().unwrap_or_default().to_owned()
    }

    /// One more live token of a workspace.
    pub async fn test_token(&self, id: &str) -> String {
        self.get(&format!("/admin/workspaces/{id}/test-token"))
            .bearer(&self.admin)
            .await
            .expect(200)
            .text("auth_token")
    }

    /// Deletes a workspace and all below it.
    pub async fn delete(&self, id: &str) -> Answer {
        self.call(Method::DELETE, &format!("/workspaces/{id}?confirm=true"))
            .bearer(&self.admin)
            .await
            .expect(200)
    }

    /// Registers an agent's address for a workspace.
    pub async fn register(&self, workspace: &Workspace, url: &str) -> Answer {
        self.post("/registry/register")
            .bearer(&workspace.token)
            .json(&json!({"id": workspace.id, "url": url, "agent_card": {"name": "test"}}))
            .await
    }

    /// Registers an agent without an address: it fetches its messages.
    pub async fn register_polling(&self, workspace: &Workspace) -> Answer {
        self.post("/registry/register")
            .bearer(&workspace.token)
            .json(&json!({"id": workspace.id, "delivery_mode": "poll", "agent_card": {}}))
            .await
    }

    /// A new workspace with a scripted agent, online.
    pub async fn online(&self, name: &str) -> (Workspace, Agent) {
        let (workspace, agent) = (self.workspace(name).await, Agent::start().await);
        self.register(&workspace, &agent.url).await.expect(200);
        (workspace, agent)
    }

    /// A heartbeat of a workspace: `extra` is merged into an empty one.
    pub async fn beat(&self, workspace: &Workspace, extra: Value) -> Answer {
        let mut body = json!({"workspace_id": workspace.id});
        if let (Some(body), Value::Object(extra)) = (body.as_object_mut(), extra) {
            body.extend(extra);
        }
        self.post("/registry/heartbeat")
            .bearer(&workspace.token)
            .json(&body)
            .await
    }

    /// A secret for a workspace, still without a caller.
    pub fn secret(&self, id: &str, key: &str, value: &str) -> Call {
        let body = json!({"key": key, "value": value});
        self.post(&format!("/workspaces/{id}/secrets")).json(&body)
    }

    /// The workspace as an operator sees it.
    pub async fn show(&self, id: &str) -> Value {
        self.get(&format!("/workspaces/{id}"))
            .bearer(&self.admin)
            .await
            .expect(200)
            .json
    }

    /// A message from a person (the admin), as the canvas sends it.
    pub fn message(&self, to: &str, text: &str) -> Call {
        self.send(to).bearer(&self.admin).json(&envelope(text))
    }

    /// A message from a workspace.
    pub fn message_from(&self, from: &Workspace, to: &str, text: &str) -> Call {
        self.send(to).by(from).json(&envelope(text))
    }

    /// A message still without a sender and a body.
    pub fn send(&self, to: &str) -> Call {
        self.post(&format!("/workspaces/{to}/a2a"))
    }

    /// The newest activity of a workspace, newest first; `query` as after `?`.
    pub async fn activity(&self, id: &str, query: &str) -> Vec<Value> {
        let path = format!("/workspaces/{id}/activity?{query}");
        let rows = self.get(&path).bearer(&self.admin).await.expect(200).json;
        rows.as_array().expect("a list").clone()
    }

    /// A report of a workspace about what it did.
    pub fn report(&self, workspace: &Workspace, body: &Value) -> Call {
        let path = format!("/workspaces/{}/activity", workspace.id);
        self.post(&path).by(workspace).json(body)
    }

    /// A message that a workspace sends people.
    pub fn notify(&self, id: &str) -> Call {
        self.post(&format!("/workspaces/{id}/notify"))
    }

    /// What chat history shows of a workspace, newest first.
    pub async fn chat(&self, id: &str) -> Vec<Value> {
        let query = "type=a2a_receive&source=canvas&limit=50";
        self.activity(id, query).await
    }

    /// The workspace as an operator's list shows it, if it does.
    pub async fn listed(&self, id: &str) -> Option<Value> {
        let rows = self
            .get("/workspaces")
            .bearer(&self.admin)
            .await
            .expect(200);
        let rows = rows.json.as_array().expect("a list").clone();
        rows.into_iter().find(|row| row["id"] == id)
    }

    /// A workspace and what was told of it: a refused call leaves both as they were.
    pub async fn snapshot(&self, id: &str) -> Value {
        json!({"shown": self.show(id).await, "events": self.events(id).await})
    }

    /// The newest events of a workspace, newest first: names and payloads.
    pub async fn events(&self, id: &str) -> Vec<(String, Value)> {
        let path = format!("/events/{id}");
        let rows = self.get(&path).bearer(&self.admin).await.expect(200).json;
        let event = |row: &Value| {
            let name = row["event_type"].as_str().expect("a name");
            (name.to_owned(), row["payload"].clone())
        };
        rows.as_array().expect("a list").iter().map(event).collect()
    }

    /// The names of the newest events of a workspace, newest first.
    pub async fn event_names(&self, id: &str) -> Vec<String> {
        let events = self.events(id).await;
        events.into_iter().map(|(name, _)| name).collect()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// A `message/send` with this text.
pub fn envelope(text: &str) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": "1",
        "method": "message/send",
        "params": {"message": {
            "role": "user",
            "messageId": uuid::Uuid::new_v4(),
            "parts": [{"kind": "text", "text": text}],
        }},
    })
}

/// Asks again and again until there is an answer, for at most `seconds`.
///
/// # Panics
/// There was none.
pub async fn until<T, F>(seconds: u64, what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "not within {seconds} s: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

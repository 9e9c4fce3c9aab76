//! One agent process, and how to talk to it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::platform::{Platform, SELF};

pub(crate) struct Process {
    pub url: String,
    child: Child,
    /// Kept open: a process that cannot write its log would stop.
    _stderr: BufReader<ChildStderr>,
    http: Client,
}

impl Process {
    /// Starts the agent on a free port and waits until it listens.
    pub(crate) fn start(platform: &Platform) -> Self {
        let mut child = command(&platform.url).spawn().expect("the agent starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("its log"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("its first line");
        let url = line.trim().strip_prefix("listening on ").expect(&line);
        Self {
            url: url.to_owned(),
            child,
            _stderr: stderr,
            http: Client::new(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url));
        json_of(request.send().await.expect("a reply")).await.1
    }

    /// Says something and returns the text of the answer.
    pub(crate) async fn say(&self, text: &str) -> String {
        crate::text(&self.send(parts(text)).await).to_owned()
    }

    /// Sends a message of these parts and returns the JSON-RPC reply.
    pub(crate) async fn send(&self, parts: Value) -> Value {
        let (status, reply) = self.post(&call(parts)).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        reply
    }

    pub(crate) async fn post_text(&self, text: &str) -> (StatusCode, Value) {
        self.post(&call(parts(text))).await
    }

    pub(crate) async fn post(&self, body: &str) -> (StatusCode, Value) {
        let request = self.http.post(&self.url).body(body.to_owned());
        json_of(request.send().await.expect("a reply")).await
    }

    /// Says something and returns the raw reply. Borrows nothing, so that it can be spawned.
    pub(crate) fn response(&self, text: &str) -> impl Future<Output = Response> + use<> {
        let request = self.http.post(&self.url).body(call(parts(text)));
        async { request.send().await.expect("a reply") }
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").arg(id).status().expect("kill");
        assert!(killed.success());
    }

    /// Waits for the end of the process and returns its code.
    pub(crate) async fn wait(&mut self) -> Option<i32> {
        let ended = async {
            loop {
                match self.child.try_wait().expect("its state") {
                    Some(status) => return status.code(),
                    None => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        timeout(Duration::from_secs(10), ended)
            .await
            .expect("an end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the agent without one of its variables; its code and its log.
pub(crate) fn start_without(variable: &str) -> (Option<i32>, String) {
    let mut command = command("http://localhost:1");
    let mut child = command
        .env_remove(variable)
        .spawn()
        .expect("the agent starts");
    let mut log = String::new();
    let mut stderr = child.stderr.take().expect("its log");
    stderr.read_to_string(&mut log).expect("its log");
    (child.wait().expect("its end").code(), log)
}

fn command(platform_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent-example"));
    command
        .env_clear()
        .env("PLATFORM_URL", platform_url)
        .env("WORKSPACE_ID", SELF)
        .env("AGENT_NAME", "Ada")
        .env("PORT", "0")
        .stderr(Stdio::piped());
    command
}

fn parts(text: &str) -> Value {
    json!([{"kind": "text", "text": text}])
}

fn call(parts: Value) -> String {
    let id = uuid::Uuid::new_v4();
    let message = json!({"role": "user", "messageId": id, "parts": parts});
    json!({"jsonrpc": "2.0", "id": id, "method": "message/send", "params": {"message": message}})
        .to_string()
}

async fn json_of(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    (status, response.json().await.expect("a JSON body"))
}

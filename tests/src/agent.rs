//! An agent inside the test: it answers as its script says and keeps what it was sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::Barrier;

/// What an agent does with one message.
#[derive(Debug, Clone)]
pub enum Script {
    /// Answers with its text, as an A2A message.
    Echo,
    /// Waits, then echoes.
    Slow(Duration),
    /// Answers with this status and JSON.
    Status(u16, Value),
    /// Answers with this status, these headers and these bytes.
    Raw(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Answers with this status and breaks off in the middle of the body.
    Cut(u16),
    /// Waits until as many as the barrier wants are waiting, then echoes.
    Meet(Arc<Barrier>),
    /// Says that it is busy for so many seconds.
    Busy(u32),
    /// Never answers.
    Silent,
}

/// A message as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// What it was posted to: path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Inner {
    next: Mutex<VecDeque<Script>>,
    received: Mutex<Vec<Received>>,
    restarts: Mutex<Vec<Received>>,
}

/// A scripted agent. It stops with the test's runtime.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Where it answers.
    pub url: String,
    inner: Arc<Inner>,
}

impl Agent {
    /// An agent that echoes until it is told otherwise.
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            url: format!("http://{address}"),
            inner,
        }
    }

    /// What it does with the next message; after these it echoes again.
    pub fn next(&self, script: Script) {
        self.inner.next.lock().expect("lock").push_back(script);
    }

    /// What it was sent, in order.
    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().expect("lock").clone()
    }

    /// What it was told of its restarts, in order: no test's script has to count these.
    pub fn restarts(&self) -> Vec<Received> {
        self.inner.restarts.lock().expect("lock").clone()
    }

    /// The texts it was sent, in order.
    pub fn texts(&self) -> Vec<String> {
        self.received().iter().map(|got| text(&got.body)).collect()
    }
}

fn text(body: &Value) -> String {
    let parts = body["params"]["message"]["parts"].as_array();
    parts
        .into_iter()
        .flatten()
        .filter_map(|part| part["text"].as_str())
        .collect()
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let received = Received {
        path: uri.to_string(),
        headers,
        body: body.clone(),
    };
    if body["params"]["message"]["metadata"]["restart_context"] == true {
        inner.restarts.lock().expect("lock").push(received);
        return echo(&body).into_response();
    }
    inner.received.lock().expect("lock").push(received);
    let script = inner.next.lock().expect("lock").pop_front();
    match script.unwrap_or(Script::Echo) {
        Script::Echo => echo(&body).into_response(),
        Script::Slow(wait) => {
            tokio::time::sleep(wait).await;
            echo(&body).into_response()
        }
        Script::Status(status, json) => (code(status), axum::Json(json)).into_response(),
        Script::Raw(status, headers, bytes) => {
            let mut response = (code(status), bytes).into_response();
            for (name, value) in headers {
                let value = value.parse().expect("a header value");
                response.headers_mut().insert(name, value);
            }
            response
        }
        Script::Cut(status) => (code(status), cut()).into_response(),
        Script::Meet(barrier) => {
            barrier.wait().await;
            echo(&body).into_response()
        }
        Script::Busy(seconds) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [("retry-after", seconds.to_string())],
            axum::Json(json!({"error": "busy"})),
        )
            .into_response(),
        Script::Silent => std::future::pending().await,
    }
}

/// A body that begins, is sent that far, and then breaks the connection.
fn cut() -> Body {
    let begins = stream::iter([Ok(Bytes::from_static(b"{\"jsonrpc\":"))]);
    let breaks = stream::once(async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err(std::io::Error::other("cut"))
    });
    Body::from_stream(begins.chain(breaks))
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}

fn echo(body: &Value) -> axum::Json<Value> {
    axum::Json(json!({
        "jsonrpc": "2.0",
        "id": body["id"],
        "result": {
            "kind": "message",
            "role": "agent",
            "messageId": uuid::Uuid::new_v4(),
            "parts": [{"kind": "text", "text": format!("echo: {}", text(body))}],
        },
    }))
}

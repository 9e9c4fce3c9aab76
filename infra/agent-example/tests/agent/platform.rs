//! A platform of a few lines: it answers the agent's requests and remembers them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

pub(crate) const SELF: &str = "6f9619ff-8b86-4d01-b42d-00c04fc964ff";
pub(crate) const PEER: &str = "0b5f3c1e-4f8e-4b7e-9a52-3f1d2c6b7a81";
pub(crate) const TOKEN: &str = "token-of-ada";

#[derive(Clone)]
pub(crate) struct Request {
    path: String,
    pub bearer: Option<String>,
    pub caller: Option<String>,
    pub body: Value,
}

#[derive(Default)]
struct World {
    /// Requests that were accepted, oldest first.
    accepted: Vec<Request>,
    refuse_registration: bool,
    uploads: bool,
}

pub(crate) struct Platform {
    pub url: String,
    world: Arc<Mutex<World>>,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, world }
    }

    pub(crate) fn refuse_next_registration(&self) {
        lock(&self.world).refuse_registration = true;
    }

    pub(crate) fn accept_uploads(&self) {
        lock(&self.world).uploads = true;
    }

    /// Waits for an accepted request to `path` whose body is `wanted`.
    pub(crate) async fn wait_for(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Request {
        let seen = async {
            loop {
                let found = lock(&self.world)
                    .accepted
                    .iter()
                    .find(|request| request.path == path && wanted(&request.body))
                    .cloned();
                match found {
                    Some(request) => return request,
                    None => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        timeout(Duration::from_secs(10), seen).await.expect(path)
    }

    /// The body of the latest accepted request to `path` that is `wanted`.
    pub(crate) fn last(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let world = lock(&self.world);
        let mut latest = world.accepted.iter().rev();
        let found = latest.find(|request| request.path == path && wanted(&request.body));
        found.expect(path).body.clone()
    }
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let header = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let request = Request {
        path: uri.path().to_owned(),
        bearer: header("authorization").and_then(|v| Some(v.strip_prefix("Bearer ")?.to_owned())),
        caller: header("x-workspace-id"),
        body: serde_json::from_str(&body).unwrap_or(Value::String(body)),
    };
    let mut world = lock(&world);
    let (status, reply) = world.reply(&request, uri.query().unwrap_or_default());
    if status != StatusCode::NOT_FOUND && status != StatusCode::SERVICE_UNAVAILABLE {
        world.accepted.push(request);
    }
    (status, Json(reply))
}

impl World {
    fn reply(&mut self, request: &Request, query: &str) -> (StatusCode, Value) {
        let own = |route| format!("/workspaces/{SELF}/{route}");
        match request.path.as_str() {
            "/registry/register" if std::mem::take(&mut self.refuse_registration) => {
                (StatusCode::SERVICE_UNAVAILABLE, json!({"error": "not yet"}))
            }
            "/registry/register" => ok(json!({"status": "registered", "auth_token": TOKEN})),
            "/registry/heartbeat" => ok(json!({"status": "ok"})),
            path if path == format!("/registry/{SELF}/peers") => match query {
                "q=beta" | "q=Beta" => ok(json!([
                    {"id": SELF, "name": "Beta"},
                    {"id": PEER, "name": "Beta Two", "role": null, "url": ""},
                ])),
                _ => ok(json!([])),
            },
            path if path == format!("/registry/discover/{PEER}") => {
                ok(json!({"id": PEER, "name": "Beta Two", "url": ""}))
            }
            path if path == format!("/workspaces/{PEER}/a2a") => message(&request.body),
            path if path == own("notify") => ok(json!({"status": "sent"})),
            path if path == own("activity") => ok(json!({"status": "logged"})),
            path if path == own("chat/uploads") && self.uploads => ok(json!({"files": [{
                "uri": "workspace:/stored",
                "name": "my_report.txt",
                "mimeType": "text/plain",
                "size": 7,
            }]})),
            _ => (StatusCode::NOT_FOUND, json!({"message": "Not Found"})),
        }
    }
}

/// The peer's part of the conversation.
fn message(call: &Value) -> (StatusCode, Value) {
    let text = call["params"]["message"]["parts"][0]["text"].as_str();
    match text.unwrap_or_default() {
        "queue this" => (
            StatusCode::ACCEPTED,
            json!({"queued": true, "queue_depth": 1}),
        ),
        "refuse this" => {
            let reason = "workspace budget limit exceeded";
            (StatusCode::PAYMENT_REQUIRED, json!({"error": reason}))
        }
        text => ok(json!({"jsonrpc": "2.0", "id": call["id"], "result": {
            "kind": "message",
            "parts": [{"kind": "text", "text": format!("heard {text}")}],
        }})),
    }
}

fn ok(body: Value) -> (StatusCode, Value) {
    (StatusCode::OK, body)
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Lambda as a function sees it: the Runtime API on a port of its own, and the function as a process.

use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

use crate::template::{Function, Template};

/// The Runtime API of one execution environment.
#[derive(Debug)]
pub struct RuntimeApi {
    /// Its host and port.
    pub address: String,
    invoke: mpsc::Sender<Invocation>,
    asked: mpsc::Receiver<()>,
    answers: mpsc::Receiver<Answering>,
    serving: JoinHandle<()>,
}

/// One invocation: its id, its event, and when it is stopped, in milliseconds.
#[derive(Debug)]
struct Invocation {
    id: String,
    event: Value,
    deadline_ms: i64,
}

/// What a function answers one invocation.
#[derive(Debug)]
pub struct Answering {
    /// The invocation's id.
    pub id: String,
    /// The headers of the function's request.
    pub headers: HeaderMap,
    /// Its body, as it comes: nothing is read that nobody takes from here. `None` when it broke off.
    chunks: mpsc::Receiver<Option<Bytes>>,
    read: Vec<u8>,
}

#[derive(Clone)]
struct Shared {
    asked: mpsc::Sender<()>,
    invocations: Arc<Mutex<mpsc::Receiver<Invocation>>>,
    answers: mpsc::Sender<Answering>,
}

impl RuntimeApi {
    /// Starts it; it ends with this value.
    ///
    /// # Panics
    /// There is no free port.
    pub async fn start() -> Self {
        let (invoke, invocations) = mpsc::channel(8);
        let (tell_asked, asked) = mpsc::channel(8);
        let (tell_answers, answers) = mpsc::channel(8);
        let shared = Shared {
            asked: tell_asked,
            invocations: Arc::new(Mutex::new(invocations)),
            answers: tell_answers,
        };
        let at = "/2018-06-01/runtime/invocation";
        let app = Router::new()
            .route(&format!("{at}/next"), get(next))
            .route(&format!("{at}/{{id}}/response"), post(respond))
            .route(&format!("{at}/{{id}}/error"), post(respond))
            .with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self {
            address,
            invoke,
            asked,
            answers,
            serving,
        }
    }

    /// Waits until the function asks for work.
    pub async fn asked(&mut self) {
        self.asked.recv().await.expect("it is served");
    }

    /// Gives the function work that must be done by `deadline_ms` (since 1970), and waits for the
    /// beginning of its answer.
    ///
    /// # Panics
    /// The function is gone.
    pub async fn invoke(&mut self, event: Value, deadline_ms: i64) -> Answering {
        let id = uuid::Uuid::new_v4().to_string();
        let work = Invocation {
            id: id.clone(),
            event,
            deadline_ms,
        };
        self.invoke.send(work).await.expect("it is served");
        let answer = self.answers.recv().await.expect("it is served");
        assert_eq!(answer.id, id);
        answer
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A request as the gateway or a function's address hands it on, sent at `now_ms` (since 1970).
pub fn event(method: &Method, path: &str, query: &str, headers: &Value, now_ms: i64) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc",
            "domainName": "abc.lambda-url.us-east-1.on.aws",
            "domainPrefix": "abc",
            "http": {
                "method": method.as_str(), "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9", "userAgent": "it",
            },
            "requestId": "1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": now_ms,
        },
        "isBase64Encoded": false,
    })
}

async fn next(State(shared): State<Shared>) -> Response {
    let _ = shared.asked.try_send(());
    let Some(work) = shared.invocations.lock().await.recv().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:it";
    let headers = [
        ("lambda-runtime-aws-request-id", work.id),
        ("lambda-runtime-deadline-ms", work.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", arn.to_owned()),
    ];
    (headers, work.event.to_string()).into_response()
}

async fn respond(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> StatusCode {
    let (head, body) = request.into_parts();
    let (tell, chunks) = mpsc::channel(1);
    let answer = Answering {
        id,
        headers: head.headers,
        chunks,
        read: Vec::new(),
    };
    let _ = shared.answers.send(answer).await;
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        // Who does not listen any more still lets the function come to its end.
        let _ = tell.send(chunk.ok()).await;
    }
    StatusCode::ACCEPTED
}

impl Answering {
    /// Reads until what came has `text` in it, and answers everything up to its end.
    ///
    /// # Panics
    /// The answer ended before.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            let found = self
                .read
                .windows(text.len())
                .position(|it| it == text.as_bytes());
            if let Some(at) = found {
                let rest = self.read.split_off(at + text.len());
                let read = std::mem::replace(&mut self.read, rest);
                return String::from_utf8(read).expect("text");
            }
            let shown = || String::from_utf8_lossy(&self.read).into_owned();
            match self.chunks.recv().await {
                Some(Some(chunk)) => self.read.extend(chunk),
                Some(None) => panic!("it broke off after {:?}", shown()),
                None => panic!("no {text:?} in {:?}", shown()),
            }
        }
    }

    /// What is left, to the answer's end.
    ///
    /// # Panics
    /// It broke off.
    pub async fn rest(mut self) -> String {
        while let Some(chunk) = self.chunks.recv().await {
            self.read.extend(chunk.expect("it broke off"));
        }
        String::from_utf8(self.read).expect("text")
    }

    /// Status and headers: what a streamed answer begins with, up to eight zeros.
    ///
    /// # Panics
    /// It begins with something else.
    pub async fn prelude(&mut self) -> Value {
        let zeros = "\0".repeat(8);
        let text = self.until(&zeros).await;
        serde_json::from_str(text.trim_end_matches('\0')).expect("JSON")
    }
}

/// A function as a process of its own, which ends with this value.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts a function of the template, with the environment that the template gives it and these
    /// variables besides.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn start(
        function: &Function<'_>,
        runtime: &str,
        more: &[(&str, String)],
    ) -> Result<Self, String> {
        let own = |name: &str| env::var(name).unwrap_or_default();
        let agent: PathBuf = own("AGENT_BIN").into();
        let binaries = agent.parent().ok_or("`make test` sets AGENT_BIN")?;
        let child = Command::new(binaries.join(function.domain()))
            .env_clear()
            .envs(environment(function))
            .envs([
                ("_HANDLER", function.handler()),
                ("AWS_LAMBDA_RUNTIME_API", runtime),
                ("AWS_LAMBDA_FUNCTION_NAME", function.id),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "logs"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "log"),
            ])
            .envs(
                [
                    "AWS_ENDPOINT_URL",
                    "AWS_REGION",
                    "AWS_ACCESS_KEY_ID",
                    "AWS_SECRET_ACCESS_KEY",
                ]
                .map(|name| (name, own(name))),
            )
            .envs(more.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.map_err(|error| format!("{}: {error}", function.domain()))?;
        Ok(Self(child))
    }

    /// How it ended, and its last words; none while it runs.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.0.try_wait().expect("a child")?;
        let words = self.0.stderr.take().map(std::io::read_to_string);
        Some(format!("{status} {:?}", words.and_then(Result::ok)))
    }

    /// How much memory it has, in bytes; none where the system does not tell.
    pub fn memory(&self) -> Option<u64> {
        self.status("VmRSS:")
    }

    /// The most memory it has had, in bytes; none where the system does not tell.
    pub fn most_memory(&self) -> Option<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The value of a variable: a parameter's default, or something for what only a stack knows.
fn value(of: &Value) -> String {
    let default = of["Ref"].as_str().map(|name| {
        let parameter = &Template::ours().body["Parameters"][name]["Default"];
        match parameter {
            Value::String(text) => text.clone(),
            Value::Null => format!("the-{name}"),
            other => other.to_string(),
        }
    });
    default.unwrap_or_else(|| of.as_str().unwrap_or("something").to_owned())
}

/// The variables of a function as the template sets them.
fn environment(function: &Function<'_>) -> BTreeMap<String, String> {
    let variables = function.variables();
    let mut set: BTreeMap<String, String> = variables
        .iter()
        .map(|(k, v)| (k.clone(), value(v)))
        .collect();
    // Made of what only a stack knows, and must be an address.
    if let Some(url) = set.get_mut("PLATFORM_URL") {
        "https://api.example.com".clone_into(url);
    }
    // As the template demands of a deployment.
    set.insert(
        "ADMIN_TOKEN".to_owned(),
        "an-admin-token-of-tests".to_owned(),
    );
    set
}

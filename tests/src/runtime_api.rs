//! Lambda as a function sees it: the Runtime API on a port of its own, and the function as a process.

mod process;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use futures_util::StreamExt as _;
pub use process::Running;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

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

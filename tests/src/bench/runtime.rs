//! The Lambda Runtime API, as one process sees it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use tokio::{
    sync::{Mutex, Notify, mpsc},
    time::{Instant, timeout},
};

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a process said.
#[derive(Debug)]
enum Said {
    Answer(String, Bytes),
    Failure(String),
}

#[derive(Debug)]
struct Inner {
    events: Mutex<mpsc::UnboundedReceiver<(String, Vec<u8>)>>,
    said: mpsc::UnboundedSender<Said>,
    first_asked: std::sync::Mutex<Option<Instant>>,
    asked: Notify,
}

/// The Runtime API of one process.
#[derive(Debug)]
pub(super) struct Runtime {
    address: SocketAddr,
    inner: Arc<Inner>,
    events: mpsc::UnboundedSender<(String, Vec<u8>)>,
    said: Mutex<mpsc::UnboundedReceiver<Said>>,
    count: AtomicU64,
}

impl Runtime {
    /// One that nobody has asked yet.
    pub(super) async fn start() -> Self {
        let (events, taken) = mpsc::unbounded_channel();
        let (say, said) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            events: Mutex::new(taken),
            said: say,
            first_asked: std::sync::Mutex::new(None),
            asked: Notify::new(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            inner,
            events,
            said: Mutex::new(said),
            count: AtomicU64::new(0),
        }
    }

    /// What `AWS_LAMBDA_RUNTIME_API` is to be.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// When the process first asked for work.
    ///
    /// # Errors
    /// It said that it cannot start, or does not ask.
    pub(super) async fn first_asked(&self) -> Result<Instant, String> {
        let mut said = self.said.lock().await;
        let asked = async {
            loop {
                let waits = self.inner.asked.notified();
                if let Some(at) = *self.inner.first_asked.lock().expect("lock") {
                    return Ok(at);
                }
                tokio::select! {
                    () = waits => {}
                    what = said.recv() => return Err(format!("it did not start: {}", why(what))),
                }
            }
        };
        let answer = timeout(PATIENCE, asked).await;
        answer.unwrap_or_else(|_| Err("it does not ask for work".to_owned()))
    }

    /// The answer to an event; one at a time.
    ///
    /// # Errors
    /// It failed, or did not answer.
    pub(super) async fn invoke(&self, event: Vec<u8>) -> Result<Bytes, String> {
        let mut said = self.said.lock().await;
        let id = format!("bench-{}", self.count.fetch_add(1, Ordering::Relaxed));
        let sent = self.events.send((id.clone(), event));
        sent.map_err(|_| "nobody takes events".to_owned())?;
        match timeout(PATIENCE, said.recv()).await {
            Ok(Some(Said::Answer(to, body))) if to == id => Ok(body),
            Ok(other) => Err(why(other)),
            Err(_) => Err("it does not answer".to_owned()),
        }
    }
}

/// What it said instead of what was asked.
fn why(said: Option<Said>) -> String {
    match said {
        Some(Said::Answer(id, _)) => format!("an answer to {id}"),
        Some(Said::Failure(why)) => why,
        None => "it is gone".to_owned(),
    }
}

async fn next(State(inner): State<Arc<Inner>>) -> Response {
    inner
        .first_asked
        .lock()
        .expect("lock")
        .get_or_insert_with(Instant::now);
    inner.asked.notify_waiters();
    let event = inner.events.lock().await.recv().await;
    let Some((id, event)) = event else {
        // The bench is over, and so is the process.
        return std::future::pending().await;
    };
    let deadline = jiff::Timestamp::now().as_millisecond() + 900_000;
    let answer = Response::builder()
        .header("lambda-runtime-aws-request-id", id)
        .header("lambda-runtime-deadline-ms", deadline)
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:bench",
        )
        .header("content-type", "application/json");
    answer.body(Body::from(event)).expect("an answer")
}

async fn response(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    tell(&inner, Said::Answer(id, body))
}

async fn error(State(inner): State<Arc<Inner>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    let why = String::from_utf8_lossy(&body);
    tell(&inner, Said::Failure(format!("{id}: {why}")))
}

async fn init_error(State(inner): State<Arc<Inner>>, body: Bytes) -> StatusCode {
    let why = String::from_utf8_lossy(&body).into_owned();
    tell(&inner, Said::Failure(why))
}

fn tell(inner: &Inner, what: Said) -> StatusCode {
    // Nobody listens once the bench is over.
    let _ = inner.said.send(what);
    StatusCode::ACCEPTED
}

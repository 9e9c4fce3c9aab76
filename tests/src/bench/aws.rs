//! AWS on the loopback: a table in memory, and a Lambda that has one function.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::function::Function;
use crate::dynamo::Dynamo;

#[derive(Debug, Default)]
struct Inner {
    dynamo: Dynamo,
    invoked: OnceLock<Arc<Function>>,
    unknown: Mutex<Vec<String>>,
}

/// As much of AWS as the measured functions use.
#[derive(Debug, Clone)]
pub struct Aws {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl Aws {
    /// With an empty table.
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, inner }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The function that whoever invokes one invokes.
    pub fn invokes(&self, function: Arc<Function>) {
        // The first one stays.
        let _ = self.inner.invoked.set(function);
    }

    /// Lets go of the table's record of changes, which nobody reads here.
    pub fn tidy(&self) {
        self.inner.dynamo.table().written.clear();
    }

    /// The calls that were not known, and failed.
    pub fn unknown(&self) -> Vec<String> {
        self.inner.unknown.lock().expect("lock").clone()
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target");
    let target = target.and_then(|it| it.to_str().ok()).unwrap_or_default();
    if let Some(operation) = target.strip_prefix("DynamoDB_20120810.") {
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        return match inner.dynamo.call(operation, &request, 0) {
            Ok(answer) => amz_json(StatusCode::OK, &answer),
            Err(refusal) => amz_json(StatusCode::BAD_REQUEST, &refusal.body()),
        };
    }
    if uri.path().starts_with("/2015-03-31/functions/")
        && let Some(function) = inner.invoked.get()
    {
        return match function.invoke(body.to_vec()).await {
            Ok(answer) => answer.into_response(),
            Err(why) => amz_json(StatusCode::OK, &json!({"errorMessage": why})),
        };
    }
    let what = format!("{uri} {target}");
    inner.unknown.lock().expect("lock").push(what);
    StatusCode::NOT_IMPLEMENTED.into_response()
}

fn amz_json(status: StatusCode, body: &Value) -> Response {
    let kind = [(CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, kind, body.to_string()).into_response()
}

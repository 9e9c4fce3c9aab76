//! What can go wrong between a function and AWS, on demand: the emulator never has a conflict, is
//! never busy and never away.

use std::sync::Arc;

use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::ConnectorError},
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use tokio::sync::Barrier;

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The service answers this at once; nothing is done.
    Answer(u16, Value),
    /// Nobody is there.
    Unreachable,
    /// Somebody is there and never answers.
    Silent,
    /// It is carried out, and its answer is lost.
    AnswerLost,
    /// It waits here until as many others wait too, then goes on: so that each has read what the
    /// others are about to change.
    Meet(Arc<Barrier>),
    /// It waits at this gate twice: once to say that it is there, once to be let through. What a
    /// test does in between happens between its reads and its write.
    Hold(Arc<Barrier>),
}

/// As many calls as any test makes.
pub const ALWAYS: usize = usize::MAX;

impl Fault {
    /// DynamoDB refuses with this error.
    pub fn error(code: &str, message: &str) -> Self {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
        Self::Answer(400, json!({"__type": kind, "message": message}))
    }

    /// DynamoDB wants fewer calls.
    pub fn throttled() -> Self {
        Self::error(
            "ThrottlingException",
            "Rate of requests exceeds the allowed",
        )
    }

    /// A transaction met another one.
    pub fn conflict() -> Self {
        Self::cancelled("TransactionConflict")
    }

    /// A transaction was cancelled for this reason of its first write.
    pub fn cancelled(reason: &str) -> Self {
        let text = format!("Transaction cancelled, please refer [{reason}, None]");
        Self::Answer(
            400,
            json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": text,
                "CancellationReasons": [{"Code": reason, "Message": reason}, {"Code": "None"}],
            }),
        )
    }

    /// A single write met a transaction.
    pub fn write_conflict() -> Self {
        let why = "Operation was rejected because there is an ongoing transaction for the item.";
        Self::error("TransactionConflictException", why)
    }

    /// As many calls as `parties` wait for one another.
    pub fn meet(parties: usize) -> Self {
        Self::Meet(Arc::new(Barrier::new(parties)))
    }
}

/// A gate for [`Fault::Hold`]: the test waits at it twice, too.
pub fn gate() -> Arc<Barrier> {
    Arc::new(Barrier::new(2))
}

/// A fault, what it befalls and how often.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The operation; none is all of them.
    pub(crate) operation: Option<String>,
    pub(crate) left: usize,
    pub(crate) fault: Fault,
}

pub(crate) fn answer(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    let json = "application/x-amz-json-1.0";
    response.headers_mut().insert("content-type", json);
    response
}

pub(crate) fn broken(what: &'static str) -> ConnectorError {
    ConnectorError::io(what.into())
}

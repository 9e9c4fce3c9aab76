//! What a delivery came to, and what the caller is told (contract: a2a-notify-events 2.5, 2.7).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Error, Kind, Result, envelope, json::mended};
use edge::Reply;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The agent answered, whatever it said.
    Answered {
        /// The agent's status.
        status: u16,
        /// Its body.
        body: Body,
    },
    /// The agent answered more than fits through here; the body is kept and can be fetched.
    TooLong {
        /// The agent's status.
        status: u16,
        /// Where, for an hour.
        result_url: String,
    },
    /// The agent's headers came and its body did not.
    ReplyLost {
        /// Whether its status says that it has the message.
        delivery_confirmed: bool,
    },
    /// It cannot take the message, and nothing is queued.
    Busy {
        /// Whether it queues by itself.
        native: bool,
    },
    /// It cannot take the message now: the message waits in line.
    Queued,
    /// It ended without reaching the agent.
    Failed {
        /// The status of the answer.
        status: u16,
        /// The sentence of the answer.
        error: String,
    },
    /// No connection: refused, no such name, or anything else that is not "busy".
    Unreachable,
    /// Its address may not be called.
    Unroutable,
    /// Another delivery has it, or it has ended.
    NotOurs,
}

/// Bytes in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// UTF-8.
    Text(String),
    /// Anything else, in base64.
    Base64(String),
}

impl Body {
    /// From what the agent sent.
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    /// What the agent sent.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
        }
    }

    /// Whether it fits an answer, on both hops: from `deliver`, and to the gateway.
    pub fn fits(&self) -> bool {
        match self {
            Self::Text(text) => Reply::measure(text.as_bytes()) <= Reply::MAX_BODY,
            Self::Base64(text) => text.len() <= Reply::MAX_BODY,
        }
    }
}

impl Outcome {
    /// What the caller gets.
    ///
    /// # Errors
    /// The contract's platform errors: 500, 502, 503.
    pub fn reply(self) -> Result<Reply> {
        match self {
            Self::Answered { status, body } => Ok(passed_through(status, body.into_bytes())),
            Self::TooLong { status, result_url } => {
                let body = json!({"truncated": true, "result_url": result_url});
                Ok(passed_through(status, body.to_string().into_bytes()))
            }
            Self::ReplyLost { delivery_confirmed } => Err(Error::new(
                Kind::Unreachable,
                "failed to read agent response",
            )
            .with("delivery_confirmed", delivery_confirmed)),
            Self::Busy { native: true } => Err(native_busy()),
            Self::Busy { native: false } | Self::Queued | Self::NotOurs => Err(busy()),
            Self::Failed { status, error } => {
                let code = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
                Ok(Reply::json(code, &json!({"error": error})))
            }
            Self::Unreachable => Err(Error::new(
                Kind::Unreachable,
                "failed to reach workspace agent",
            )),
            Self::Unroutable => Err(Error::new(Kind::Internal, "failed to create proxy request")),
        }
    }
}

impl Outcome {
    /// The outcome as a repeat of the call gets it.
    #[must_use]
    pub fn for_caller(self, rpc_id: Option<&Value>) -> Self {
        match self {
            Self::Answered { status, body } if status < 300 => {
                let bytes = envelope::for_caller(body.into_bytes(), rpc_id);
                Self::Answered {
                    status,
                    body: Body::of(&bytes),
                }
            }
            other => other,
        }
    }

    /// The sentence of the error a caller gets, for those who only want that.
    pub fn sentence(&self) -> String {
        match self.clone() {
            Self::Answered { status, body } => said(status, &body.into_bytes()),
            Self::Failed { error, .. } => error,
            other => match other.reply() {
                Ok(_) => String::new(),
                Err(error) => error.message().to_owned(),
            },
        }
    }
}

/// The contract's "busy, and the agent queues by itself".
fn native_busy() -> Error {
    Error::new(
        Kind::Busy,
        "workspace agent busy — adapter handles retry (native_session)",
    )
    .with("busy", true)
    .with("retry_after", 30)
    .with("native_session", true)
    .retry_after(30)
}

/// The contract's "busy, nothing queued".
pub fn busy() -> Error {
    Error::new(
        Kind::Busy,
        "workspace agent busy — retry after a short backoff",
    )
    .with("busy", true)
    .with("retry_after", 30)
    .retry_after(30)
}

/// Below 300 the agent's body byte for byte; above, its status and what it said was wrong.
fn passed_through(status: u16, body: Vec<u8>) -> Reply {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    if status < 300 {
        return Reply::bytes(code, body);
    }
    Reply::json(code, &json!({"error": said(status, &body)}))
}

/// What an agent's error body says, else the reason phrase of its status.
fn said(status: u16, body: &[u8]) -> String {
    let said = serde_json::from_slice::<Value>(&mended(body))
        .ok()
        .and_then(|body| Some(body.get("error")?.as_str()?.to_owned()));
    said.unwrap_or_else(|| {
        let code = StatusCode::from_u16(status).ok();
        let reason = code.and_then(|code| code.canonical_reason());
        reason.unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_survive_the_journey() {
        for bytes in [&b"{\"a\":1}"[..], b"", b"\xff\xfe", "grüße".as_bytes()] {
            let json = serde_json::to_string(&Body::of(bytes)).expect("JSON");
            let back: Body = serde_json::from_str(&json).expect("JSON");
            assert_eq!(back.into_bytes(), bytes);
        }
    }

    #[test]
    fn what_an_error_says_is_read_though_it_was_cut_in_an_emoji() {
        for (body, expected) in [
            (r#"{"error":"cut \ud83d"}"#, "cut \u{fffd}"),
            (r#"{"error":"full"}"#, "full"),
            ("{", "Bad Gateway"),
        ] {
            assert_eq!(said(502, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn what_fits_is_measured_as_written() {
        assert!(Body::Text("x".repeat(Reply::MAX_BODY)).fits());
        assert!(!Body::Text("\"".repeat(Reply::MAX_BODY / 2 + 1)).fits());
    }
}

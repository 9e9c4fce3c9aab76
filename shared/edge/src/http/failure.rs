//! An error as an answer: the one mapping of kinds to statuses.

use std::error::Error as _;

use domain::{Error, Kind, Result};
use lambda_http::http::StatusCode;
use serde_json::{Map, Value};

use super::Reply;

/// The status of each kind.
pub(crate) fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::OverBudget => StatusCode::PAYMENT_REQUIRED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Missing => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Gone => StatusCode::GONE,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unreachable => StatusCode::BAD_GATEWAY,
        Kind::Busy | Kind::PlatformUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Whether a 5xx of this is an agent's: handlers that fail by themselves say so by an error, so one in a
/// reply was passed through.
pub(super) fn is_of_agent(outcome: &Result<Reply>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(error) => !is_ours(error),
    }
}

/// The answer: `{"error": …}`, the details beside it, and `Retry-After` where it helps.
pub(super) fn reply(error: &Error) -> Reply {
    let mut body: Map<String, Value> = Map::new();
    body.insert("error".to_owned(), error.message().into());
    body.extend(error.details().clone());
    let reply = Reply::json(status(error.kind()), &body);
    match error.retry_after_seconds() {
        Some(seconds) => reply.header("retry-after", seconds.to_string()),
        None => reply,
    }
}

fn is_ours(error: &Error) -> bool {
    matches!(error.kind(), Kind::Internal | Kind::PlatformUnavailable)
}

/// Logs what an operator must know of, once, with its causes. What is the caller's mistake is the
/// caller's to read, and logs nothing.
pub fn log_failure(error: &Error, at: &str) {
    if !is_ours(error) {
        return;
    }
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(next) = cause {
        causes.push(next.to_string());
        cause = next.source();
    }
    tracing::error!(at, causes = causes.join(": "), "{error}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_through_is_an_agents() {
        let passed = Reply::bytes(StatusCode::BAD_GATEWAY, Vec::new());
        assert!(is_of_agent(&Ok(passed)));
        for kind in [Kind::Unreachable, Kind::Busy] {
            assert!(is_of_agent(&Err(Error::new(kind, "of it"))), "{kind:?}");
        }
        for kind in [Kind::Internal, Kind::PlatformUnavailable] {
            assert!(!is_of_agent(&Err(Error::new(kind, "ours"))), "{kind:?}");
        }
    }

    #[test]
    fn every_kind_has_its_status() {
        for (kind, expected) in [
            (Kind::Invalid, 400),
            (Kind::Unauthenticated, 401),
            (Kind::OverBudget, 402),
            (Kind::Forbidden, 403),
            (Kind::Missing, 404),
            (Kind::Conflict, 409),
            (Kind::Gone, 410),
            (Kind::TooLarge, 413),
            (Kind::TooMany, 429),
            (Kind::Internal, 500),
            (Kind::Unreachable, 502),
            (Kind::Busy, 503),
            (Kind::PlatformUnavailable, 503),
        ] {
            assert_eq!(status(kind).as_u16(), expected, "{kind:?}");
        }
    }

    #[test]
    fn causes_stay_inside() {
        let error = Error::unavailable("table molecule-Table-123 throttled").retry_after(2);
        let response = reply(&error).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
        let body: Value = serde_json::from_slice(response.body()).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "error": "platform datastore unavailable — retry shortly",
                "code": "platform_unavailable",
            })
        );
    }
}

//! Why a request to the platform brought nothing.

use std::{error, fmt};

use reqwest::StatusCode;
use serde_json::Value;

#[derive(Debug)]
pub(crate) enum Error {
    /// No answer, or one of another shape than agreed.
    Unreadable(reqwest::Error),
    /// An answer that says no.
    Refused { status: StatusCode, reason: String },
}

impl Error {
    /// The platform gives its reasons as `{"error": "<sentence>"}`; what stands before it may not.
    pub(crate) fn refused(status: StatusCode, body: &Value) -> Self {
        let standard = status.canonical_reason().unwrap_or("refused");
        let reason = body["error"].as_str().unwrap_or(standard).to_owned();
        Self::Refused { status, reason }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "{}", cause(error)),
            Self::Refused { status, reason } => write!(f, "{reason} (HTTP {})", status.as_u16()),
        }
    }
}

/// The innermost cause ("Connection refused"); what surrounds it only repeats the address.
fn cause<'a>(mut error: &'a (dyn error::Error + 'static)) -> &'a (dyn error::Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreadable(error)
    }
}

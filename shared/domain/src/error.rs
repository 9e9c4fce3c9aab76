//! The one error of the system. It knows what went wrong, and nothing of HTTP.
//!
//! The sentence in [`Error::message`] is written for the caller and is safe to show. What only an
//! operator may read is the [`source`](std::error::Error::source): it is logged, never answered.

use std::{borrow::Cow, error::Error as StdError, fmt};

use serde_json::{Map, Value};

/// Result with the domain's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong. `edge::http` maps each to its status, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller sent something that cannot be right. Changing the request helps.
    Invalid,
    /// No credential, or not a live one.
    Unauthenticated,
    /// The target's budget is used up.
    OverBudget,
    /// A live credential that does not reach this far.
    Forbidden,
    /// There is no such thing (or none the caller may know of).
    Missing,
    /// The thing is in a state in which this cannot be done.
    Conflict,
    /// It existed once and its place in the order is not known any more (an old cursor).
    Gone,
    /// The body is larger than the route takes.
    TooLarge,
    /// A limit of count or rate was reached.
    TooMany,
    /// An agent could not be reached, or its reply was lost.
    Unreachable,
    /// The thing is there and cannot serve now; the caller may try again.
    Busy,
    /// The datastore could not be reached.
    PlatformUnavailable,
    /// A defect of ours.
    Internal,
}

/// Why something was not done: a kind, a sentence for the caller, more keys for the answer's body,
/// and the cause for the log.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    message: Cow<'static, str>,
    details: Map<String, Value>,
    retry_after: Option<u32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose `message` the caller may read.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            details: Map::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// The request cannot be right.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// No credential, or a dead one.
    pub fn unauthenticated(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unauthenticated, message)
    }

    /// The credential does not reach this far.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// No such thing.
    pub fn missing(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Missing, message)
    }

    /// Not in this state.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// The body is over `max_bytes`.
    pub fn too_large(max_bytes: usize) -> Self {
        Self::new(Kind::TooLarge, "request body too large").with("max_bytes", max_bytes)
    }

    /// The datastore did not answer. Clients match on `code` (contract: registry-and-auth 4.1).
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            Kind::PlatformUnavailable,
            "platform datastore unavailable — retry shortly",
        )
        .with("code", "platform_unavailable")
        .caused_by(source)
    }

    /// A defect of ours; the caller learns only that.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "internal error").caused_by(source)
    }

    /// Adds a key to the body of the answer.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(key.to_owned(), value.into());
        self
    }

    /// Says when to try again, in seconds: as the `Retry-After` header.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Keeps the cause, for the log only.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The sentence for the caller.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Further keys of the answer's body.
    pub fn details(&self) -> &Map<String, Value> {
        &self.0.details
    }

    /// Seconds after which trying again makes sense.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    // The source is not part of it: the log prints the chain, once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

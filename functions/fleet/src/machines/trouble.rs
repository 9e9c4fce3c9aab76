//! What can go wrong with machines, and what to do about each (contract: lifecycle-and-sweepers
//! 10.2).

use std::{borrow::Cow, error::Error as StdError, fmt};

mod codes;

pub use codes::class_of;
pub(crate) use codes::{NO_MACHINE, NO_VOLUME, WRONG_STATE};

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The backend is busy; nothing was done.
    Throttled,
    /// The call was sent and its outcome is not known.
    Unknown,
    /// This place has no room for this type.
    Capacity,
    /// The account may have no more.
    Quota,
    /// The request or the permissions are wrong: image, subnet, launch template, role.
    Config,
    /// The client token was used for another request.
    Mismatch,
    /// The client token's machine is dead.
    Spent,
    /// The machine or disk is not in a state for this.
    WrongState,
    /// Somebody protected the machine.
    Protected,
    /// A listing did not come to its end.
    Partial,
    /// A defect of ours: an id that is none, a request that cannot be built.
    Defect,
    /// No backend is configured.
    NoBackend,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// The same again later: the same token, the same id.
    Later,
    /// Look for what it may have done, by token or tag; then the same again, with the same token.
    LookUp,
    /// The next attempt, which goes to another place; at most [`places`](super::Machines::places)
    /// of them.
    Elsewhere,
    /// The next attempt, with its new token.
    Afresh,
    /// Give up and record [`FAILED`]. A retry would only make a storm.
    Fail,
    /// Nothing can be done here, and nothing is known to run.
    Nothing,
}

/// What people are told of a machine that could not be made. Never more: ids of subnets, images and
/// keys, and EC2's own words, stay in the log (contract: lifecycle-and-sweepers 9.4).
pub const FAILED: &str = "provisioning failed";

impl Class {
    /// All of them, for tables in tests.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::Unknown,
        Self::Capacity,
        Self::Quota,
        Self::Config,
        Self::Mismatch,
        Self::Spent,
        Self::WrongState,
        Self::Protected,
        Self::Partial,
        Self::Defect,
        Self::NoBackend,
    ];

    /// What to do about it.
    pub fn next(self) -> Next {
        match self {
            Self::Throttled | Self::WrongState | Self::Partial => Next::Later,
            Self::Unknown => Next::LookUp,
            Self::Capacity => Next::Elsewhere,
            Self::Mismatch | Self::Spent => Next::Afresh,
            Self::Quota | Self::Config | Self::Protected | Self::Defect => Next::Fail,
            Self::NoBackend => Next::Nothing,
        }
    }

    /// Whether an operator has to do something.
    pub fn alarms(self) -> bool {
        self.next() == Next::Fail
    }
}

/// Why a call about a machine failed. Shown, it is for the log.
pub struct Trouble {
    class: Class,
    code: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Trouble {
    /// A trouble of this class; `code` is EC2's, or a few words.
    pub fn new(class: Class, code: impl Into<Cow<'static, str>>) -> Self {
        Self {
            class,
            code: code.into(),
            source: None,
        }
    }

    /// The trouble an error code of EC2 stands for. Codes we have not heard of are EC2's refusal:
    /// nothing was done, and an operator has to look.
    pub fn of_code(code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        Self::new(class_of(&code).unwrap_or(Class::Config), code)
    }

    /// A defect of ours.
    pub fn defect(what: &'static str) -> Self {
        Self::new(Class::Defect, what)
    }

    /// Keeps the cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    pub fn class(&self) -> Class {
        self.class
    }

    /// What to do about it.
    pub fn next(&self) -> Next {
        self.class.next()
    }

    /// EC2's error code, or a few words. For the log only.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "machines: {} ({:?})", self.code, self.class)
    }
}

// Derived, it would print the SDK's whole response, headers and all.
impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Trouble {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

//! Approvals: what an agent may only do once a person has said yes (contract: a2a-notify-events 13).

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How long a request waits for a decision. Then it is denied.
pub const WAITS: SignedDuration = SignedDuration::from_mins(10);
/// Who decides a request that nobody has decided.
pub const AUTO_EXPIRED: &str = "auto-expired";
/// Who decides when the caller does not say.
pub const HUMAN: &str = "human";

/// The longest action, in bytes: a line for people.
pub const MAX_ACTION: usize = 1024;
/// The longest reason, in bytes. Lists show fifty, and two events carry each.
pub const MAX_REASON: usize = 8 * 1024;
/// The longest task id, in bytes.
pub const MAX_TASK_ID: usize = 255;
/// The longest context, in bytes of JSON.
pub const MAX_CONTEXT: usize = 32 * 1024;
/// The longest name of whoever decided, in bytes.
pub const MAX_DECIDED_BY: usize = 255;

/// What became of a request so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ApprovalStatus")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for a decision.
    Pending,
    /// Somebody said yes.
    Approved,
    /// Somebody said no, or nobody said anything in time.
    Denied,
}

/// What somebody says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ApprovalDecision")]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Approved,
    /// No.
    Denied,
}

impl Decision {
    /// From the wire.
    ///
    /// # Errors
    /// 400 when it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "approved" => Ok(Self::Approved),
            "denied" => Ok(Self::Denied),
            _ => Err(Error::invalid("decision must be 'approved' or 'denied'")),
        }
    }

    /// The status of a request that this was said to.
    pub fn status(self) -> Status {
        match self {
            Self::Approved => Status::Approved,
            Self::Denied => Status::Denied,
        }
    }

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is to be done.
    pub action: String,
    /// Why; may be empty.
    pub reason: String,
    /// For which task, as the agent calls it; may be empty.
    pub task_id: String,
    /// Whatever else the agent wants kept with it, as JSON text.
    pub context: Option<String>,
}

impl Asked {
    /// Whether it is of a size that can be kept and shown.
    ///
    /// # Errors
    /// 400 with the field and what it may have.
    pub fn check(&self) -> Result<()> {
        if self.action.is_empty() {
            return Err(Error::invalid("invalid request body"));
        }
        at_most("action", &self.action, MAX_ACTION)?;
        at_most("reason", &self.reason, MAX_REASON)?;
        at_most("task_id", &self.task_id, MAX_TASK_ID)?;
        at_most(
            "context",
            self.context.as_deref().unwrap_or_default(),
            MAX_CONTEXT,
        )
    }
}

/// Whether a text of a request or a decision is short enough.
///
/// # Errors
/// 400 with the field and what it may have.
pub fn at_most(field: &str, text: &str, most: usize) -> Result<()> {
    if text.len() > most {
        return Err(Error::invalid(format!("{field} may have {most} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(action: usize, reason: usize, task: usize, context: usize) -> Asked {
        Asked {
            action: "x".repeat(action),
            reason: "x".repeat(reason),
            task_id: "x".repeat(task),
            context: Some("x".repeat(context)),
        }
    }

    #[test]
    fn each_text_has_its_limit() {
        let fine = asked(MAX_ACTION, MAX_REASON, MAX_TASK_ID, MAX_CONTEXT);
        assert!(fine.check().is_ok());
        assert!(asked(1, 0, 0, 0).check().is_ok());
        for (wrong, sentence) in [
            (asked(0, 0, 0, 0), "invalid request body"),
            (asked(MAX_ACTION + 1, 0, 0, 0), "action may have 1024 bytes"),
            (asked(1, MAX_REASON + 1, 0, 0), "reason may have 8192 bytes"),
            (
                asked(1, 0, MAX_TASK_ID + 1, 0),
                "task_id may have 255 bytes",
            ),
            (
                asked(1, 0, 0, MAX_CONTEXT + 1),
                "context may have 32768 bytes",
            ),
        ] {
            assert_eq!(wrong.check().expect_err(sentence).message(), sentence);
        }
    }

    #[test]
    fn a_decision_is_yes_or_no_in_these_words_only() {
        for decision in [Decision::Approved, Decision::Denied] {
            assert_eq!(Decision::parse(decision.as_str()).ok(), Some(decision));
            let (said, status) = (
                serde_json::to_value(decision).expect("text"),
                serde_json::to_value(decision.status()).expect("text"),
            );
            assert_eq!((&said, &status), (&decision.as_str().into(), &said));
        }
        for wrong in ["", "Approved", "yes", "pending", "escalated", " denied"] {
            let refused = Decision::parse(wrong).expect_err(wrong);
            assert_eq!(refused.message(), "decision must be 'approved' or 'denied'");
        }
    }
}

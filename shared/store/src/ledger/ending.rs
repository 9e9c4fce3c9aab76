//! How a request ends.

use domain::{BodyId, activity::Activity, request::State};

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// Any of the final states.
    pub state: State,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The stored reply, if the agent gave one.
    pub result: Option<BodyId>,
    /// Whether the agent has the message.
    pub delivery_confirmed: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// What its caller is told if it failed, for those who ask again: an answer of the message
    /// functions, as JSON.
    pub told: Option<String>,
    /// The sentence in it, for a delegation.
    pub sentence: Option<String>,
    /// The row for the target's activity.
    pub activity: Activity,
    /// Whether the caller got an answer it can use.
    pub answered: bool,
    /// Whether the answer to a schedule's prompt said nothing.
    pub empty: bool,
    /// What a delegation ends with: the stored `{"text", "delegation_id"}`, and the text's
    /// beginning.
    pub text: Option<(BodyId, String)>,
    /// Tokens the agent said it used: input, output.
    pub usage: Option<(i64, i64)>,
}

impl Ending {
    /// The end of a request that got no answer.
    pub fn failed(status: u16, why: &str, activity: Activity) -> Self {
        Self {
            state: State::Failed,
            status,
            result: None,
            delivery_confirmed: false,
            error: Some(why.to_owned()),
            told: None,
            sentence: None,
            activity,
            answered: false,
            empty: false,
            text: None,
            usage: None,
        }
    }

    /// Whether it lets go of a request that nobody carries: only as it was seen, because who carries
    /// it meanwhile brings the result.
    pub fn gives_up(&self) -> bool {
        matches!(self.state, State::Expired | State::Dropped)
    }

    /// Whether the agent may have the message though nobody knows.
    pub fn may_have_arrived(&self) -> bool {
        let unknown = |why: &String| why.starts_with("outcome_unknown");
        self.error.as_ref().is_some_and(unknown)
    }
}

//! What DynamoDB says no with.

use serde_json::{Value, json};

use super::Item;

/// A call that was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The request makes no sense: a defect of whoever sent it.
    Validation(String),
    /// The condition of a write of its own does not hold; the item, if it was asked for.
    Condition(Option<Item>),
    /// Writes of a transaction found their condition broken: by each, in order, what it found.
    Cancelled(Vec<Option<Option<Item>>>),
}

impl Refusal {
    /// A request that makes no sense.
    pub(super) fn validation(why: impl Into<String>) -> Self {
        Self::Validation(why.into())
    }

    /// As it goes over the wire.
    pub fn body(&self) -> Value {
        let kind = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
        match self {
            Self::Validation(why) => {
                json!({"__type": kind("ValidationException"), "message": why})
            }
            Self::Condition(item) => {
                let mut body = json!({
                    "__type": kind("ConditionalCheckFailedException"),
                    "message": "The conditional request failed",
                });
                if let Some(item) = item {
                    body["Item"] = json!(item);
                }
                body
            }
            Self::Cancelled(found) => {
                let reasons: Vec<_> = found.iter().map(reason).collect();
                json!({
                    "__type": kind("TransactionCanceledException"),
                    "Message": "Transaction cancelled, please refer cancellation reasons",
                    "CancellationReasons": reasons,
                })
            }
        }
    }
}

fn reason(found: &Option<Option<Item>>) -> Value {
    let Some(item) = found else {
        return json!({"Code": "None"});
    };
    let mut reason = json!({
        "Code": "ConditionalCheckFailed", "Message": "The conditional request failed",
    });
    if let Some(item) = item {
        reason["Item"] = json!(item);
    }
    reason
}

//! What another agent answered, out of the platform's reply.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::parts::{Part, WirePart};

/// What came of a message sent to another agent.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The other agent answered.
    Said(String),
    /// The other agent is busy; the platform keeps the message and delivers it later.
    Queued,
    /// The other agent answered with a JSON-RPC error, or with nothing readable.
    Failed(String),
}

/// Reads the platform's reply to a message, once it is known not to be a refusal.
pub(crate) fn outcome(status: StatusCode, reply: &Value) -> Outcome {
    if status == StatusCode::ACCEPTED && reply["queued"] == true {
        return Outcome::Queued;
    }
    if let Some(error) = reply["error"]["message"].as_str() {
        return Outcome::Failed(error.to_owned());
    }
    // An answer is a message, or a task whose artifacts hold the text.
    let result = &reply["result"];
    let artifacts = result["artifacts"].as_array().into_iter().flatten();
    let text = artifacts.fold(text_of(&result["parts"]), |found, artifact| {
        found.or_else(|| text_of(&artifact["parts"]))
    });
    text.map_or_else(
        || Outcome::Failed("its answer holds no text".to_owned()),
        Outcome::Said,
    )
}

fn text_of(parts: &Value) -> Option<String> {
    let parts: Vec<WirePart> = Vec::deserialize(parts).ok()?;
    let texts = parts.into_iter().filter_map(|part| match part.decode() {
        Ok(Some(Part::Text(text))) => Some(text),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::{Value, json};

    use super::{Outcome, outcome};
    use crate::a2a::answer;

    #[test]
    fn the_outcome_of_a_message_is_read_from_every_shape() {
        let said = |text: &str| Outcome::Said(text.to_owned());
        let failed = |text: &str| Outcome::Failed(text.to_owned());
        let cases = [
            (200, answer(&json!(1), "hi"), said("hi")),
            (
                200,
                json!({"result": {"artifacts": [{"parts": [{"type": "text", "text": "made"}]}]}}),
                said("made"),
            ),
            (
                202,
                json!({"queued": true, "queue_depth": 2}),
                Outcome::Queued,
            ),
            (
                200,
                json!({"error": {"code": -32601, "message": "no"}}),
                failed("no"),
            ),
            (200, Value::Null, failed("its answer holds no text")),
        ];
        for (status, reply, expected) in cases {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(outcome(status, &reply), expected, "{reply}");
        }
    }
}

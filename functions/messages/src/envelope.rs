//! The JSON-RPC envelope, made whole before it is sent on (contract: a2a-notify-events 2.4).

use domain::{Error, Result};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A body as agents get it, and what we need to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// What is posted to the agent.
    pub body: Vec<u8>,
    /// The method, empty if it is no string.
    pub method: String,
    /// The A2A message id, empty if there is none that is text.
    pub message_id: String,
}

/// Reads what a caller posted. `new_id` is called for each id that is missing.
///
/// # Errors
/// 400 for anything but one JSON object (a literal `null` counts as an empty one).
pub fn read(body: &[u8], mut new_id: impl FnMut() -> Uuid) -> Result<Envelope> {
    let invalid = || Error::invalid("invalid JSON");
    let mut object = match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => object,
        Ok(Value::Null) => Map::new(),
        Ok(_) | Err(_) => return Err(invalid()),
    };
    if !object.contains_key("jsonrpc") {
        // All other keys are lost, a caller's id too: the reference rebuilds it the same way.
        let mut taken = |key: &str| object.remove(key).unwrap_or(Value::Null);
        let (method, params) = (taken("method"), taken("params"));
        let whole = json!({
            "jsonrpc": "2.0",
            "id": new_id().to_string(),
            "method": method,
            "params": params,
        });
        let Value::Object(whole) = whole else {
            return Err(invalid());
        };
        object = whole;
    }
    let mut message_id = String::new();
    if let Some(Value::Object(message)) = object
        .get_mut("params")
        .and_then(|params| params.get_mut("message"))
    {
        let id = message
            .entry("messageId")
            .or_insert_with(|| new_id().to_string().into());
        message_id = id.as_str().unwrap_or_default().to_owned();
    }
    let method = object.get("method").and_then(Value::as_str);
    Ok(Envelope {
        method: method.unwrap_or_default().to_owned(),
        message_id,
        body: Value::Object(object).to_string().into_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(body: &str) -> Result<Value> {
        let envelope = read(body.as_bytes(), || Uuid::from_u128(7))?;
        Ok(serde_json::from_slice(&envelope.body).expect("JSON"))
    }

    const NEW: &str = "00000000-0000-0000-0000-000000000007";

    #[test]
    fn a_bare_call_gets_an_envelope_and_loses_the_rest() {
        assert_eq!(
            normal(r#"{"id":1,"method":"message/send","params":{"message":{}},"x":1}"#)
                .expect("fine"),
            json!({"jsonrpc": "2.0", "id": NEW, "method": "message/send",
                "params": {"message": {"messageId": NEW}}})
        );
        assert_eq!(
            normal("null").expect("fine"),
            json!({"jsonrpc": "2.0", "id": NEW, "method": null, "params": null})
        );
    }

    #[test]
    fn a_whole_call_is_kept() {
        let body = r#"{"jsonrpc":"2.0","method":5,"x":[1],"params":{"message":{"messageId":""}}}"#;
        assert_eq!(
            normal(body).expect("fine"),
            serde_json::from_str::<Value>(body).expect("JSON")
        );
        let id = |body: &str| read(body.as_bytes(), || Uuid::from_u128(7)).expect("fine");
        assert_eq!(id(body).message_id, "");
        assert_eq!(id(body).method, "");
        let null = r#"{"jsonrpc":"2.0","method":"m","params":{"message":{"messageId":null}}}"#;
        assert_eq!(id(null).message_id, "");
        assert!(String::from_utf8_lossy(&id(null).body).contains("\"messageId\":null"));
        let list = r#"{"jsonrpc":"2.0","method":"m","params":[{"message":{}}]}"#;
        assert_eq!(id(list).method, "m");
    }

    #[test]
    fn anything_else_is_refused() {
        for body in ["", "[]", "7", "\"x\"", "{", "{} {}", "{}x", "nul"] {
            assert_eq!(normal(body).expect_err(body).message(), "invalid JSON");
        }
    }
}

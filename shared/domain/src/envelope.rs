//! The JSON-RPC envelope, made whole before it is sent on (contract: a2a-notify-events 2.4).

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Error, Result,
    json::{has_reserved_key, mended},
};

/// The most bytes of a method and of a message's id.
pub const MAX_NAME: usize = 255;

/// A body as agents get it, and what we need to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// What is posted to the agent.
    pub body: Vec<u8>,
    /// The method, empty if it is no string.
    pub method: String,
    /// The A2A message id, empty if there is none that is text.
    pub message_id: String,
    /// Whether the sender gave that id: one of ours makes no repeat.
    pub names_itself: bool,
    /// Method and message as the sender wrote them, hashed.
    pub digest: String,
    /// The JSON-RPC id of the call.
    pub rpc_id: Option<Value>,
}

/// Reads what a caller posted. `new_id` is called for each id that is missing.
///
/// # Errors
/// 400 for anything but one JSON object (a literal `null` counts as an empty one), and for a method or a
/// `messageId` of more than 255 bytes.
pub fn read(body: &[u8], mut new_id: impl FnMut() -> Uuid) -> Result<Envelope> {
    let invalid = || Error::invalid("invalid JSON");
    if has_reserved_key(body) {
        return Err(invalid());
    }
    let mut object = match serde_json::from_slice(&mended(body)) {
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
    let digest = digest(&object);
    let (mut message_id, mut names_itself) = (String::new(), false);
    if let Some(Value::Object(message)) = object
        .get_mut("params")
        .and_then(|params| params.get_mut("message"))
    {
        names_itself = message.contains_key("messageId");
        let id = message
            .entry("messageId")
            .or_insert_with(|| new_id().to_string().into());
        message_id = id.as_str().unwrap_or_default().to_owned();
    }
    let method = object.get("method").and_then(Value::as_str);
    // Both are copied into items, which have a limit that a message must not come near.
    for (name, text) in [
        ("method", method.unwrap_or_default()),
        ("messageId", &message_id),
    ] {
        if text.len() > MAX_NAME {
            return Err(Error::invalid(format!(
                "{name} is longer than {MAX_NAME} bytes"
            )));
        }
    }
    Ok(Envelope {
        method: method.unwrap_or_default().to_owned(),
        message_id,
        names_itself,
        digest,
        rpc_id: object.get("id").cloned(),
        body: Value::Object(object).to_string().into_bytes(),
    })
}

/// What makes two calls the same message: method and `params.message`.
fn digest(object: &Map<String, Value>) -> String {
    let message = object
        .get("params")
        .and_then(|params| params.get("message"));
    let method = object.get("method").unwrap_or(&Value::Null);
    hash(&format!("{method}\n{}", message.unwrap_or(&Value::Null)))
}

/// SHA-256 in hex: what repeats are known by.
pub fn hash(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A stored answer as a repeat gets it: with the repeat's own JSON-RPC id.
pub fn for_caller(answer: Vec<u8>, rpc_id: Option<&Value>) -> Vec<u8> {
    let json = serde_json::from_slice(&mended(&answer));
    let (Some(id), Ok(Value::Object(mut object))) = (rpc_id, json) else {
        return answer;
    };
    if !object.contains_key("jsonrpc") || object.get("id") == Some(id) {
        return answer;
    }
    object.insert("id".to_owned(), id.clone());
    Value::Object(object).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(body: &str) -> Result<Value> {
        let envelope = read(body.as_bytes(), || Uuid::from_u128(7))?;
        Ok(serde_json::from_slice(&envelope.body).expect("JSON"))
    }

    #[test]
    fn what_would_not_come_back_is_refused() {
        // Found by the fuzzer.
        for body in [
            r#"{"jsonrpc":"2.0","id":1,"$serde_json::private::RawValue":{"message":{}}}"#,
            r#"{"x":"\ud83d","params":{"a":1,"$serde_json::private::RawValue":1}}"#,
        ] {
            let error = normal(body).expect_err("a key of serde_json's");
            assert_eq!(error.to_string(), "invalid JSON");
        }
    }

    #[test]
    fn names_that_no_item_should_hold_are_refused() {
        let long = "m".repeat(MAX_NAME + 1);
        let fits = "m".repeat(MAX_NAME);
        for (method, id, refusal) in [
            (&fits, &fits, None),
            (&long, &fits, Some("method is longer than 255 bytes")),
            (&fits, &long, Some("messageId is longer than 255 bytes")),
        ] {
            let body = json!({"method": method, "params": {"message": {"messageId": id}}});
            let error = normal(&body.to_string())
                .err()
                .map(|error| error.to_string());
            assert_eq!(error.as_deref(), refusal);
        }
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
    fn a_repeat_gets_its_own_id_though_the_answer_was_cut_in_an_emoji() {
        let answer = r#"{"jsonrpc":"2.0","id":1,"result":"cut \ud83d"}"#;
        let own = "{\"id\":2,\"jsonrpc\":\"2.0\",\"result\":\"cut \u{fffd}\"}";
        for (id, expected) in [(1, answer), (2, own)] {
            let got = for_caller(answer.into(), Some(&json!(id)));
            assert_eq!(String::from_utf8_lossy(&got), expected);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for body in ["", "[]", "7", "\"x\"", "{", "{} {}", "{}x", "nul"] {
            assert_eq!(normal(body).expect_err(body).message(), "invalid JSON");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_made_whole(bytes in any::<Vec<u8>>()) {
            whole(&bytes)?;
        }

        #[test]
        fn any_object_is_made_whole_once_and_for_all(
            fields in prop::collection::btree_map("jsonrpc|id|method|params|.{0,4}", crate::arbitrary::json(), 0..5),
            message in crate::arbitrary::json(),
        ) {
            let mut object: Map<String, Value> = fields.into_iter().collect();
            prop_assert!(whole(Value::Object(object.clone()).to_string().as_bytes())?);
            object.insert("params".to_owned(), json!({"message": message}));
            prop_assert!(whole(Value::Object(object).to_string().as_bytes())?);
        }
    }

    /// Whether it was read; then it reads the same again, without an id more.
    fn whole(bytes: &[u8]) -> std::result::Result<bool, TestCaseError> {
        let Ok(first) = read(bytes, || Uuid::from_u128(7)) else {
            return Ok(false);
        };
        let again = read(&first.body, || Uuid::from_u128(8)).expect("whole");
        prop_assert_eq!(&again.method, &first.method);
        prop_assert_eq!(&again.message_id, &first.message_id);
        prop_assert!(
            !String::from_utf8_lossy(&again.body).contains(&Uuid::from_u128(8).to_string())
        );
        for_caller(bytes.to_vec(), first.rpc_id.as_ref());
        Ok(true)
    }
}

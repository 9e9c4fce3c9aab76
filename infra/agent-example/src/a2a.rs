//! The A2A wire: JSON-RPC 2.0 around messages made of parts.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::parts::{File, Part, WirePart};

/// A message somebody sent to this agent.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    pub id: String,
    /// All text parts, one per line.
    pub text: String,
    pub files: Vec<File>,
}

/// A `message/send` call.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub id: Value,
    pub message: Message,
}

/// A call this agent cannot read: a JSON-RPC error, which travels under HTTP 200.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    id: Value,
    code: i32,
    message: String,
}

/// Reads a JSON-RPC request.
pub(crate) fn parse(body: &[u8]) -> Result<Call, Fault> {
    let fault = |id: &Value, code, message: String| Fault {
        id: id.clone(),
        code,
        message,
    };
    let mut request: Value = serde_json::from_slice(body)
        .map_err(|error| fault(&Value::Null, -32700, format!("parse error: {error}")))?;

    let id = request.get("id").cloned().unwrap_or_default();
    let method = request.get("method").and_then(Value::as_str);
    let (Some("2.0"), Some(method)) = (request.get("jsonrpc").and_then(Value::as_str), method)
    else {
        let reason = "invalid request: jsonrpc must be \"2.0\" and method a string";
        return Err(fault(&id, -32600, reason.to_owned()));
    };
    if method != "message/send" {
        return Err(fault(&id, -32601, format!("unknown method {method:?}")));
    }
    let message = message(request["params"].take())
        .map_err(|reason| fault(&id, -32602, format!("invalid params: {reason}")))?;
    Ok(Call { id, message })
}

fn message(params: Value) -> Result<Message, String> {
    #[derive(Deserialize)]
    struct Params {
        message: WireMessage,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WireMessage {
        message_id: String,
        parts: Vec<WirePart>,
    }

    let params: Params = serde_json::from_value(params).map_err(|error| error.to_string())?;
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    for part in params.message.parts {
        match part.decode()? {
            Some(Part::Text(text)) => texts.push(text),
            Some(Part::File(file)) => files.push(file),
            None => {}
        }
    }
    Ok(Message {
        id: params.message.message_id,
        text: texts.join("\n"),
        files,
    })
}

/// The answer to a call: one message with one text.
pub(crate) fn answer(id: &Value, text: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {
        "kind": "message",
        "role": "agent",
        "messageId": Uuid::new_v4(),
        "parts": [{"kind": "text", "text": text}],
    }})
}

impl Fault {
    /// The answer to a call that could not be read.
    pub(crate) fn answer(&self) -> Value {
        json!({"jsonrpc": "2.0", "id": self.id, "error": {
            "code": self.code,
            "message": self.message,
        }})
    }
}

/// A call that says `text` to another agent.
pub(crate) fn call(text: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": Uuid::new_v4(), "method": "message/send", "params": {"message": {
        "kind": "message",
        "role": "user",
        "messageId": Uuid::new_v4(),
        "parts": [{"kind": "text", "text": text}],
    }}})
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{call, parse};

    #[test]
    fn a_call_of_ours_can_be_read_back() {
        let sent = call("echo hi");
        let read = parse(sent.to_string().as_bytes()).expect("a readable call");
        assert_eq!(read.id, sent["id"]);
        assert_eq!(read.message.text, "echo hi");
    }

    #[test]
    fn each_kind_of_broken_call_has_its_code() {
        let params = |params: Value| {
            json!({"jsonrpc": "2.0", "id": 7, "method": "message/send", "params": params})
                .to_string()
        };
        let cases = [
            ("{".to_owned(), -32700, Value::Null),
            ("[]".to_owned(), -32600, Value::Null),
            (
                r#"{"id":7,"method":"message/send"}"#.to_owned(),
                -32600,
                json!(7),
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":null}"#.to_owned(),
                -32600,
                json!(7),
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"tasks/get"}"#.to_owned(),
                -32601,
                json!(7),
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"message/send"}"#.to_owned(),
                -32602,
                json!(7),
            ),
            (
                params(json!({"message": {"messageId": "m"}})),
                -32602,
                json!(7),
            ),
            (params(json!({"message": {"parts": []}})), -32602, json!(7)),
            (
                params(json!({"message": {"messageId": "m", "parts": [{"kind": "text"}]}})),
                -32602,
                json!(7),
            ),
        ];
        for (body, code, id) in cases {
            let fault = parse(body.as_bytes()).expect_err(&body);
            assert_eq!((fault.code, &fault.id), (code, &id), "{body}");
        }
    }
}

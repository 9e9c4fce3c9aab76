//! What a reply says, read as tolerantly as its readers are (contract: a2a-notify-events 4.3,
//! extended-surface 17).

use serde_json::Value;
use store::usage::MOST_PER_REPLY;

/// The text of a reply: its first text part, else that of its first artifact, else all of it.
pub fn text(bytes: &[u8]) -> String {
    let json: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let parts = json.pointer("/result/parts");
    let artifacts = json.pointer("/result/artifacts").and_then(Value::as_array);
    let in_artifacts = || {
        let mut found = artifacts.into_iter().flatten();
        found.find_map(|artifact| text_part(artifact.get("parts")))
    };
    text_part(parts)
        .or_else(in_artifacts)
        .unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}

fn text_part(parts: Option<&Value>) -> Option<String> {
    let mut parts = parts?.as_array()?.iter();
    let part = parts.find(|part| part["kind"] == "text")?;
    Some(part["text"].as_str().unwrap_or_default().to_owned())
}

/// The tokens a reply says it used, input and output, if it says any.
pub fn usage(bytes: &[u8]) -> Option<(i64, i64)> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let places = [json.pointer("/result/usage"), json.get("usage")];
    places.into_iter().flatten().find_map(|usage| {
        let count = |key: &str| {
            let said = usage.get(key).and_then(Value::as_i64).unwrap_or(0);
            said.clamp(0, MOST_PER_REPLY)
        };
        let counts = (count("input_tokens"), count("output_tokens"));
        (counts != (0, 0)).then_some(counts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_text_wins_else_the_whole_body() {
        for (body, expected) in [
            (
                r#"{"result":{"parts":[{"kind":"file"},{"kind":"text","text":"a"}]}}"#,
                "a",
            ),
            (
                r#"{"result":{"artifacts":[{"parts":[]},{"parts":[{"kind":"text","text":"b"}]}]}}"#,
                "b",
            ),
            (r#"{"result":"x"}"#, r#"{"result":"x"}"#),
            (
                r#"{"result":{"parts":[{"type":"text","text":"a"}]}}"#,
                r#"{"result":{"parts":[{"type":"text","text":"a"}]}}"#,
            ),
            ("no JSON", "no JSON"),
        ] {
            assert_eq!(text(body.as_bytes()), expected);
        }
    }

    #[test]
    fn usage_is_clamped_and_zero_is_none() {
        for (body, expected) in [
            (
                r#"{"result":{"usage":{"input_tokens":3,"output_tokens":4}}}"#,
                Some((3, 4)),
            ),
            (
                r#"{"result":{"usage":{"input_tokens":0}},"usage":{"output_tokens":9}}"#,
                Some((0, 9)),
            ),
            (
                r#"{"usage":{"input_tokens":-5,"output_tokens":99999999}}"#,
                Some((0, 10_000_000)),
            ),
            (r#"{"usage":{}}"#, None),
            ("x", None),
        ] {
            assert_eq!(usage(body.as_bytes()), expected, "{body}");
        }
    }
}

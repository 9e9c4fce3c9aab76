//! What a reply says, read as tolerantly as its readers are (contract: a2a-notify-events 4.3,
//! extended-surface 17).

use serde_json::Value;

use crate::json::mended;

/// The most tokens one reply may claim, either way.
pub const MOST_PER_REPLY: i64 = 10_000_000;

/// The text of a reply: its first text part, else that of its first artifact, else all of it.
pub fn text(bytes: &[u8]) -> String {
    let json: Value = serde_json::from_slice(&mended(bytes)).unwrap_or_default();
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
    let json: Value = serde_json::from_slice(&mended(bytes)).ok()?;
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
    use proptest::prelude::*;
    use serde_json::json;

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
            (
                r#"{"result":{"parts":[{"kind":"text","text":"cut \ud83d"}]}}"#,
                "cut \u{fffd}",
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

    proptest! {
        #[test]
        fn any_bytes_have_a_text(bytes in any::<Vec<u8>>()) {
            prop_assert!(text(&bytes).len() <= 3 * bytes.len());
            prop_assert_eq!(usage(&bytes), None);
        }

        #[test]
        fn any_parts_are_looked_through(parts in crate::arbitrary::json(), used in crate::arbitrary::json()) {
            let reply = json!({"result": {"parts": parts, "artifacts": parts, "usage": used}, "usage": used});
            let reply = reply.to_string();
            prop_assert!(text(reply.as_bytes()).len() <= reply.len());
            let (input, output) = usage(reply.as_bytes()).unwrap_or_default();
            prop_assert!((0..=MOST_PER_REPLY).contains(&input) && (0..=MOST_PER_REPLY).contains(&output));
        }

        #[test]
        fn a_first_text_comes_back(said in any::<String>(), before in prop::collection::vec(crate::arbitrary::json(), 0..3)) {
            let before: Vec<_> = before.into_iter().filter(|it| it["kind"] != "text").collect();
            let mut parts = before;
            parts.push(json!({"kind": "text", "text": said}));
            let reply = json!({"result": {"parts": parts}}).to_string();
            prop_assert_eq!(text(reply.as_bytes()), said);
        }
    }
}

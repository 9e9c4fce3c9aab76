//! JSON that passes through, and JSON from outside that would not come back as it came.

use std::{borrow::Cow, iter};

use serde::Serialize;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// JSON as text, for what is only passed on: taken apart it can be sixteen times as big.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Text(Box<RawValue>);

impl Text {
    /// The text, if it is JSON.
    pub fn parse(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(Self)
    }

    /// These bytes, [`mended`], if they are JSON: one row with half a surrogate would make a list that no
    /// strict parser reads.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(&mended(bytes)).ok().map(Self)
    }

    /// Taken apart, [`mended`]; what serde_json cannot read all the same (a number that is too big) is `null`.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&mended(self.as_str().as_bytes())).unwrap_or_default()
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        // Only maps whose keys are no text cannot be written.
        to_raw_value(&value).map(Self).unwrap_or_default()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// A key by which serde_json marks text that it is to copy. A map that has it first, as it has once it is
/// written in the order of its keys, is taken for such a mark and cannot be read again.
const RESERVED: &str = "$serde_json::private::RawValue";

/// Whether a map somewhere in this JSON has a key that is serde_json's own.
///
/// The text is looked through for strings before a colon, and not parsed: whoever reads it for good may pass over
/// what a parser here would break off at, as half a surrogate, a number too big or bytes after the first value.
pub fn has_reserved_key(text: &[u8]) -> bool {
    // It can be there as it is or with escapes: most texts have neither.
    let has = |part: &[u8]| text.windows(part.len()).any(|it| it == part);
    (has(b"private::") || has(b"\\u")) && keys(text).any(is_reserved)
}

fn is_reserved(key: &[u8]) -> bool {
    serde_json::from_slice::<String>(key).is_ok_and(|key| key == RESERVED)
}

/// The keys of all maps in this JSON, in their quotes. Of what is no JSON it may be anything.
fn keys(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    let strings = iter::from_fn(move || {
        let start = rest.iter().position(|byte| *byte == b'"')?;
        let (string, after) = rest[start..].split_at_checked(string_length(&rest[start..])?)?;
        rest = after;
        Some((string, after))
    });
    strings
        .filter_map(|(string, after)| after.trim_ascii_start().starts_with(b":").then_some(string))
}

/// How long the string is that begins here, with both quotes.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => 2,
            _ => 1,
        };
    }
}

/// The text with U+FFFD for every half of a surrogate pair that stands alone.
///
/// Python and JavaScript write such halves, of bytes that are no UTF-8 and of text that was cut in an emoji; the reference
/// reads them so, serde_json not at all.
pub fn mended(text: &[u8]) -> Cow<'_, [u8]> {
    let half = |at: usize| -> Option<u16> {
        let escape = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let unit = u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()?;
        (0xd800..=0xdfff).contains(&unit).then_some(unit)
    };
    let (mut mended, mut kept, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = text[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        at = match (half(at), half(at + 6)) {
            (Some(..0xdc00), Some(0xdc00..)) => at + 12,
            (Some(_), _) => {
                mended.extend_from_slice(&text[kept..at]);
                mended.extend_from_slice(b"\\ufffd");
                kept = at + 6;
                kept
            }
            (None, _) => text.len().min(at + 2),
        };
    }
    if mended.is_empty() {
        return Cow::Borrowed(text);
    }
    mended.extend_from_slice(&text[kept..]);
    Cow::Owned(mended)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn halves_of_pairs_that_stand_alone_are_replaced() {
        for (text, expected) in [
            (r#"{"a":"x\ud83d"}"#, "x\u{fffd}"),
            (r#"{"a":"\udcff y"}"#, "\u{fffd} y"),
            (r#"{"a":"\uD83D\uDE00"}"#, "\u{1f600}"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}\u{1f600}"),
            (r#"{"a":"\ude00\ud83d"}"#, "\u{fffd}\u{fffd}"),
            (r#"{"a":"\ud83d\n"}"#, "\u{fffd}\n"),
            (r#"{"a":"\\ud83d"}"#, "\\ud83d"),
            (r#"{"a":"\\\ud83d"}"#, "\\\u{fffd}"),
            (r#"{"a":"\u00e4"}"#, "ä"),
        ] {
            let json: Value = serde_json::from_slice(&mended(text.as_bytes())).expect(text);
            assert_eq!(json["a"], expected, "{text}");
        }
        for broken in [r#"{"a":"\"#, r#"{"a":"\ud8"#, r#"{"a":"\ud83d"#, "", "\\"] {
            let mended = mended(broken.as_bytes());
            assert!(
                serde_json::from_slice::<Value>(&mended).is_err(),
                "{broken}"
            );
        }
    }

    #[test]
    fn text_passes_as_it_is_written() {
        let written = r#"{ "b" : 1.0, "a":"\u00e4", "a" : 2 }"#;
        let text = Text::parse(written.to_owned()).expect("JSON");
        assert_eq!(text.as_str(), written);
        let around = serde_json::to_string(&[&text]).expect("written");
        assert_eq!(around, format!("[{written}]"));
        assert_eq!(Text::of_bytes(written.as_bytes()), Some(text.clone()));
        assert_eq!(text.value(), json!({"b": 1.0, "a": 2}));
        for wrong in ["", "{", "1 2", "nul"] {
            assert_eq!(Text::parse(wrong.to_owned()), None, "{wrong}");
        }
        let cut = Text::of_bytes(br#"{ "b" : 1.0, "a":"cut \ud83d"}"#).expect("JSON");
        assert_eq!(cut.as_str(), r#"{ "b" : 1.0, "a":"cut \ufffd"}"#);
        assert!(Text::default().is_null());
        assert!(Text::from(Value::Null).is_null());
        assert!(!Text::from(json!("null")).is_null());
        assert_eq!(Text::from(json!({"a": [1]})).as_str(), r#"{"a":[1]}"#);
    }

    #[test]
    fn a_reserved_key_is_found_wherever_and_however_it_is_written() {
        let plain = r#"{"a":[{"b":1,"$serde_json::private::RawValue":{}}]}"#;
        let escaped = r#"{"\u0024serde_json::private::\u0052awValue":"1","x":null}"#;
        for (text, expected) in [
            (plain, true),
            (escaped, true),
            (r#"{"a":"$serde_json::private::RawValue"}"#, false),
            (r#"{"a":"\u0041","b":[1,-1,0.5,true,null,"x",{}]}"#, false),
            (r#"{"\\":"\"$serde_json::private::RawValue\":"}"#, false),
            (r#"{"$serde_json::private::RawValue" 1}"#, false),
            (r#"{"$serde_json::private::RawValue"#, false),
            (r#"{"\"#, false),
            ("", false),
            // A parser that passes over these reads the rest.
            (
                r#"{"x":"\ud83d","a":{"b":1,"$serde_json::private::RawValue":1}}"#,
                true,
            ),
            (r#"{"x":1e999,"$serde_json::private::RawValue" : 1}"#, true),
            (r#"{"$serde_json::private::RawValue":1} and more"#, true),
            (
                "{\"a\\\"\":\"\\\\\",\"$serde_json::private::RawValue\"\r\n\t :1}",
                true,
            ),
        ] {
            assert_eq!(has_reserved_key(text.as_bytes()), expected, "{text}");
        }
        let mut broken = br#"{"x":"?","$serde_json::private::RawValue":1}"#.to_vec();
        broken[6] = 0xff;
        assert!(
            has_reserved_key(&broken),
            "passed over, it need not be UTF-8"
        );
        let deep = format!(
            "{{\"x\":{}{},{}",
            "[".repeat(200),
            "]".repeat(200),
            &plain[1..]
        );
        assert!(
            has_reserved_key(deep.as_bytes()),
            "passed over, it may be deep"
        );
        // What is refused for: it is read, and what is written is not read again.
        let read: Value = serde_json::from_str(plain).expect("JSON");
        serde_json::from_str::<Value>(&read.to_string()).expect_err("no JSON to serde_json");
    }
}

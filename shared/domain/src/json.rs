//! JSON from outside that would not come back as it came.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// A key by which serde_json marks text that it is to copy. A map that has it first, as it has once it is
/// written in the order of its keys, is taken for such a mark and cannot be read again.
const RESERVED: &str = "$serde_json::private::RawValue";

/// Whether a map somewhere in this JSON has a key that is serde_json's own. What is no JSON has none.
pub fn has_reserved_key(text: &[u8]) -> bool {
    // It can be there as it is or with escapes: most texts have neither.
    let has = |part: &[u8]| text.windows(part.len()).any(|it| it == part);
    (has(b"private::") || has(b"\\u"))
        && serde_json::from_slice(text).is_ok_and(|Keys(found)| found)
}

/// Whether the key was found.
struct Keys(bool);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Look).map(Self)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some((key, Keys(below))) = map.next_entry::<Cow<'de, str>, Keys>()? {
            found |= below || key == RESERVED;
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Keys(below)) = seq.next_element()? {
            found |= below;
        }
        Ok(found)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_reserved_key_is_found_wherever_and_however_it_is_written() {
        let plain = r#"{"a":[{"b":1,"$serde_json::private::RawValue":{}}]}"#;
        let escaped = r#"{"\u0024serde_json::private::\u0052awValue":"1","x":null}"#;
        for (text, expected) in [
            (plain, true),
            (escaped, true),
            (r#"{"a":"$serde_json::private::RawValue"}"#, false),
            (r#"{"a":"\u0041","b":[1,-1,0.5,true,null,"x",{}]}"#, false),
            (r#"{"$serde_json::private::RawValue":"#, false),
            ("", false),
        ] {
            assert_eq!(has_reserved_key(text.as_bytes()), expected, "{text}");
        }
        // What is refused for: it is read, and what is written is not read again.
        let read: Value = serde_json::from_str(plain).expect("JSON");
        serde_json::from_str::<Value>(&read.to_string()).expect_err("no JSON to serde_json");
    }
}

//! YAML to JSON and back, within bounds.
//!
//! Templates are written by people and come from anywhere. saphyr bounds what aliases grow to;
//! depth is bounded here, before anything that recurses sees the text.

use std::collections::HashMap;

use saphyr::{LoadableYamlNode as _, Mapping, Scalar, Yaml, YamlEmitter};
use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

/// The largest text that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// How deep lists and maps may lie in one another.
pub const MAX_DEPTH: usize = 64;

/// Why a text is not read; a sentence.
pub type Broken = String;

/// What becomes of a node with a tag of somebody's own: its name, and what it stands at.
pub type Tags<'a> = dyn FnMut(&str, Value) -> Result<Value, Broken> + 'a;

/// The first document of `text`; tags mean nothing.
///
/// # Errors
/// A sentence.
pub fn parse(text: &str) -> Result<Value, Broken> {
    parse_with(text, &mut |_, inner| Ok(inner))
}

/// The first document of `text`; null if there is none.
///
/// # Errors
/// A sentence.
pub fn parse_with(text: &str, tags: &mut Tags<'_>) -> Result<Value, Broken> {
    if text.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    bounded(text)?;
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    documents
        .first()
        .map_or(Ok(Value::Null), |it| value(it, tags))
}

/// Nothing is nested too deep, through aliases neither: each may stand for what holds other aliases, and
/// so stack up what no text shows.
fn bounded(text: &str) -> Result<(), Broken> {
    // How high the value at each anchor is, and of the open lists and maps: anchor, and height within.
    let mut heights: HashMap<usize, usize> = HashMap::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let height = match event {
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                open.push((anchor, 0));
                0
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (anchor, within) = open.pop().unwrap_or_default();
                heights.insert(anchor, within + 1);
                within + 1
            }
            Event::Alias(anchor) => heights.get(&anchor).copied().unwrap_or_default(),
            _ => 0,
        };
        if open.len() + height > MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
        }
        if let Some((_, within)) = open.last_mut() {
            *within = height.max(*within);
        }
    }
    Ok(())
}

fn value(node: &Yaml<'_>, tags: &mut Tags<'_>) -> Result<Value, Broken> {
    Ok(match node {
        Yaml::Value(scalar) => plain(scalar),
        Yaml::Sequence(all) => {
            let all = all.iter().map(|it| value(it, tags));
            all.collect::<Result<Value, Broken>>()?
        }
        Yaml::Mapping(entries) => Value::Object(mapping(entries, tags)?),
        Yaml::Tagged(tag, inner) => {
            let inner = value(inner, tags)?;
            tags(&tag.suffix, inner)?
        }
        Yaml::Representation(text, ..) => text.as_ref().into(),
        Yaml::Alias(_) | Yaml::BadValue => return Err("a value contradicts its tag".to_owned()),
    })
}

fn plain(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(bool) => (*bool).into(),
        Scalar::Integer(number) => (*number).into(),
        Scalar::FloatingPoint(number) => number.into_inner().into(),
        Scalar::String(text) => text.as_ref().into(),
    }
}

/// A map. `<<` brings in the entries of other maps, which its own override.
fn mapping(entries: &Mapping<'_>, tags: &mut Tags<'_>) -> Result<Map<String, Value>, Broken> {
    let (mut own, mut merged) = (Map::new(), Map::new());
    for (key, it) in entries {
        let key = match key {
            Yaml::Value(Scalar::String(text)) => text.as_ref().to_owned(),
            Yaml::Value(other) => plain(other).to_string(),
            _ => return Err("a key is not plain text".to_owned()),
        };
        let it = value(it, tags)?;
        match (key.as_str(), it) {
            ("<<", Value::Object(more)) => merged.extend(more),
            // The first of several has precedence.
            ("<<", Value::Array(several)) => {
                let maps = several.into_iter().rev();
                merged.extend(maps.filter_map(|it| it.as_object().cloned()).flatten());
            }
            (_, it) => {
                own.insert(key, it);
            }
        }
    }
    merged.extend(own);
    Ok(merged)
}

/// `value` as YAML. Every text is quoted, so none of them can mean anything. Keys are words of ours: one that has over
/// 1,024 characters when it is escaped is no key to whoever reads it.
pub fn emit(value: &Value) -> String {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.quoted_value(true);
    // A string takes whatever is written to it.
    let _ = emitter.dump(&node(value));
    text.push('\n');
    text
}

fn node(value: &Value) -> Yaml<'_> {
    Yaml::Value(match value {
        Value::Null => Scalar::Null,
        Value::Bool(bool) => Scalar::Boolean(*bool),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Scalar::Integer(whole),
            None => Scalar::FloatingPoint(number.as_f64().unwrap_or(f64::NAN).into()),
        },
        Value::String(text) => Scalar::String(text.as_str().into()),
        Value::Array(all) => return Yaml::Sequence(all.iter().map(node).collect()),
        Value::Object(entries) => {
            let key = |key| Yaml::Value(Scalar::String(std::borrow::Cow::from(key)));
            let entries = entries.iter().map(|(k, v)| (key(k.as_str()), node(v)));
            return Yaml::Mapping(entries.collect());
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_as_json() {
        for (text, expected) in [
            ("", json!(null)),
            (
                "a: 1\nb: [x, 2.5, true, ~]",
                json!({"a": 1, "b": ["x", 2.5, true, null]}),
            ),
            ("1: x\ntrue: y", json!({"1": "x", "true": "y"})),
            ("a: !own x", json!({"a": "x"})),
            (
                "a: &n {b: 1}\nc: {<<: *n, d: 2}\ne: {b: 3, <<: *n}",
                json!({"a": {"b": 1}, "c": {"b": 1, "d": 2}, "e": {"b": 3}}),
            ),
            (
                "a: &n {b: 1}\nc: &m {b: 2, d: 2}\ne: {<<: [*n, *m]}",
                json!({"a": {"b": 1}, "c": {"b": 2, "d": 2}, "e": {"b": 1, "d": 2}}),
            ),
            ("--- 1\n--- 2", json!(1)),
        ] {
            assert_eq!(parse(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_broken_or_grows_is_refused() {
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        let blocks = "- ".repeat(100_000);
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let before = format!("*a{}, ", n - 1).repeat(10);
            laughs += &format!("a{n}: &a{n} [{before}]\n");
        }
        for text in [
            "a: [",
            "a: *nobody",
            "a: 1\na: 2",
            "[1, 2]: x",
            "a: !!int x",
            &deep,
            &blocks,
            &laughs,
        ] {
            assert!(parse(text).is_err(), "{}", &text[..text.len().min(60)]);
        }
        assert!(parse(&"#".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn aliases_do_not_nest_deeper_than_is_allowed() {
        let deep = |inner: &str| "[".repeat(MAX_DEPTH - 2) + inner + &"]".repeat(MAX_DEPTH - 2);
        let mut text = format!("a0: &a0 {}\n", deep("x"));
        for n in 1..1500 {
            text += &format!("a{n}: &a{n} {}\n", deep(&format!("*a{}", n - 1)));
        }
        assert!(text.len() <= MAX_BYTES);
        assert!(parse(&text).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}", shaped in "([-:?&*!|>%@`{},\\[\\]# \n'\"a1<~]){0,60}") {
            for text in [text, shaped] {
                if let Ok(value) = parse(&text) {
                    prop_assert!(parse(&emit(&value)).is_ok());
                }
            }
        }

        #[test]
        fn what_is_written_is_read_back(name in any::<String>(), file in "[ -~\n\r\t\u{85}\u{2028}:#'\"]*") {
            let value = json!({"name": name, "files": [file.clone()], "more": {"x": file}});
            prop_assert_eq!(parse(&emit(&value)).expect("YAML"), value);
        }
    }
}

//! Attribute values as they are on the wire: `{"S": "text"}`.

use std::cmp::Ordering;

use serde_json::{Value, json};

/// The type and what is in it.
///
/// # Panics
/// It is no attribute value.
pub(super) fn parts(value: &Value) -> (&str, &Value) {
    let object = value.as_object().filter(|object| object.len() == 1);
    let (kind, inner) = object
        .and_then(|object| object.iter().next())
        .unwrap_or_else(|| panic!("no attribute value: {value}"));
    (kind, inner)
}

/// The text of a string, a number or a binary.
pub(super) fn text(value: &Value) -> &str {
    let (kind, inner) = parts(value);
    let inner = inner.as_str();
    inner.unwrap_or_else(|| panic!("{kind} has no text"))
}

/// A whole number. The store counts and compares no others.
pub(super) fn whole(value: &Value) -> i128 {
    let (kind, _) = parts(value);
    assert_eq!(kind, "N", "no number: {value}");
    let number = text(value).parse();
    number.unwrap_or_else(|_| panic!("only whole numbers are compared: {value}"))
}

/// Whether they are the same, sets in whatever order.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    let ((kind, inner), (other_kind, other_inner)) = (parts(one), parts(other));
    if kind != other_kind {
        return false;
    }
    match kind {
        "N" if inner != other_inner => whole(one) == whole(other),
        "SS" | "NS" | "BS" => {
            let (mut one, mut other) = (members(one), members(other));
            one.sort_unstable();
            other.sort_unstable();
            one == other
        }
        "L" | "M" if inner != other_inner => panic!("lists and maps are not compared deeply"),
        _ => inner == other_inner,
    }
}

/// Their order; none if they are of different types.
pub(super) fn order(one: &Value, other: &Value) -> Option<Ordering> {
    let (kind, other_kind) = (parts(one).0, parts(other).0);
    match kind {
        _ if kind != other_kind => None,
        "N" => Some(whole(one).cmp(&whole(other))),
        "S" => Some(text(one).cmp(text(other))),
        kind => panic!("{kind} is not ordered"),
    }
}

/// The members of a set.
pub(super) fn members(set: &Value) -> Vec<String> {
    let (kind, inner) = parts(set);
    assert!(matches!(kind, "SS" | "NS" | "BS"), "no set: {set}");
    let all = inner.as_array().into_iter().flatten();
    all.filter_map(|it| it.as_str().map(str::to_owned))
        .collect()
}

/// Whether a set, a list or a text contains this.
pub(super) fn contains(whole: &Value, part: &Value) -> bool {
    let ((kind, inner), (part_kind, part_inner)) = (parts(whole), parts(part));
    match (kind, part_kind) {
        ("SS", "S") | ("NS", "N") | ("BS", "B") => members(whole)
            .iter()
            .any(|it| Some(it.as_str()) == part_inner.as_str()),
        ("L", _) => inner
            .as_array()
            .into_iter()
            .flatten()
            .any(|it| equal(it, part)),
        ("S", "S") => text(whole).contains(text(part)),
        _ => false,
    }
}

/// How many there are in it, or bytes.
pub(super) fn size(of: &Value) -> Value {
    let (kind, inner) = parts(of);
    let size = match kind {
        "S" => text(of).len(),
        "SS" | "NS" | "BS" | "L" => inner.as_array().map_or(0, Vec::len),
        "M" => inner.as_object().map_or(0, serde_json::Map::len),
        kind => panic!("the size of {kind} is not known here"),
    };
    json!({"N": size.to_string()})
}

/// A set with and without these members; none when nothing is left.
pub(super) fn joined(set: Option<&Value>, others: &Value, add: bool) -> Option<Value> {
    let (kind, _) = parts(others);
    let others = members(others);
    let mut all = set.map(members).unwrap_or_default();
    if let Some(set) = set {
        assert_eq!(parts(set).0, kind, "sets of different types");
    }
    all.retain(|it| !others.contains(it));
    if add {
        all.extend(others);
    }
    (!all.is_empty()).then(|| json!({ kind: all }))
}

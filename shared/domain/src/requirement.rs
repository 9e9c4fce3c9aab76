//! Environment variables that templates ask for: one, or any of several (contract:
//! lifecycle-and-sweepers 7.4).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest name, in bytes.
const MAX_NAME: usize = 128;

/// A variable, or a choice of variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequiredVariable")]
#[serde(untagged)]
pub enum Requirement {
    /// This one.
    Name(String),
    /// At least one of these.
    AnyOf {
        /// The choice, as written.
        any_of: Vec<String>,
    },
}

/// What several parts ask for together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Nothing starts without these.
    pub required: Vec<Requirement>,
    /// These would be good to have.
    pub recommended: Vec<Requirement>,
}

impl Requirement {
    /// The variables it names.
    pub fn members(&self) -> &[String] {
        match self {
            Self::Name(name) => std::slice::from_ref(name),
            Self::AnyOf { any_of } => any_of,
        }
    }

    /// Whether one of its variables is there.
    pub fn is_met(&self, has: impl Fn(&str) -> bool) -> bool {
        self.members().iter().any(|name| has(name))
    }

    /// Whether it can be read: a choice of nothing is a mistake.
    pub fn is_sound(&self) -> bool {
        !self.members().is_empty()
    }

    /// Without what is no name; none when nothing is left. A choice of one is no choice.
    fn cleaned(&self) -> Option<Self> {
        let names = self.members().iter().filter(|name| is_name(name));
        let mut names: Vec<String> = names.cloned().collect();
        match names.len() {
            0 => None,
            1 => names.pop().map(Self::Name),
            _ => Some(Self::AnyOf { any_of: names }),
        }
    }

    fn set(&self) -> BTreeSet<String> {
        self.members().iter().cloned().collect()
    }
}

impl Requirements {
    /// The union: each set of names once; what a required name settles is not asked for again;
    /// single names first, then choices, each by name.
    pub fn union<'a>(
        required: impl IntoIterator<Item = &'a Requirement>,
        recommended: impl IntoIterator<Item = &'a Requirement>,
    ) -> Self {
        let required = tier(required, &BTreeSet::new());
        let strict = names(&required);
        Self {
            recommended: tier(recommended, &strict),
            required,
        }
    }
}

/// One tier of the union, without what contains a name of `settled`.
fn tier<'a>(
    all: impl IntoIterator<Item = &'a Requirement>,
    settled: &BTreeSet<String>,
) -> Vec<Requirement> {
    let mut kept = BTreeMap::new();
    for requirement in all.into_iter().filter_map(Requirement::cleaned) {
        let set = requirement.set();
        // `[A, A]` is A.
        let one = match (set.len(), set.first()) {
            (1, Some(name)) => Requirement::Name(name.clone()),
            _ => requirement,
        };
        if set.is_disjoint(settled) {
            // Singles sort before choices.
            kept.entry((set.len() > 1, set)).or_insert(one);
        }
    }
    let singles: Vec<Requirement> = kept.values().cloned().collect();
    let strict = names(&singles);
    kept.into_iter()
        .filter(|((choice, set), _)| !choice || set.is_disjoint(&strict))
        .map(|(_, requirement)| requirement)
        .collect()
}

/// The single names.
fn names(of: &[Requirement]) -> BTreeSet<String> {
    of.iter()
        .filter_map(|it| match it {
            Requirement::Name(name) => Some(name.clone()),
            Requirement::AnyOf { .. } => None,
        })
        .collect()
}

/// `^[A-Z][A-Z0-9_]{0,127}$`
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(json: &Value) -> Vec<Requirement> {
        serde_json::from_value(json.clone()).expect("requirements")
    }

    #[test]
    fn unions() {
        for (required, recommended, expected) in [
            (json!([]), json!([]), json!([[], []])),
            (json!(["B", "A", "B"]), json!([]), json!([["A", "B"], []])),
            // Names that are none are dropped, and groups with them.
            (
                json!(["a", "A-B", "1A", "", "A"]),
                json!([{"any_of": ["x"]}]),
                json!([["A"], []]),
            ),
            // Singles by name, then groups by their sorted members, which stay as written.
            (
                json!([{"any_of": ["Z", "C"]}, {"any_of": ["X", "B"]}, "Y"]),
                json!([]),
                json!([["Y", {"any_of": ["X", "B"]}, {"any_of": ["Z", "C"]}], []]),
            ),
            // The same set twice.
            (
                json!([{"any_of": ["A", "B"]}, {"any_of": ["B", "A"]}]),
                json!([]),
                json!([[{"any_of": ["A", "B"]}], []]),
            ),
            // A required name settles groups of its tier and all of the other one.
            (
                json!(["A", {"any_of": ["A", "B"]}]),
                json!(["A", {"any_of": ["A", "C"]}, "C"]),
                json!([["A"], ["C"]]),
            ),
            // A required group does not settle what is recommended.
            (
                json!([{"any_of": ["A", "B"]}]),
                json!(["A"]),
                json!([[{"any_of": ["A", "B"]}], ["A"]]),
            ),
            // A choice of one is a name.
            (
                json!([{"any_of": ["A", "b"]}, {"any_of": ["C", "C"]}]),
                json!([]),
                json!([["A", "C"], []]),
            ),
        ] {
            let union = Requirements::union(&read(&required), &read(&recommended));
            let found = json!([union.required, union.recommended]);
            assert_eq!(found, expected, "{required} {recommended}");
        }
    }

    #[test]
    fn a_choice_is_met_by_any() {
        let has = |name: &str| name == "B";
        for (requirement, met) in [
            (json!("A"), false),
            (json!("B"), true),
            (json!({"any_of": ["A", "B"]}), true),
            (json!({"any_of": ["A", "C"]}), false),
        ] {
            let read: Requirement = serde_json::from_value(requirement).expect("one");
            assert_eq!(read.is_met(has), met, "{read:?}");
        }
        assert!(!Requirement::AnyOf { any_of: vec![] }.is_sound());
    }
}

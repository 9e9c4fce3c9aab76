//! The catalogue of events against the code: each is built by some code, or says why by none, and is of
//! no route that is served.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use domain::event::CATALOGUE;
use e2e::template::Template;

use super::environment::{root, sources};

/// Which variants have which names: the arms of `fn name`, as they are written.
fn variants(path: &str) -> BTreeMap<String, BTreeSet<String>> {
    let source = fs::read_to_string(root(path)).expect("a source");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let body = source.split("fn name(").nth(1).expect("fn name");
    let body = body.split("\n    }\n").next().expect("its end");
    let mut of = BTreeSet::new();
    // A variant stands before the names it has.
    for word in body.split(|char: char| !char.is_ascii_alphanumeric() && !":_\"".contains(char)) {
        if let Some(variant) = word.strip_prefix("Self::") {
            if found.values().any(|known| !known.is_disjoint(&of)) {
                of.clear();
            }
            of.insert(variant.to_owned());
        }
        let name = word.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        if let Some(name) = name {
            found.entry(name.to_owned()).or_default().extend(of.clone());
        }
    }
    found
}

/// All code that may build an event, without the files that say what events are.
fn builders() -> String {
    let mut text = sources(&root("functions")) + &sources(&root("shared/store/src"));
    for entry in root("shared/domain/src")
        .read_dir()
        .expect("a folder")
        .flatten()
    {
        let path = entry.path();
        let name = path
            .file_stem()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "event" {
            text += &sources(&path);
        } else if path.is_file() && name != "event" {
            let source = fs::read_to_string(&path).expect("a source");
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            text.extend(source.split_whitespace());
        }
    }
    // What follows from a row of activity is told by one function of the domain.
    let passing = fs::read_to_string(root("shared/domain/src/event/passing.rs"));
    let passing = passing.expect("a source");
    let told_by = passing.split("pub fn told_by").nth(1).expect("told_by");
    text.extend(
        told_by
            .split("\nimpl")
            .next()
            .into_iter()
            .flat_map(str::split_whitespace),
    );
    text
}

#[test]
fn every_event_is_emitted_or_says_why_not() {
    let built = builders();
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, kind) in [
        ("shared/domain/src/event.rs", "Event"),
        ("shared/domain/src/event/approval.rs", "ApprovalEvent"),
        ("shared/domain/src/event/passing.rs", "Passing"),
    ] {
        for (name, variants) in variants(path) {
            for variant in variants {
                let made = format!("{kind}::{variant}");
                assert!(built.contains(&made), "{name}: nothing builds {made}");
                names.entry(name.clone()).or_default().insert(made);
            }
        }
    }
    for entry in CATALOGUE {
        let emitted = names.remove(entry.name);
        assert_eq!(emitted.is_none(), entry.unused.is_some(), "{}", entry.name);
    }
    assert!(names.is_empty(), "in no catalogue: {names:?}");
}

#[test]
fn what_is_said_not_to_be_served_is_not() {
    let unserved = ["/expand", "/collapse", "/agent", "/agent/move", "/channels"];
    for route in Template::ours().routes() {
        for end in unserved {
            assert!(!route.path.ends_with(end), "{} emits something", route.path);
        }
    }
    for entry in CATALOGUE {
        let why = entry.unused.unwrap_or("not served");
        assert!(why.ends_with("not served"), "{}: {why}", entry.name);
    }
}

#[test]
fn names_are_read_off_the_code() {
    let found = variants("shared/domain/src/event.rs");
    let of = |name: &str| found[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("WORKSPACE_PROVISIONING"), ["Imported", "Provisioning"]);
    assert_eq!(of("WORKSPACE_OFFLINE"), ["Offline"]);
    let found = variants("shared/domain/src/event/approval.rs");
    assert_eq!(found["APPROVAL_DENIED"], found["APPROVAL_APPROVED"]);
    assert_eq!(found["APPROVAL_DENIED"].len(), 1);
}

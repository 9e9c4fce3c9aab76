//! Environment variables: every one the code reads is set, and none is set that no code reads.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use e2e::template::Template;

pub(super) fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The Rust sources below `folder`, without their unit tests, without white space.
pub(super) fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in folder.read_dir().expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(&path).expect("a source");
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            text.extend(source.split_whitespace());
        }
    }
    text
}

/// The variables that `source` reads by the functions of `edge::settings`.
fn read_by(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for reader in ["var(\"", "required(\"", "parsed(\"", "parsed::<"] {
        for rest in source.split(reader).skip(1) {
            let rest = match reader {
                "parsed::<" => rest.split("(\"").nth(1).unwrap_or_default(),
                _ => rest,
            };
            let name = rest.split('"').next().unwrap_or_default();
            found.insert(name.to_owned());
        }
    }
    // Lambda itself sets these.
    found.retain(|name| !name.starts_with('_') && !name.starts_with("AWS_"));
    found
}

#[test]
fn variables_are_set_where_they_are_read_and_nowhere_else() {
    let template = Template::ours();
    let common = read_by(&sources(&root("shared/edge/src")));
    let mut domains = BTreeSet::new();
    for function in template.functions() {
        let set: BTreeSet<String> = function.common_variables().map(str::to_owned).collect();
        assert_eq!(
            set, common,
            "what every function gets, and shared/edge reads"
        );
        domains.insert(function.domain());
    }
    for domain in domains {
        let source = sources(&root(&format!("functions/{domain}/src")));
        let read: BTreeSet<String> = read_by(&source).difference(&common).cloned().collect();
        let functions = template.functions().filter(|it| it.domain() == domain);
        let set: BTreeSet<String> = functions
            .flat_map(|function| function.own_variables())
            .map(str::to_owned)
            // A function may have its own value of what all have.
            .filter(|name| !common.contains(name))
            .collect();
        assert_eq!(
            set, read,
            "what functions of {domain} get, and {domain} reads"
        );
        assert!(
            !source.contains("env::var"),
            "{domain} reads its environment without edge::settings"
        );
    }
    let store = sources(&root("shared/store/src")) + &sources(&root("shared/domain/src"));
    assert!(!store.contains("env::var"), "store or domain read settings");
}

#[test]
fn readers_are_found_in_every_form() {
    let source = r#"var("A") settings::required("B_1")? parsed::<u64>("C") settings::parsed("D")
        required("_HANDLER") var("AWS_REGION") format!("var")"#;
    let source: String = source.split_whitespace().collect();
    let found: Vec<_> = read_by(&source).into_iter().collect();
    assert_eq!(found, ["A", "B_1", "C", "D"]);
}

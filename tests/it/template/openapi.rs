//! `docs/openapi.json` against the wire types and the template.

use std::{collections::BTreeSet, path::Path};

use e2e::{openapi, template::Template};
use serde_json::Value;

const STALE: &str = "docs/openapi.json is not what the types on the wire say: run `make openapi`";

/// `make openapi` sets the variable: then the file is written, and there is nothing to compare.
#[test]
fn the_file_is_what_the_types_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = openapi::text();
    if std::env::var_os("WRITE_OPENAPI").is_some() {
        std::fs::write(&file, &text).expect("docs/ can be written");
    }
    let written = std::fs::read_to_string(&file).expect("docs/openapi.json");
    assert!(written == text, "{STALE}");
}

fn described(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let routes = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, _)| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let described = described(&openapi::document());
    let routes = Template::ours().routes().into_iter();
    // What no route answers, and the page for people.
    let routes = routes.filter(|route| route.path != "$default");
    let routes: BTreeSet<String> = routes
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let missing: Vec<_> = routes.difference(&described).collect();
    assert!(
        missing.is_empty(),
        "describe them where their handlers are, and run `make openapi`: {missing:?}"
    );
    let unknown: Vec<_> = described.difference(&routes).collect();
    assert!(unknown.is_empty(), "not in template.yaml: {unknown:?}");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_all_its_answers() {
    let document = openapi::document();
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let at = format!("{method} {path}");
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{at}: {name} is taken");
            let answers = operation["responses"].as_object().expect("answers");
            let good = answers.keys().filter(|status| status.starts_with('2'));
            assert!(good.count() > 0, "{at} never succeeds");
            let asked = operation["security"] != Value::Array(Vec::new());
            assert!(
                !asked || answers.contains_key("401"),
                "{at} asks, without 401"
            );
            for status in ["403", "429", "500", "503"] {
                assert!(answers.contains_key(status), "{at} without {status}");
            }
        }
    }
}

/// What `make test-openapi` sends first, and what people copy.
#[test]
fn every_body_has_an_example() {
    let document = openapi::document();
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
    let mut without = BTreeSet::new();
    for (_, operation) in operations {
        let content = operation["requestBody"]["content"].as_object();
        for (_, body) in content.into_iter().flatten() {
            let schema = &body["schema"];
            let named = schema["$ref"]
                .as_str()
                .and_then(|to| document.pointer(to.get(1..)?));
            if named.unwrap_or(schema)["examples"][0].is_null() {
                without.insert(operation["operationId"].as_str().unwrap_or_default());
            }
        }
    }
    // A signature that nobody can copy: docs/bootstrap.md has its form.
    assert_eq!(
        without,
        BTreeSet::from(["bootstrap_exchange"]),
        "schemars(example = …)"
    );
}

#[test]
fn every_type_has_a_name_of_its_own_and_every_reference_a_type() {
    let document = openapi::document();
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("types");
    for name in schemas.keys() {
        let numbered = name.ends_with(|last: char| last.is_ascii_digit());
        assert!(
            !numbered,
            "{name}: two types are called so (schemars, rename)"
        );
    }
    let mut known = BTreeSet::new();
    for kind in ["schemas", "responses"] {
        let all = document["components"][kind]
            .as_object()
            .expect("components");
        known.extend(all.keys().map(|name| format!("#/components/{kind}/{name}")));
    }
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let dangling: Vec<_> = used.difference(&known).collect();
    assert!(dangling.is_empty(), "{dangling:?}");
    let unused: Vec<_> = known.difference(&used).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(all) => {
            if let Some(Value::String(to)) = all.get("$ref") {
                into.insert(to.clone());
            }
            all.values().for_each(|value| references(value, into));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

//! CloudFormation refuses resources that wait for each other. The API waits for every function behind
//! its routes, so none of them may need the API: neither the linter nor the emulator sees that.

use std::collections::{BTreeMap, BTreeSet};

use e2e::template::Template;
use serde_json::Value;

/// The HTTP API of the template.
const API: &str = "Api";

/// Which names a value mentions, by `Ref`, `Fn::GetAtt` or `Fn::Sub`.
fn mentions(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match (name.as_str(), inner) {
                    ("Ref" | "DependsOn", Value::String(id)) => drop(found.insert(id.clone())),
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        found.extend(parts.first().and_then(Value::as_str).map(str::to_owned));
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        let names = text.split("${").skip(1);
                        found.extend(names.filter_map(|it| {
                            let name = it.split(['.', '}']).next()?;
                            Some(name.trim().to_owned())
                        }));
                    }
                    _ => mentions(inner, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|it| mentions(it, found)),
        _ => {}
    }
}

/// What each resource waits for, with the API's routes turned round: it waits for their functions.
fn waits() -> BTreeMap<String, BTreeSet<String>> {
    let template = Template::ours();
    let mut waits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, resource) in template.resources() {
        let mut resource = resource.clone();
        let events = resource["Properties"]
            .as_object_mut()
            .and_then(|properties| properties.remove("Events"));
        if events.is_some_and(|it| it.to_string().contains("HttpApi")) {
            waits
                .entry(API.to_owned())
                .or_default()
                .insert(id.to_owned());
        }
        mentions(&resource, waits.entry(id.to_owned()).or_default());
    }
    for function in template.functions() {
        let needed = waits.entry(function.id.to_owned()).or_default();
        mentions(template.globals(), needed);
    }
    waits
}

#[test]
fn no_resource_waits_for_itself() {
    let waits = waits();
    assert!(waits[API].len() > 40, "{:?}", waits[API]);
    for start in waits.keys() {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(id) = next.pop() {
            for needed in waits.get(id).into_iter().flatten() {
                assert_ne!(needed, start, "{start} waits for itself, through {id}");
                if seen.insert(needed) {
                    next.push(needed);
                }
            }
        }
    }
}

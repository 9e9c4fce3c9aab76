//! A template's `config.yaml` (contract: lifecycle-and-sweepers 3.1, 7.1).

use std::collections::BTreeSet;

use domain::{
    fields::{self, MAX_RUNTIME},
    template::{Model, Template},
};
use serde_json::{Value, json};

use crate::yaml::{self, Broken};

/// The file that makes a folder a template.
pub const FILE: &str = "config.yaml";

/// What the file says. What it says wrongly (a size of 9, a name that is a list) it does not say.
///
/// # Errors
/// It is no YAML, or no map.
pub fn read(text: &str) -> Result<Template, Broken> {
    let config = yaml::parse(text)?;
    if !config.is_object() {
        return Err("it is no map".to_owned());
    }
    let runtime_config = &config["runtime_config"];
    // At the top, or one below; the one at the top is older.
    let either = |key: &str| match &config[key] {
        Value::Null => &runtime_config[key],
        top => top,
    };
    let line = |it: &Value| {
        let text = text_of(it);
        let fine = fields::line("", &text, MAX_RUNTIME).is_ok();
        if fine { text } else { String::new() }
    };
    let whole = |it: &Value| it.as_i64().filter(|number| *number > 0).unwrap_or(0);
    Ok(Template {
        name: text_of(&config["name"]),
        description: text_of(&config["description"]),
        version: text_of(&config["version"]),
        tier: Some(whole(&config["tier"]))
            .filter(|tier| *tier <= 4)
            .unwrap_or(0),
        runtime: line(&config["runtime"]),
        model: line(either("model")),
        max_concurrent_tasks: whole(either("max_concurrent_tasks")),
        required_env: texts(&runtime_config["required_env"]),
        provision_timeout_seconds: whole(&runtime_config["provision_timeout_seconds"]),
        skills: texts(&config["skills"]),
        models: list(either("models")).filter_map(model).collect(),
    })
}

/// The file of a template that was imported without one: `name`, and the paths of its files. Values
/// are written by the emitter, so no name can add a key.
pub fn generated<'a>(name: &str, files: impl IntoIterator<Item = &'a str>) -> String {
    let (mut prompts, mut skills) = (BTreeSet::new(), BTreeSet::new());
    for path in files {
        match path.split('/').collect::<Vec<_>>()[..] {
            [file] if file.ends_with(".md") => {
                prompts.insert(file);
            }
            ["skills", skill, "SKILL.md"] => {
                skills.insert(skill);
            }
            _ => {}
        }
    }
    if prompts.is_empty() {
        prompts.insert("system-prompt.md");
    }
    yaml::emit(&json!({
        "name": name,
        "description": "Imported agent",
        "version": "1.0.0",
        "tier": 3,
        "model": "anthropic:claude-haiku-4-5-20251001",
        "prompt_files": prompts,
        "skills": skills,
        "tools": [],
        "a2a": {"port": 8000, "streaming": true, "push_notifications": true},
        "env": {"required": ["ANTHROPIC_API_KEY"]},
    }))
}

/// A model, if it has an id.
fn model(of: &Value) -> Option<Model> {
    let id = text_of(if of.is_object() { &of["id"] } else { of });
    let name = text_of(&of["name"]);
    (!id.is_empty()).then(|| Model {
        id,
        name: (!name.is_empty()).then_some(name),
        required_env: texts(&of["required_env"]),
    })
}

fn list(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}

/// The texts of a list; of maps in it, their `id` or `name`.
fn texts(of: &Value) -> Vec<String> {
    let text = |it: &Value| match it {
        Value::Object(map) => text_of(map.get("id").or(map.get("name")).unwrap_or(&Value::Null)),
        other => text_of(other),
    };
    list(of).map(text).filter(|it| !it.is_empty()).collect()
}

/// A text, or what was written without quotes and became a number (`version: 1.0`).
fn text_of(it: &Value) -> String {
    match it {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(bool) => bool.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_config_is_read() {
        let text = "
name: Writer
description: |
  Writes.
version: 1.0
tier: 2
runtime: hermes
model: 'old:model'
skills: [search, {id: write}]
runtime_config:
  model: new
  max_concurrent_tasks: 3
  required_env: [API_KEY, OTHER]
  provision_timeout_seconds: 900
  models:
    - {id: a, name: A, required_env: [A_KEY]}
    - b
    - {name: without an id}
";
        let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let model = |id: &str, name: Option<&str>, env: &[&str]| Model {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            required_env: texts(env),
        };
        let expected = Template {
            name: "Writer".to_owned(),
            description: "Writes.".to_owned(),
            version: "1.0".to_owned(),
            tier: 2,
            runtime: "hermes".to_owned(),
            model: "old:model".to_owned(),
            max_concurrent_tasks: 3,
            required_env: texts(&["API_KEY", "OTHER"]),
            provision_timeout_seconds: 900,
            skills: texts(&["search", "write"]),
            models: vec![model("a", Some("A"), &["A_KEY"]), model("b", None, &[])],
        };
        assert_eq!(read(text).expect("a config"), expected);
        let below = read("runtime_config: {model: new}").expect("a config");
        assert_eq!(below.model, "new");
    }

    #[test]
    fn what_is_said_wrongly_is_not_said() {
        let long = "x".repeat(MAX_RUNTIME + 1);
        for text in [
            "tier: 9",
            "tier: -1",
            "tier: big",
            "runtime: [a]",
            "runtime: \"a\\nb\"",
            "max_concurrent_tasks: -2",
            "skills: one",
            "runtime_config: 7",
            &format!("model: {long}"),
            "runtime_config: {provision_timeout_seconds: -5, required_env: [[]]}",
            "{}",
        ] {
            assert_eq!(read(text).expect(text), Template::default(), "{text}");
        }
        for text in ["", "- a", "just text", "a: ["] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_generated_config_cannot_be_extended_by_names() {
        let name = "Evil\nruntime: pwned\nx: \"y\" # {a: [b]}";
        let file = "note: x\nruntime: pwned.md";
        let text = generated(
            name,
            [file, "skills/a b/SKILL.md", "skills/x/other.md", "sub/y.md"],
        );
        let back = yaml::parse(&text).expect("YAML");
        let expected = json!({
            "name": name, "description": "Imported agent", "version": "1.0.0", "tier": 3,
            "model": "anthropic:claude-haiku-4-5-20251001", "prompt_files": [file],
            "skills": ["a b"], "tools": [],
            "a2a": {"port": 8000, "streaming": true, "push_notifications": true},
            "env": {"required": ["ANTHROPIC_API_KEY"]},
        });
        assert_eq!(back, expected);
        let head = read(&text).expect("a config");
        assert_eq!((head.runtime.as_str(), head.tier), ("", 3));
        let plain = yaml::parse(&generated("A", [])).expect("YAML");
        assert_eq!(plain["prompt_files"], json!(["system-prompt.md"]));
    }
}

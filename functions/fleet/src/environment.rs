//! The environment of an agent, in the order of the contract: later wins (contract:
//! lifecycle-and-sweepers 9.3, extended-surface 15).

use std::collections::BTreeMap;

use domain::secret::{SecretName, SecretValue};
use store::workspaces::Meta;

/// Names and values.
pub type Variables = BTreeMap<String, String>;

/// What the agent of this workspace gets. The token is not in it: it has a field of its own.
pub fn environment(
    meta: &Meta,
    secrets: &BTreeMap<SecretName, SecretValue>,
    platform_url: &str,
) -> Variables {
    let tier = meta.tier.to_string();
    let id = meta.id.to_string();
    let base = [
        ("WORKSPACE_ID", id.as_str()),
        ("WORKSPACE_CONFIG_PATH", "/configs"),
        ("PLATFORM_URL", platform_url),
        ("MOLECULE_URL", platform_url),
        ("TIER", &tier),
        ("PLUGINS_DIR", "/plugins"),
        ("PYTHONPATH", "/app"),
    ];
    let mut all: Variables = base
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, value) in secrets {
        all.insert(name.as_str().to_owned(), value.reveal().to_owned());
    }
    git_identity(&meta.name, &mut all);
    if meta.runtime == "hermes"
        && let Some(model) = model(meta, &all)
    {
        all.insert("HERMES_DEFAULT_MODEL".to_owned(), model);
    }
    if let Some(role) = meta.role.as_ref().filter(|role| !role.is_empty()) {
        all.insert("MOLECULE_AGENT_ROLE".to_owned(), role.clone());
    }
    all
}

/// The model it was made with, else that of the secrets. Who changes its own secret takes the former
/// away.
fn model(meta: &Meta, all: &Variables) -> Option<String> {
    let models = [meta.model.as_ref(), all.get("MODEL_PROVIDER")];
    let mut there = models.into_iter().flatten().filter(|it| !it.is_empty());
    there.next().cloned()
}

/// Those of `required` that have no value (contract: lifecycle-and-sweepers 9.4: empty is missing).
pub fn missing(required: Vec<String>, all: &Variables) -> Vec<String> {
    let without = |name: &String| all.get(name).is_none_or(String::is_empty);
    required.into_iter().filter(without).collect()
}

/// Who commits; what is set already, even to nothing, stays.
fn git_identity(name: &str, all: &mut Variables) {
    let name = name.trim();
    if name.is_empty() {
        return;
    }
    let mut set = |variables: [&str; 2], value: String| {
        for variable in variables {
            all.entry(variable.to_owned()).or_insert(value.clone());
        }
    };
    set(
        ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"],
        format!("Molecule AI {name}"),
    );
    let slug = slug(name);
    if !slug.is_empty() {
        set(
            ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"],
            format!("{slug}@agents.moleculesai.app"),
        );
    }
}

fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_the_contract_s() {
        for (name, expected) in [
            ("Role (with parens)", "role-with-parens"),
            ("em—dash", "em-dash"),
            ("---weird---", "weird"),
            ("UIUX Designer", "uiux-designer"),
            ("日本", ""),
        ] {
            assert_eq!(slug(name), expected);
        }
    }

    #[test]
    fn identities_do_not_replace_what_is_set_even_to_nothing() {
        let mut all = Variables::from([("GIT_AUTHOR_NAME".to_owned(), String::new())]);
        git_identity(" Ann ", &mut all);
        assert_eq!(all["GIT_AUTHOR_NAME"], "");
        assert_eq!(all["GIT_COMMITTER_NAME"], "Molecule AI Ann");
        assert_eq!(all["GIT_AUTHOR_EMAIL"], "ann@agents.moleculesai.app");
        let mut none = Variables::new();
        git_identity("日本", &mut none);
        assert!(!none.contains_key("GIT_AUTHOR_EMAIL"));
    }

    #[test]
    fn role_and_model_come_from_the_row() {
        let meta = |runtime: &str, role: Option<&str>, model: Option<&str>| -> Meta {
            let json = serde_json::json!({
                "id": "0a1b2c3d-0000-4000-8000-00000000000f", "name": "Ann", "role": role,
                "tier": 3, "runtime": runtime, "model": model, "workspace_access": "none",
                "max_concurrent_tasks": 1, "created_at": 0,
            });
            serde_json::from_value(json).expect("a row")
        };
        let provider = BTreeMap::from([(
            "MODEL_PROVIDER".parse::<SecretName>().expect("a name"),
            SecretValue::new("by secret"),
        )]);
        let none = BTreeMap::new();
        for (meta, secrets, model, role) in [
            (meta("hermes", None, None), &none, None, None),
            (
                meta("hermes", None, None),
                &provider,
                Some("by secret"),
                None,
            ),
            (
                meta("hermes", None, Some("")),
                &provider,
                Some("by secret"),
                None,
            ),
            (
                meta("hermes", None, Some("chosen")),
                &provider,
                Some("chosen"),
                None,
            ),
            (
                meta("hermes", Some(""), Some("chosen")),
                &none,
                Some("chosen"),
                None,
            ),
            (
                meta("langgraph", Some("writes"), Some("chosen")),
                &provider,
                None,
                Some("writes"),
            ),
        ] {
            let all = environment(&meta, secrets, "https://api.example.com");
            let get = |name: &str| all.get(name).map(String::as_str);
            assert_eq!(get("HERMES_DEFAULT_MODEL"), model, "{meta:?}");
            assert_eq!(get("MOLECULE_AGENT_ROLE"), role, "{meta:?}");
        }
    }

    #[test]
    fn empty_is_missing() {
        let all = Variables::from([
            ("A".to_owned(), "x".to_owned()),
            ("B".to_owned(), String::new()),
        ]);
        let required = ["A", "B", "C"].map(str::to_owned).to_vec();
        assert_eq!(missing(required, &all), ["B", "C"]);
    }
}

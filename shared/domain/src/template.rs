//! What a workspace, or a whole organisation, is made from: a folder of files with its head
//! (contract: lifecycle-and-sweepers 7.1, 7.4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::requirement::Requirement;

/// The longest path of a template's folder, in bytes: it is a part of a key of the table.
pub const MAX_DIR: usize = 512;

/// What a template's `config.yaml` says, as far as the platform acts on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Template {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its version, as written.
    pub version: String,
    /// The size of its workspaces, 1 to 4; 0 if it does not say.
    pub tier: i64,
    /// What runs in them; empty if it does not say.
    pub runtime: String,
    /// The model they use; empty if it does not say.
    pub model: String,
    /// How many messages they take at once; 0 if it does not say.
    pub max_concurrent_tasks: i64,
    /// The environment variables without which they do not start.
    pub required_env: Vec<String>,
    /// How long they may take to register, in seconds; 0 if it does not say.
    pub provision_timeout_seconds: i64,
    /// What they can do.
    pub skills: Vec<String>,
    /// The models one may choose from.
    pub models: Vec<Model>,
}

/// A model of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TemplateModel")]
pub struct Model {
    /// How the runtime calls it.
    pub id: String,
    /// How people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The environment variables it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_env: Vec<String>,
}

/// The head of an organisation's template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrgTemplate {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How many workspaces it has.
    pub workspaces: usize,
    /// What it does not start without.
    pub required_env: Vec<Requirement>,
    /// What it would like to have.
    pub recommended_env: Vec<Requirement>,
}

/// A path in a template, or to one, in its one form: relative, without `.` and empty parts. None
/// when it is empty or absolute, goes up, or has what no path has.
pub fn relative(text: &str) -> Option<String> {
    let refused = text.starts_with('/')
        || text.contains('\\')
        || text.chars().any(char::is_control)
        || text.split('/').any(|part| part == "..");
    let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
    let clean = parts.collect::<Vec<_>>().join("/");
    (!refused && !clean.is_empty()).then_some(clean)
}

/// The folder of the template that people call `name`: `Agent v2.0` → `agent-v20`.
pub fn folder(name: &str) -> String {
    let kept = name.to_lowercase().replace(' ', "-");
    let kept = kept
        .chars()
        .filter(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'));
    let kept: String = kept.take(MAX_DIR).collect();
    if kept.is_empty() {
        "unnamed".to_owned()
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (text, expected) in [
            ("config.yaml", Some("config.yaml")),
            ("skills/a/SKILL.md", Some("skills/a/SKILL.md")),
            ("./a//b/./c", Some("a/b/c")),
            ("a/", Some("a")),
            ("..a/b..", Some("..a/b..")),
            ("grüße.md", Some("grüße.md")),
            ("", None),
            (".", None),
            ("./", None),
            ("/etc/passwd", None),
            ("..", None),
            ("../x", None),
            ("a/../b", None),
            ("a/../../b", None),
            ("a\\..\\b", None),
            ("a\0b", None),
            ("a\nb", None),
        ] {
            assert_eq!(relative(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn folders_are_plain() {
        for (name, expected) in [
            ("Agent v2.0", "agent-v20"),
            ("../hack", "hack"),
            ("a_b-c 9", "a_b-c-9"),
            ("Grüße", "gre"),
            ("…", "unnamed"),
            ("", "unnamed"),
        ] {
            assert_eq!(folder(name), expected, "{name}");
        }
    }
}

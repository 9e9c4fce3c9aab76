//! An organisation's template as it is written: `org.yaml`, or the same as JSON.

use domain::{
    requirement::{Requirement, Requirements},
    template::OrgTemplate,
};
use edge::http::{Fields, Number};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::schedules::Written;

/// The most workspaces of one organisation: twice what must be done within one call.
pub const MAX_WORKSPACES: usize = 200;

/// The whole.
#[derive(Debug, Default, Deserialize)]
pub struct Org {
    /// What people call it.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub name: String,
    /// What it is for.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub description: String,
    /// What holds for every workspace that does not say otherwise.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub defaults: Defaults,
    /// Its roots.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub workspaces: Vec<Node>,
    /// What it does not start without.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub required_env: Vec<Requirement>,
    /// What it would like to have.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub recommended_env: Vec<Requirement>,
    /// All that nothing acts upon yet.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Defaults.
#[derive(Debug, Default, Deserialize)]
pub struct Defaults {
    /// What runs in workspaces.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub runtime: String,
    /// The model they use.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub model: String,
    /// Their size.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub tier: i64,
    /// All that nothing acts upon yet.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One workspace, with those below it.
#[derive(Debug, Default, Deserialize)]
pub struct Node {
    /// Its name.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub name: String,
    /// What it is for.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub role: String,
    /// What runs in it.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub runtime: String,
    /// The model it uses.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub model: String,
    /// Its size.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub tier: i64,
    /// The template of workspaces it is made from.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub template: String,
    /// Its folder in this template.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub files_dir: String,
    /// The directory it works in.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub workspace_dir: String,
    /// What it may do there.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub workspace_access: String,
    /// How many messages it takes at once.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub max_concurrent_tasks: i64,
    /// Whether it runs on a host of the user's.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub external: bool,
    /// Where it answers there.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub url: String,
    /// Its place on the canvas, if it is a root.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub canvas: Position,
    /// What it does not start without.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub required_env: Vec<Requirement>,
    /// What it would like to have.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub recommended_env: Vec<Requirement>,
    /// Prompts that it gets by the clock.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub schedules: Vec<Written>,
    /// Those below it.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub children: Vec<Self>,
    /// All that nothing acts upon yet: channels, plugins, prompts, memories.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A place on the canvas.
#[derive(Debug, Default, Deserialize)]
pub struct Position {
    /// Across.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub x: Number,
    /// Down.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub y: Number,
}

impl Org {
    /// From its document.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(document: Value) -> Result<Self, String> {
        let org: Self = serde_json::from_value(document).map_err(|error| error.to_string())?;
        let nodes = org.nodes();
        if nodes.is_empty() || nodes.len() > MAX_WORKSPACES {
            let count = nodes.len();
            return Err(format!(
                "it has {count} workspaces, not 1 to {MAX_WORKSPACES}"
            ));
        }
        let of_nodes = nodes.iter();
        let of_nodes = of_nodes.flat_map(|it| it.required_env.iter().chain(&it.recommended_env));
        let mut all = org
            .required_env
            .iter()
            .chain(&org.recommended_env)
            .chain(of_nodes);
        if !all.all(Requirement::is_sound) {
            return Err("any_of must not be empty".to_owned());
        }
        Ok(org)
    }

    /// All workspaces, parents before their children.
    pub fn nodes(&self) -> Vec<&Node> {
        fn add<'a>(of: &'a [Node], to: &mut Vec<&'a Node>) {
            for node in of {
                to.push(node);
                add(&node.children, to);
            }
        }
        let mut all = Vec::new();
        add(&self.workspaces, &mut all);
        all
    }

    /// What all of it asks for.
    pub fn requirements(&self) -> Requirements {
        let nodes = self.nodes();
        let required = nodes.iter().flat_map(|node| &node.required_env);
        let recommended = nodes.iter().flat_map(|node| &node.recommended_env);
        Requirements::union(
            self.required_env.iter().chain(required),
            self.recommended_env.iter().chain(recommended),
        )
    }

    /// What lists of templates show of it.
    pub fn head(&self) -> OrgTemplate {
        let Requirements {
            required,
            recommended,
        } = self.requirements();
        OrgTemplate {
            name: self.name.clone(),
            description: self.description.trim().to_owned(),
            workspaces: self.nodes().len(),
            required_env: required,
            recommended_env: recommended,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_org_is_read_with_what_nothing_acts_upon() {
        let org = Org::read(json!({
            "name": "Trio", "required_env": ["B"], "global_memories": [{"content": "x"}],
            "defaults": {"tier": 1, "plugins": ["p"]},
            "workspaces": [{"name": "Lead", "role": null, "schedules": [{}], "channels": [{}], "children": [
                {"name": "A", "required_env": [{"any_of": ["X", "Y"]}], "recommended_env": ["B", "C"]},
                {"name": "B", "children": null},
            ]}],
        }));
        let org = org.expect("an org");
        let names: Vec<_> = org.nodes().iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["Lead", "A", "B"]);
        assert!(
            org.rest.contains_key("global_memories") && org.defaults.rest.contains_key("plugins")
        );
        assert_eq!(org.workspaces[0].schedules.len(), 1);
        assert!(org.workspaces[0].rest.contains_key("channels"));
        let head = json!({"name": "Trio", "description": "", "workspaces": 3,
            "required_env": ["B", {"any_of": ["X", "Y"]}], "recommended_env": ["C"]});
        assert_eq!(serde_json::to_value(org.head()).expect("JSON"), head);
    }

    #[test]
    fn what_is_no_org_is_refused() {
        let many: Vec<_> = (0..=MAX_WORKSPACES)
            .map(|n| json!({"name": n.to_string()}))
            .collect();
        for document in [
            json!(null),
            json!([]),
            json!({}),
            json!({"workspaces": []}),
            json!({"workspaces": [{"name": 7}]}),
            json!({"workspaces": {"name": "a"}}),
            json!({"workspaces": [{"name": "a", "tier": "big"}]}),
            json!({"workspaces": [{"name": "a", "schedules": [7]}]}),
            json!({"workspaces": [{"name": "a", "schedules": [{"enabled": "yes"}]}]}),
            json!({"workspaces": [{"name": "a", "required_env": [{"any_of": []}]}]}),
            json!({"workspaces": [{"name": "a", "required_env": [7]}]}),
            json!({"workspaces": many}),
        ] {
            assert!(Org::read(document.clone()).is_err(), "{document}");
        }
    }
}

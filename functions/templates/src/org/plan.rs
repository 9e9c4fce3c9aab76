//! What is to be created: every workspace with its defaults, place and secrets, all of it checked
//! before the first is written.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    WorkspaceId,
    access::Place,
    fields::{self, MAX_NAME, MAX_ROLE, MAX_RUNTIME},
    schedule::Draft,
    secret::{SecretName, SecretValue},
    template::relative,
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    dotenv,
    layout::{self, Size},
    model::{Defaults, Node, Org},
    read::Variables,
    schedules::{self, Prompts, Skipped},
};

/// The size of a workspace that neither it nor the defaults give (contract 7.4).
const DEFAULT_TIER: i64 = 2;
const DEFAULT_RUNTIME: &str = "langgraph";

/// A workspace to be created.
#[derive(Debug)]
pub struct Planned {
    /// Itself and its ancestors.
    pub place: Place,
    /// Its parent, as a place in the plan: always an earlier one.
    pub parent: Option<usize>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Option<String>,
    /// Its size.
    pub tier: i64,
    /// What runs in it.
    pub runtime: String,
    /// The model it uses.
    pub model: String,
    /// The template of workspaces it is made from.
    pub template: Option<String>,
    /// The directory it works in.
    pub workspace_dir: Option<String>,
    /// What it may do there.
    pub workspace_access: String,
    /// How many messages it takes at once.
    pub max_concurrent_tasks: i64,
    /// Where it answers, if it is external.
    pub url: String,
    /// Its place on the canvas.
    pub at: (f64, f64),
    /// The same, seen from its parent.
    pub beside_parent: (f64, f64),
    /// Its first secrets.
    pub secrets: BTreeMap<SecretName, SecretValue>,
    /// Its folder in the template.
    pub files_dir: String,
    /// Its schedules.
    pub schedules: Vec<Draft>,
    /// Those that the template has wrong.
    pub schedules_skipped: Vec<Skipped>,
    /// What nothing acts upon yet.
    pub rest: Map<String, Value>,
}

/// The files that are prompts of schedules.
///
/// # Errors
/// A sentence.
pub fn prompt_files(org: &Org) -> Result<BTreeSet<String>, String> {
    let mut files = BTreeSet::new();
    for node in org.nodes() {
        let folder = folder(node)?;
        files.extend(node.schedules.iter().filter_map(|it| it.file(&folder)));
    }
    Ok(files)
}

/// The folders whose variables matter.
///
/// # Errors
/// A sentence.
pub fn folders(org: &Org) -> Result<BTreeSet<String>, String> {
    let mut folders = BTreeSet::from([String::new()]);
    for node in org.nodes() {
        folders.insert(folder(node)?);
    }
    Ok(folders)
}

fn folder(node: &Node) -> Result<String, String> {
    if node.files_dir.is_empty() {
        return Ok(String::new());
    }
    relative(&node.files_dir).ok_or_else(|| named(node, "invalid files_dir"))
}

/// All workspaces, parents before their children.
///
/// # Errors
/// A sentence.
pub fn plan(
    org: &Org,
    variables: &Variables,
    prompts: &Prompts,
    now: Timestamp,
) -> Result<Vec<Planned>, String> {
    let mut planner = Planner {
        defaults: &org.defaults,
        variables,
        prompts,
        now,
        plan: Vec::new(),
    };
    for root in &org.workspaces {
        let at = (root.canvas.x.into(), root.canvas.y.into());
        planner.add(root, None, at, at)?;
    }
    Ok(planner.plan)
}

struct Planner<'a> {
    defaults: &'a Defaults,
    variables: &'a Variables,
    prompts: &'a Prompts,
    now: Timestamp,
    plan: Vec<Planned>,
}

impl Planner<'_> {
    fn add(
        &mut self,
        node: &Node,
        parent: Option<usize>,
        at: (f64, f64),
        beside_parent: (f64, f64),
    ) -> Result<Size, String> {
        let planned = self.one(node, parent, at, beside_parent)?;
        let own = self.plan.len();
        self.plan.push(planned);
        let sizes: Vec<Size> = node.children.iter().map(size).collect();
        for (child, place) in node.children.iter().zip(layout::places(&sizes)) {
            let at = (at.0 + place.0, at.1 + place.1);
            self.add(child, Some(own), at, place)?;
        }
        Ok(layout::size(&sizes))
    }

    fn one(
        &self,
        node: &Node,
        parent: Option<usize>,
        at: (f64, f64),
        beside_parent: (f64, f64),
    ) -> Result<Planned, String> {
        let folder = folder(node)?;
        let variables = self.variables.of(&folder);
        let (schedules, schedules_skipped) =
            schedules::sort_out(&node.schedules, &folder, self.prompts, self.now);
        let runtime = if node.external || node.runtime == "external" {
            "external"
        } else {
            first([&node.runtime, &self.defaults.runtime], DEFAULT_RUNTIME)
        };
        let model = match runtime {
            "claude-code" => "sonnet",
            _ => "anthropic:claude-opus-4-7",
        };
        let tier = [node.tier, self.defaults.tier].into_iter();
        let id = WorkspaceId::random();
        let place = match parent.and_then(|parent| self.plan.get(parent)) {
            Some(parent) => parent.place.child(id),
            None => Place::root(id),
        };
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let directory = dotenv::fill(&node.workspace_dir, &variables);
        // Block texts of YAML end in a new line, and a role is one line.
        let role = node.role.split_whitespace().collect::<Vec<_>>().join(" ");
        let planned = Planned {
            place,
            parent,
            name: node.name.trim().to_owned(),
            role: given(&role),
            tier: tier.into_iter().find(|it| *it != 0).unwrap_or(DEFAULT_TIER),
            runtime: runtime.to_owned(),
            model: first([&node.model, &self.defaults.model], model).to_owned(),
            template: given(&node.template),
            workspace_dir: given(&directory),
            workspace_access: first([&node.workspace_access], "none").to_owned(),
            max_concurrent_tasks: node.max_concurrent_tasks.max(1),
            url: if runtime == "external" {
                node.url.clone()
            } else {
                String::new()
            },
            at,
            beside_parent,
            secrets: secrets(&variables).map_err(|why| named(node, &why))?,
            files_dir: node.files_dir.clone(),
            schedules,
            schedules_skipped,
            rest: node.rest.clone(),
        };
        planned.check().map_err(|why| named(node, why.message()))?;
        Ok(planned)
    }
}

impl Planned {
    /// As `POST /workspaces` checks them; the characters that mean something in YAML are fine here,
    /// where everything is written by an emitter.
    fn check(&self) -> domain::Result<()> {
        let invalid = |sentence: &'static str| Err(domain::Error::invalid(sentence));
        if self.name.is_empty() {
            return invalid("every workspace needs a name");
        }
        fields::line("name", &self.name, MAX_NAME)?;
        fields::line("role", self.role.as_deref().unwrap_or_default(), MAX_ROLE)?;
        fields::line("runtime", &self.runtime, MAX_RUNTIME)?;
        fields::line("model", &self.model, MAX_RUNTIME)?;
        if !(1..=4).contains(&self.tier) {
            return invalid("tier must be 1 to 4");
        }
        if let Some(template) = &self.template {
            fields::template(template)?;
        }
        if let Some(directory) = &self.workspace_dir {
            fields::directory(directory)?;
        }
        match (self.workspace_access.as_str(), &self.workspace_dir) {
            ("none", _) | ("read_only" | "read_write", Some(_)) => Ok(()),
            _ => invalid("invalid workspace access"),
        }
    }
}

/// What is not empty first.
fn first<'a, const N: usize>(of: [&'a str; N], or: &'a str) -> &'a str {
    of.into_iter().find(|it| !it.is_empty()).unwrap_or(or)
}

/// The size of a workspace with all below it.
fn size(node: &Node) -> Size {
    layout::size(&node.children.iter().map(size).collect::<Vec<_>>())
}

/// Variables as secrets; what is empty is none.
fn secrets(
    variables: &BTreeMap<String, String>,
) -> Result<BTreeMap<SecretName, SecretValue>, String> {
    let said = variables.iter().filter(|(_, value)| !value.is_empty());
    let said = said.map(|(key, value)| (key.clone(), SecretValue::new(value.clone())));
    fields::secrets(&said.collect()).map_err(|why| why.message().to_owned())
}

/// A sentence about one workspace.
fn named(node: &Node, why: &str) -> String {
    let name: String = node.name.chars().take(64).collect();
    format!("workspace {name:?}: {why}")
}

#[cfg(test)]
mod tests;

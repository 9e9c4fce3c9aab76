//! What people say of a new workspace, and what becomes of it (contract: lifecycle-and-sweepers 3.1).

use std::collections::BTreeMap;

use domain::{
    Error, Result, WorkspaceId, access::Place, event::Event, secret::SecretValue, workspace::Status,
};
use edge::{
    Input,
    http::{Fields, Number},
};
use schemars::JsonSchema;
use serde::Deserialize;
use store::workspaces::Meta;

use super::memories;
use crate::fields::{self, MAX_NAME, MAX_ROLE, MAX_RUNTIME};

const DEFAULT_TIER: i64 = 3;
const DEFAULT_RUNTIME: &str = "langgraph";

/// A workspace as people ask for it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "CreateWorkspaceRequest")]
#[schemars(example = serde_json::json!({"name": "Carol", "role": "Reads reports", "external": true}))]
pub(super) struct CreateRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) role: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) template: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) tier: i64,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) model: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) runtime: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) external: bool,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) url: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) workspace_dir: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) workspace_access: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) parent_id: String,
    #[serde(default)]
    pub(super) budget_limit: Option<i64>,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) secrets: BTreeMap<String, SecretValue>,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) max_concurrent_tasks: i64,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) canvas: Position,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    pub(super) initial_memories: Vec<memories::Memory>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "CanvasPosition")]
pub(super) struct Position {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    x: Number,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    y: Number,
}

impl CreateRequest {
    pub(super) fn check(&self) -> Result<()> {
        let fields = || Error::invalid("invalid workspace fields");
        if self.name.is_empty() {
            return Err(Error::invalid("invalid workspace payload"));
        }
        // The reference has one sentence for all of these; the first that fails is added to it.
        let checks = [
            fields::label("name", &self.name, MAX_NAME),
            fields::label("role", &self.role, MAX_ROLE),
            fields::line("model", &self.model, MAX_RUNTIME),
            fields::line("runtime", &self.runtime, MAX_RUNTIME),
        ];
        if let Some(Err(why)) = checks.into_iter().find(Result::is_err) {
            return Err(fields().with("detail", why.message()));
        }
        if !(0..=4).contains(&self.tier) {
            return Err(fields().with("detail", "tier must be 1 to 4"));
        }
        if self.budget_limit.is_some_and(|cents| cents < 0) {
            return Err(fields().with("detail", "budget_limit must be >= 0 (USD cents)"));
        }
        if let Err(why) = fields::secrets(&self.secrets) {
            return Err(fields().with("detail", why.message()));
        }
        if !self.template.is_empty() {
            fields::template(&self.template)?;
        }
        if !self.workspace_dir.is_empty() {
            fields::directory(&self.workspace_dir)?;
        }
        match self.workspace_access.as_str() {
            "" | "none" => Ok(()),
            "read_only" | "read_write" if !self.workspace_dir.is_empty() => Ok(()),
            _ => Err(Error::invalid("invalid workspace access")),
        }
    }

    pub(super) fn is_external(&self) -> bool {
        self.external || self.runtime == "external"
    }

    pub(super) fn meta(&self, id: WorkspaceId, parent: Option<&Place>, input: &Input) -> Meta {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let place = parent.map_or_else(|| Place::root(id), |parent| parent.child(id));
        let (runtime, url) = if self.is_external() {
            ("external", self.url.as_str())
        } else {
            let given = (!self.runtime.is_empty()).then_some(self.runtime.as_str());
            (given.unwrap_or(DEFAULT_RUNTIME), "")
        };
        Meta {
            role: given(&self.role),
            tier: if self.tier == 0 {
                DEFAULT_TIER
            } else {
                self.tier
            },
            model: given(&self.model),
            url: url.to_owned(),
            path: place.path,
            template: given(&self.template),
            workspace_dir: given(&self.workspace_dir),
            workspace_access: given(&self.workspace_access).unwrap_or_else(|| "none".to_owned()),
            budget_limit: self.budget_limit,
            max_concurrent_tasks: self.max_concurrent_tasks.max(1),
            x: self.canvas.x.into(),
            y: self.canvas.y.into(),
            ..Meta::new(id, &self.name, runtime, input.now)
        }
    }

    /// The status it starts with, and what is told, in order.
    pub(super) fn beginning(&self, meta: &Meta) -> (Status, Vec<Event>) {
        let created = Event::Provisioning {
            name: meta.name.clone(),
            tier: meta.tier,
            runtime: meta.runtime.clone(),
        };
        let name = meta.name.clone();
        match (self.is_external(), self.url.is_empty()) {
            (false, _) => (Status::Provisioning, vec![created]),
            (true, true) => (
                Status::AwaitingAgent,
                vec![created, Event::AwaitingAgent { name }],
            ),
            (true, false) => (
                Status::Online,
                vec![created, Event::ExternalOnline { name }],
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> Result<CreateRequest> {
        let request: CreateRequest =
            serde_json::from_str(body).map_err(|_| Error::invalid("invalid workspace payload"))?;
        request.check()?;
        Ok(request)
    }

    #[test]
    fn refusals() {
        for (body, expected) in [
            ("{}", "invalid workspace payload"),
            (r#"{"name":""}"#, "invalid workspace payload"),
            (r#"{"name":7}"#, "invalid workspace payload"),
            (r#"{"name":"a","tier":"big"}"#, "invalid workspace payload"),
            (
                r#"{"name":"a","initial_memories":[7]}"#,
                "invalid workspace payload",
            ),
            (
                r#"{"name":"a","initial_memories":[{"content":7}]}"#,
                "invalid workspace payload",
            ),
            (r#"{"name":"a\nb"}"#, "invalid workspace fields"),
            (r#"{"name":"a","tier":5}"#, "invalid workspace fields"),
            (
                r#"{"name":"a","budget_limit":-1}"#,
                "invalid workspace fields",
            ),
            (
                r#"{"name":"a","secrets":{"K":1}}"#,
                "invalid workspace payload",
            ),
            (
                r#"{"name":"a","secrets":{"K":""}}"#,
                "invalid workspace fields",
            ),
            (
                r#"{"name":"a","secrets":{"a-b":"v"}}"#,
                "invalid workspace fields",
            ),
            (r#"{"name":"a","template":"../../etc"}"#, "invalid template"),
            (
                r#"{"name":"a","template":"../x","runtime":"r","model":"m"}"#,
                "invalid template",
            ),
            (
                r#"{"name":"a","workspace_dir":"/etc"}"#,
                "invalid workspace directory",
            ),
            (
                r#"{"name":"a","workspace_access":"read_only"}"#,
                "invalid workspace access",
            ),
            (
                r#"{"name":"a","workspace_access":"all"}"#,
                "invalid workspace access",
            ),
        ] {
            assert_eq!(check(body).expect_err(body).message(), expected, "{body}");
        }
    }

    #[test]
    fn nulls_are_as_absent() {
        let body = r#"{"name":"a","role":null,"tier":null,"parent_id":null,"secrets":null,
            "budget_limit":null,"canvas":null,"initial_memories":null,"external":null}"#;
        assert!(check(body).is_ok());
    }

    #[test]
    fn a_request_does_not_show_its_secrets() {
        let request = check(r#"{"name":"a","secrets":{"KEY":"hunter2"}}"#).expect("fine");
        let shown = format!("{request:?}");
        assert!(
            shown.contains("KEY") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}

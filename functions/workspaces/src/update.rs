//! `PATCH /workspaces/{id}`: change a workspace (contract: lifecycle-and-sweepers 3.5).

use std::time::Duration;

use domain::{Error, Kind, Result, WorkspaceId, access::Place, lifecycle::Host};
use edge::{
    App, Caller, Identity, Input, Reply,
    http::{Fields, Number},
    openapi::{Api, Who},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::workspaces::{Meta, Moved, Parts, Patch, Patched};

use crate::fields::{self, MAX_NAME, MAX_ROLE, MAX_RUNTIME};

const MAX_BYTES: usize = 256 * 1024;
/// The longest idle time before sleep, in minutes: a week (decision 14).
const MAX_IDLE_MINUTES: i64 = 10_080;
/// How often a tree that changed meanwhile is read again, and after what pause.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_millis(100);
/// How many ancestors a move may have to check: a transaction takes 100 writes.
const MAX_DEPTH: usize = 90;

/// What to change. A key that is absent changes nothing; unknown keys are ignored.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "UpdateWorkspaceRequest")]
#[serde(default)]
#[schemars(example = serde_json::json!({"name": "Caroline", "x": 120, "y": 80}))]
pub struct UpdateRequest {
    #[serde(deserialize_with = "Fields::present")]
    name: Option<Option<String>>,
    #[serde(deserialize_with = "Fields::present")]
    role: Option<Option<String>>,
    #[serde(deserialize_with = "Fields::present")]
    tier: Option<Option<i64>>,
    #[serde(deserialize_with = "Fields::present")]
    parent_id: Option<Option<String>>,
    #[serde(deserialize_with = "Fields::present")]
    runtime: Option<Option<String>>,
    #[serde(deserialize_with = "Fields::present")]
    workspace_dir: Option<Option<String>>,
    #[serde(deserialize_with = "Fields::present")]
    hibernation_idle_minutes: Option<Option<i64>>,
    collapsed: Option<bool>,
    x: Option<Number>,
    y: Option<Number>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UpdateWorkspaceReply")]
pub struct UpdateReply {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    needs_restart: Option<bool>,
}

impl UpdateRequest {
    /// What only operators may change: with these an agent would widen its own reach.
    fn is_operators(&self) -> bool {
        self.tier.is_some()
            || self.parent_id.is_some()
            || self.runtime.is_some()
            || self.workspace_dir.is_some()
            || self.hibernation_idle_minutes.is_some()
    }

    /// Everything is checked before anything is written.
    fn patch(&self) -> Result<Patch> {
        let name = self.name.clone().flatten();
        if let Some(name) = &name {
            fields::label("name", name, MAX_NAME)?;
            if name.is_empty() {
                return Err(Error::invalid("name must not be empty"));
            }
        }
        let role = self.role.clone();
        if let Some(Some(role)) = &role {
            fields::label("role", role, MAX_ROLE)?;
        }
        let runtime = self.runtime.clone().flatten();
        if let Some(runtime) = &runtime {
            fields::line("runtime", runtime, MAX_RUNTIME)?;
        }
        let tier = self.tier.flatten();
        if tier.is_some_and(|tier| !(1..=4).contains(&tier)) {
            return Err(Error::invalid("tier must be 1 to 4"));
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let workspace_dir = self.workspace_dir.clone().map(given);
        if let Some(Some(dir)) = &workspace_dir {
            fields::directory(dir)?;
        }
        let minutes = self.hibernation_idle_minutes.map(Option::unwrap_or_default);
        if minutes.is_some_and(|minutes| !(0..=MAX_IDLE_MINUTES).contains(&minutes)) {
            return Err(Error::invalid(
                "hibernation_idle_minutes must be 0 to 10080",
            ));
        }
        Ok(Patch {
            name,
            role: role.map(given),
            tier,
            runtime,
            workspace_dir,
            position: self.x.map(f64::from).zip(self.y.map(f64::from)),
            collapsed: self.collapsed,
            hibernation_idle_minutes: minutes,
        })
    }

    /// The new parent, `None` for "becomes a root", if the parent is to change at all.
    fn parent(&self) -> Result<Option<Option<WorkspaceId>>> {
        let given = self.parent_id.clone();
        given
            .map(|id| {
                id.filter(|id| !id.is_empty())
                    .map(|id| id.parse())
                    .transpose()
            })
            .transpose()
    }
}

/// Checks all, then writes: place in the tree first, the rest in one update.
///
/// # Errors
/// 400, 401, 403 when an agent wants to change what is its operator's, 404, 409 when it has a machine
/// of ours and is to become external.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let identity = app.own(&caller, id).await?;
    let request: UpdateRequest = input.json(MAX_BYTES, "invalid request body")?;
    let itself = matches!(identity, Identity::Workspace(_)) && !app.settings.mode.doors_open();
    if itself && request.is_operators() {
        return Err(Error::forbidden(
            "tier, parent_id, runtime, workspace_dir and hibernation_idle_minutes are changed by an operator",
        ));
    }
    let (patch, parent) = (request.patch()?, request.parent()?);
    let missing = || Error::missing("workspace not found");
    let parts = match patch.runtime {
        Some(_) => Parts::WithMachine,
        None => Parts::Core,
    };
    let found = app.store.workspace(id, parts).await?;
    let mut workspace = found
        .filter(|found| found.beat.is_some())
        .ok_or_else(missing)?;
    if patch.runtime.as_deref() == Some("external") && workspace.host() == Host::Machine {
        return Err(on_machine());
    }

    if let Some(parent) = parent {
        let mut tries = 0;
        while move_below(app, &workspace.meta, parent, input.now).await? == Moved::Raced {
            tries += 1;
            if tries == TRIES {
                return Err(Error::unavailable("the tree kept changing"));
            }
            tokio::time::sleep(PAUSE).await;
            let again = app.store.workspace(id, Parts::Core).await?;
            workspace = again
                .filter(|found| found.beat.is_some())
                .ok_or_else(missing)?;
        }
    }
    match app.store.patch_workspace(id, &patch).await? {
        Patched::Yes => {}
        Patched::Unknown => return Err(missing()),
        Patched::OnMachine => return Err(on_machine()),
    }
    Ok(Reply::ok(&UpdateReply {
        status: "updated",
        needs_restart: patch.workspace_dir.is_some().then_some(true),
    }))
}

fn on_machine() -> Error {
    Error::conflict(
        "it has a machine of the platform, which nobody would stop: make an external workspace beside it",
    )
}

async fn move_below(
    app: &App,
    moving: &Meta,
    parent: Option<WorkspaceId>,
    now: Timestamp,
) -> Result<Moved> {
    if moving.parent() == parent {
        // The same request again: a move that was interrupted goes on at once, not with its job.
        app.store.settle_paths(moving.id).await?;
        return Ok(Moved::Yes);
    }
    let Some(parent) = parent else {
        return app.store.move_workspace(moving, None, &[], now).await;
    };
    let found = app.store.workspace(parent, Parts::Core).await?;
    let to = found
        .filter(|found| found.beat.is_some())
        .map(|found| found.meta.place())
        .ok_or_else(no_parent)?;
    let Some(above) = ancestors(app, &to).await? else {
        return Ok(Moved::Raced);
    };
    if to.id == moving.id || above.iter().any(|place| place.id == moving.id) {
        return Err(Error::invalid("a workspace cannot be moved below itself"));
    }
    app.store
        .move_workspace(moving, Some(&to), &above, now)
        .await
}

fn no_parent() -> Error {
    Error::invalid("parent workspace not found")
}

/// All ancestors of a place, from parent to parent: the path kept with it ends after some steps,
/// and is behind for a moment when something above it moves. None while the tree changes.
async fn ancestors(app: &App, place: &Place) -> Result<Option<Vec<Place>>> {
    let mut above: Vec<Place> = Vec::new();
    let mut top = place.clone();
    while !top.path.is_empty() {
        let found = app.store.load_workspaces(&top.path, Parts::Core).await?;
        if found.len() < top.path.len() {
            // What is above is being removed, and this goes with it.
            return Err(no_parent());
        }
        let found: Vec<Place> = found.iter().map(|found| found.meta.place()).collect();
        let linked = |pair: &[Place]| pair[1].parent() == Some(pair[0].id);
        if !found.windows(2).all(linked) {
            return Ok(None);
        }
        top = found[0].clone();
        above.extend(found);
        if above.len() > MAX_DEPTH {
            return Err(Error::invalid("a workspace cannot be moved that deep"));
        }
    }
    Ok(Some(above))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "update_workspace",
        "PATCH /workspaces/{id}",
        Who::Own,
        "Changes a workspace",
    )
    .about(
        "403 for a workspace that would change its own `tier`, `parent_id`, `runtime`, \
             `workspace_dir` or `hibernation_idle_minutes`, but in open development. 409 for one with a \
             machine of ours that is to become external.",
    )
    .body::<UpdateRequest>(MAX_BYTES)
    .ok::<UpdateReply>("It is changed.")
    .fails(&[Kind::Missing, Kind::Conflict]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> UpdateRequest {
        serde_json::from_str(body).expect(body)
    }

    #[test]
    fn absent_null_and_empty_differ() {
        let patch = |body| read(body).patch().expect(body);
        assert!(patch("{}").is_empty());
        assert!(patch(r#"{"budget_limit":5,"unknown":true,"x":1}"#).is_empty());
        assert_eq!(patch(r#"{"role":null}"#).role, Some(None));
        assert_eq!(patch(r#"{"role":""}"#).role, Some(None));
        assert_eq!(patch(r#"{"workspace_dir":null}"#).workspace_dir, Some(None));
        assert_eq!(patch(r#"{"x":1,"y":2.5}"#).position, Some((1.0, 2.5)));
        assert_eq!(read("{}").parent().expect("fine"), None);
        assert_eq!(
            read(r#"{"parent_id":null}"#).parent().expect("fine"),
            Some(None)
        );
        assert!(read(r#"{"parent_id":"x"}"#).parent().is_err());
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, expected) in [
            (
                r#"{"name":"a\nb"}"#,
                "name must not contain newline characters",
            ),
            (r#"{"name":"a{"}"#, "name contains invalid characters"),
            (r#"{"name":""}"#, "name must not be empty"),
            (r#"{"tier":9}"#, "tier must be 1 to 4"),
            (
                r#"{"workspace_dir":"/etc/x"}"#,
                "invalid workspace directory",
            ),
            (
                r#"{"hibernation_idle_minutes":10081}"#,
                "hibernation_idle_minutes must be 0 to 10080",
            ),
        ] {
            assert_eq!(read(body).patch().expect_err(body).message(), expected);
        }
    }
}

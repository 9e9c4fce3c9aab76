//! `POST /workspaces`: a new workspace (contract: lifecycle-and-sweepers 3.1).

mod from_template;
mod memories;

use std::collections::BTreeMap;

use domain::{
    Error, Result, WorkspaceId, access::Place, address::Reach, event::Event, secret::SecretValue,
    workspace::Status,
};
use edge::{
    App, Caller, Input, Reply, addresses,
    http::{Fields, Number},
};
use serde::{Deserialize, Serialize};
use store::{
    lifecycle::Machine,
    tokens,
    workspaces::{Created, DeliveryMode, Meta, NewWorkspace, Parts},
};

use crate::{
    Vaulted,
    connection::Connection,
    fields::{self, MAX_NAME, MAX_ROLE, MAX_RUNTIME},
    once,
};

const MAX_BYTES: usize = 1024 * 1024;
const DEFAULT_TIER: i64 = 3;
const DEFAULT_RUNTIME: &str = "langgraph";
/// How often a parent that moved meanwhile is read again.
const TRIES: usize = 4;

/// A workspace as people ask for it.
#[derive(Debug, Default, Deserialize)]
pub struct CreateRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    name: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    role: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    template: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    tier: i64,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    model: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    runtime: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    external: bool,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    url: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    workspace_dir: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    workspace_access: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    parent_id: String,
    #[serde(default)]
    budget_limit: Option<i64>,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    secrets: BTreeMap<String, SecretValue>,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    max_concurrent_tasks: i64,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    canvas: Position,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    initial_memories: Vec<memories::Memory>,
}

#[derive(Debug, Default, Deserialize)]
struct Position {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    x: Number,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    y: Number,
}

/// The answer for a workspace that is to get a machine.
#[derive(Debug, Serialize)]
struct Provisioning {
    id: WorkspaceId,
    status: Status,
    awareness_namespace: String,
    workspace_access: String,
}

/// The answer for a workspace on a host of the user's.
#[derive(Debug, Serialize)]
struct External {
    id: WorkspaceId,
    external: bool,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<Connection>,
}

impl CreateRequest {
    fn check(&self) -> Result<()> {
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

    fn is_external(&self) -> bool {
        self.external || self.runtime == "external"
    }

    fn meta(&self, id: WorkspaceId, parent: Option<&Place>, input: &Input) -> Meta {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let place = parent.map_or_else(|| Place::root(id), |parent| parent.child(id));
        Meta {
            id,
            name: self.name.clone(),
            role: given(&self.role),
            tier: if self.tier == 0 {
                DEFAULT_TIER
            } else {
                self.tier
            },
            runtime: if self.is_external() {
                "external".to_owned()
            } else {
                given(&self.runtime).unwrap_or_else(|| DEFAULT_RUNTIME.to_owned())
            },
            model: given(&self.model),
            url: if self.is_external() {
                self.url.clone()
            } else {
                String::new()
            },
            delivery_mode: DeliveryMode::Push,
            path: place.path,
            template: given(&self.template),
            workspace_dir: given(&self.workspace_dir),
            workspace_access: given(&self.workspace_access).unwrap_or_else(|| "none".to_owned()),
            budget_limit: self.budget_limit,
            hibernation_idle_minutes: None,
            max_concurrent_tasks: self.max_concurrent_tasks.max(1),
            x: self.canvas.x.into(),
            y: self.canvas.y.into(),
            collapsed: false,
            current_task: String::new(),
            last_sample_error: String::new(),
            created_at: input.now,
            removed_at: None,
        }
    }

    /// The status it starts with, and what is told, in order.
    fn beginning(&self, meta: &Meta) -> (Status, Vec<Event>) {
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

/// Creates a workspace, all of it or nothing.
///
/// With an `Idempotency-Key`, the same request within a day makes no second one: see
/// [`once`](crate::once).
///
/// # Errors
/// 400, 401, 409 when the key was used for another request or there are as many workspaces as there
/// may be, 413; 500
/// `failed to encrypt secret: <key>`.
pub async fn handle(context: &'static Vaulted, caller: Caller, input: Input) -> Result<Reply> {
    let app = context.app;
    let identity = app.admin(&caller).await?;
    let once = once::key(&identity, &caller, &input)?;
    if let Some(once) = &once
        && let Some(repeat) = once.repeat(app, &input).await?
    {
        return Ok(repeat);
    }
    let mut request: CreateRequest = input.json(MAX_BYTES, "invalid workspace payload")?;
    request.check()?;
    request.look_up(app).await?;
    let parent_id = (!request.parent_id.is_empty())
        .then(|| request.parent_id.parse::<WorkspaceId>())
        .transpose()
        .map_err(|_| Error::invalid("invalid workspace payload"))?;
    if request.is_external() && !request.url.is_empty() {
        check_url(app, &request.url).await?;
    }

    let id = WorkspaceId::random();
    // An external agent without a URL must prove itself when it registers: with this.
    let token = (request.is_external() && request.url.is_empty())
        .then(tokens::fresh)
        .transpose()?;
    let secrets = fields::secrets(&request.secrets)?;
    let sealed = context.vault.seal(id, &secrets, input.now).await?;
    memories::keep(app, id, &request.initial_memories).await?;
    for _ in 0..TRIES {
        let parent = parent(app, parent_id).await?;
        let meta = request.meta(id, parent.as_ref(), &input);
        let (status, events) = request.beginning(&meta);
        let fleet = &app.settings.fleet;
        let machine = (!meta.is_external()).then(|| {
            let deadline = input.now + fleet.boot_within(&meta.runtime);
            (Machine::new(fleet.runs(&meta.runtime)), deadline)
        });
        let made = once.as_ref().map(|once| once.row(&meta, status));
        let new = NewWorkspace {
            meta,
            status,
            parent: parent.as_ref(),
            events,
            token: token.as_ref(),
            machine,
            secrets: sealed.as_ref(),
            once: once.as_ref().map(once::Key::as_str).zip(made.as_ref()),
        };
        let most = app.settings.max_workspaces;
        match app.store.create_workspace_within(most, &new).await? {
            Created::Yes => {
                let platform = input.base_url(&app.settings.public_url);
                let connection = token
                    .as_ref()
                    .map(|token| Connection::new(id, platform, token.reveal().to_owned()));
                let id = (id, new.meta.is_external());
                return Ok(answer(id, status, &new.meta.workspace_access, connection));
            }
            Created::Repeat => {
                if let Some(once) = &once
                    && let Some(repeat) = once.repeat(app, &input).await?
                {
                    return Ok(repeat);
                }
            }
            Created::Full(there) => return Err(app.settings.quota_reached(there)),
            Created::ParentChanged | Created::Exists => {}
        }
    }
    Err(Error::unavailable("the parent kept moving"))
}

/// The answer for a new workspace, external or not.
pub(crate) fn answer(
    (id, external): (WorkspaceId, bool),
    status: Status,
    access: &str,
    connection: Option<Connection>,
) -> Reply {
    if external {
        return Reply::created(&External {
            id,
            external,
            status,
            connection,
        });
    }
    Reply::created(&Provisioning {
        id,
        status,
        awareness_namespace: format!("workspace:{id}"),
        workspace_access: access.to_owned(),
    })
}

async fn parent(app: &App, id: Option<WorkspaceId>) -> Result<Option<Place>> {
    let Some(id) = id else {
        return Ok(None);
    };
    let found = app.store.workspace(id, Parts::Core).await?;
    let live = found.filter(|workspace| workspace.beat.is_some());
    let place = live.map(|workspace| workspace.meta.place());
    place
        .map(Some)
        .ok_or_else(|| Error::invalid("parent workspace not found"))
}

async fn check_url(app: &App, url: &str) -> Result<()> {
    let reach = Reach::from(app.settings.mode);
    addresses::reachable(url, &reach).await.map_err(|reason| {
        tracing::info!(%reason, "an external workspace's address was refused");
        Error::invalid("invalid workspace fields").with("detail", "url may not be called from here")
    })?;
    Ok(())
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

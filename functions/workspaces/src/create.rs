//! `POST /workspaces`: a new workspace (contract: lifecycle-and-sweepers 3.1).

mod from_template;
mod memories;
mod request;

use domain::{Error, Kind, Result, WorkspaceId, access::Place, address::Reach, workspace::Status};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use request::CreateRequest;
use schemars::JsonSchema;
use serde::Serialize;
use store::{
    lifecycle::Machine,
    tokens,
    workspaces::{Created, NewWorkspace, Parts},
};

use crate::{Vaulted, connection::Connection, fields, once};

const MAX_BYTES: usize = 1024 * 1024;
/// How often a parent that moved meanwhile is read again.
const TRIES: usize = 4;

/// The answer for a workspace that is to get a machine.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedWorkspace")]
struct Provisioning {
    id: WorkspaceId,
    status: Status,
    awareness_namespace: String,
    workspace_access: String,
}

/// The answer for a workspace on a host of the user's.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedExternalWorkspace")]
struct External {
    id: WorkspaceId,
    external: bool,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<Connection>,
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

    // Before anything is made for it: a refusal is to leave nothing behind.
    let mut parent = find(app, parent_id).await?;
    let id = WorkspaceId::random();
    // An external agent without a URL must prove itself when it registers: with this.
    let token = (request.is_external() && request.url.is_empty())
        .then(tokens::fresh)
        .transpose()?;
    let secrets = fields::secrets(&request.secrets)?;
    let sealed = context.vault.seal(id, &secrets, input.now).await?;
    memories::keep(app, id, &request.initial_memories).await?;
    for _ in 0..TRIES {
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
            Created::ParentChanged | Created::Exists => parent = find(app, parent_id).await?,
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

/// The parent as it is now.
async fn find(app: &App, id: Option<WorkspaceId>) -> Result<Option<Place>> {
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
    app.names.reachable(url, &reach).await.map_err(|reason| {
        tracing::info!(%reason, "an external workspace's address was refused");
        Error::invalid("invalid workspace fields").with("detail", "url may not be called from here")
    })?;
    Ok(())
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route("create_workspace", "POST /workspaces", Who::Operator, "Creates a workspace")
        .about(
            "With an `Idempotency-Key`, the same request within a day gets the same answer and makes no \
             second workspace. 409 when the key was used for another request, or there are as many \
             workspaces as there may be.",
        )
        .header::<String>("Idempotency-Key", "At most 255 bytes.")
        .body::<CreateRequest>(MAX_BYTES)
        .created::<Provisioning>("It gets a machine, or is run by whoever created it.")
        .created::<External>("It runs on a host of the user's, or gets a machine.")
        .fails(&[Kind::Conflict]);
}

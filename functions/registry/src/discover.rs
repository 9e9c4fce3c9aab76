//! `GET /registry/discover/{id}`: where a peer answers (contract: registry-and-auth 8.4).

use domain::{
    Error, Kind, Result, WorkspaceId,
    access::may_talk,
    address::{AgentUrl, Reach},
};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::workspaces::{Parts, Workspace};

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiscoverReply {
    id: WorkspaceId,
    url: String,
    name: String,
}

/// Finds a peer: one batch get proves the caller and decides access.
///
/// # Errors
/// 400 without `X-Workspace-ID`, 401, 403 (also for a target that is not there), 404, 503 when the
/// peer does not answer now.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let from = caller
        .workspace
        .as_deref()
        .ok_or_else(|| Error::invalid("X-Workspace-ID header is required"))?;
    let (from, target): (WorkspaceId, WorkspaceId) = (from.parse()?, input.param("id")?);

    let keys = Parts::Core.keys(from).into_iter();
    let keys = keys.chain(Parts::WithMachine.keys(target));
    let (rows, credential) = app.rows(&caller, keys).await?;
    let (asking, found) = (rows.workspace(from)?, rows.workspace(target)?);
    auth::discoverer(app.settings.mode, &caller, from, credential.as_ref())?;

    let allowed = from == target
        || matches!((&asking, &found), (Some(a), Some(b)) if may_talk(&a.meta.place(), &b.meta.place()));
    if !allowed {
        return Err(Error::forbidden(
            "not authorized to discover this workspace",
        ));
    }
    let found = found.ok_or_else(|| Error::missing("workspace not found"))?;
    // Who is on a machine of ours may answer inside the VPC, there and nowhere else.
    let reach = Reach::from(app.settings.mode).with_recorded(found.recorded());
    let url = answering_url(&found, &reach)?;
    Ok(Reply::ok(&DiscoverReply {
        id: target,
        url,
        name: found.meta.name,
    }))
}

/// The URL of a workspace that answers now. Names were looked up when it was stored and are looked
/// up again by whoever connects; here the text is held against the rule.
fn answering_url(workspace: &Workspace, reach: &Reach) -> Result<String> {
    let status = workspace.status();
    let url = &workspace.meta.url;
    if !status.answers() || url.is_empty() {
        return Err(
            Error::new(Kind::Busy, "workspace not available").with("status", status.as_str())
        );
    }
    AgentUrl::parse(url, reach)
        .map_err(|_| Error::new(Kind::Busy, "workspace URL failed safety check"))?;
    Ok(url.clone())
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Where a peer answers";
    api.route(
        "discover",
        "GET /registry/discover/{id}",
        Who::Itself,
        summary,
    )
    .about("403 also for a peer that is not there; 503 with its `status` when it does not answer.")
    .asker(true)
    .ok::<DiscoverReply>("Its address.")
    .fails(&[Kind::Missing]);
}

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
use store::workspaces::{DeliveryMode, Parts, Workspace};

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiscoverReply {
    id: WorkspaceId,
    /// Where its messages go: the platform's own route for one that fetches them.
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
    let platform = input.base_url(&app.settings.public_url);
    let url = answering_url(&found, &reach, &platform)?;
    Ok(Reply::ok(&DiscoverReply {
        id: target,
        url,
        name: found.meta.name,
    }))
}

/// The URL of a workspace that answers now. Names were looked up when it was stored and are looked
/// up again by whoever connects; here the text is held against the rule. Who fetches its messages
/// has no address to connect to: they are left at the platform.
fn answering_url(workspace: &Workspace, reach: &Reach, platform: &str) -> Result<String> {
    let status = workspace.status();
    let meta = &workspace.meta;
    let fetches = meta.delivery_mode == DeliveryMode::Poll;
    if !status.answers() || (meta.url.is_empty() && !fetches) {
        return Err(
            Error::new(Kind::Busy, "workspace not available").with("status", status.as_str())
        );
    }
    if fetches {
        return Ok(format!("{platform}/workspaces/{}/a2a", meta.id));
    }
    AgentUrl::parse(&meta.url, reach)
        .map_err(|_| Error::new(Kind::Busy, "workspace URL failed safety check"))?;
    Ok(meta.url.clone())
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
    .about(
        "403 also for a peer that is not there; 503 with its `status` when it does not answer. One \
         that fetches its messages (`delivery_mode: poll`) is found at `/workspaces/{id}/a2a`, which \
         wants the sender's token.",
    )
    .asker(true)
    .ok::<DiscoverReply>("Its address.")
    .fails(&[Kind::Missing]);
}

#[cfg(test)]
mod tests {
    use domain::workspace::Status;
    use store::{beats::Beat, workspaces::Meta};

    use super::*;

    const ID: &str = "0a1b2c3d-0000-4000-8000-00000000000f";
    const THERE: &str = "https://agent.example.com/";
    const PROXY: &str =
        "https://api.example.com/workspaces/0a1b2c3d-0000-4000-8000-00000000000f/a2a";

    fn workspace(delivery_mode: DeliveryMode, url: &str, status: Status) -> Workspace {
        let created_at = "2026-01-02T03:04:05Z".parse().expect("a time");
        let id = ID.parse().expect("an id");
        Workspace {
            meta: Meta {
                delivery_mode,
                url: url.to_owned(),
                ..Meta::new(id, "Ada", "external", created_at)
            },
            beat: (status != Status::Removed).then(|| Beat::new(status, None, 1)),
            card: None,
            load: None,
            machine: None,
        }
    }

    #[test]
    fn who_fetches_messages_is_found_at_the_platform() {
        use DeliveryMode::{Poll, Push};
        for (mode, url, status, expected) in [
            (Push, THERE, Status::Online, Some(THERE)),
            (Push, THERE, Status::Degraded, Some(THERE)),
            (Push, THERE, Status::Offline, None),
            (Push, "", Status::Online, None),
            (Poll, "", Status::Online, Some(PROXY)),
            (Poll, "", Status::Degraded, Some(PROXY)),
            // What it may have said beside is not where its messages go.
            (Poll, THERE, Status::Online, Some(PROXY)),
            (Poll, "http://127.0.0.1/", Status::Online, Some(PROXY)),
            (Poll, "", Status::Offline, None),
            (Poll, "", Status::Paused, None),
            (Poll, "", Status::Removed, None),
        ] {
            let of = workspace(mode, url, status);
            let found = answering_url(&of, &Reach::PUBLIC, "https://api.example.com");
            let case = format!("{mode:?} {url:?} {status:?}");
            match found {
                Ok(found) => assert_eq!(Some(found.as_str()), expected, "{case}"),
                Err(_) => assert_eq!(expected, None, "{case}"),
            }
        }
    }
}

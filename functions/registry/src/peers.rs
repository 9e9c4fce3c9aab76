//! `GET /registry/{id}/peers`: siblings, children and parent (contract: registry-and-auth 8.5).

use domain::{Error, Kind, Result, WorkspaceId, card, workspace::Status};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::workspaces::{Parts, Workspace};

/// A peer as listed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Peer {
    id: WorkspaceId,
    name: String,
    role: Option<String>,
    tier: i64,
    status: Status,
    agent_card: Option<Value>,
    url: String,
    parent_id: Option<WorkspaceId>,
    active_tasks: i64,
}

impl From<Workspace> for Peer {
    fn from(workspace: Workspace) -> Self {
        let status = workspace.status();
        Self {
            id: workspace.meta.id,
            parent_id: workspace.meta.parent(),
            name: workspace.meta.name,
            role: workspace.meta.role.filter(|role| !role.is_empty()),
            tier: workspace.meta.tier,
            status,
            agent_card: workspace.card.filter(|card| !card.is_null()),
            url: workspace.meta.url,
            active_tasks: workspace.beat.map_or(0, |beat| beat.active_tasks),
        }
    }
}

/// Lists peers, siblings first, the parent last; `?q=` looks into names and roles.
///
/// # Errors
/// 400, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let (rows, credential) = app.rows(&caller, Parts::Core.keys(id)).await?;
    let own = rows.workspace(id)?;
    auth::discoverer(app.settings.mode, &caller, id, credential.as_ref())?;
    let own = own.ok_or_else(|| Error::missing("workspace not found"))?;

    let parent = own.meta.parent();
    let mut ids = app.store.child_ids(parent).await?;
    ids.retain(|sibling| *sibling != id);
    ids.extend(app.store.child_ids(Some(id)).await?);
    ids.extend(parent);
    let peers: Vec<Peer> = app
        .store
        .load_workspaces(&ids, Parts::WithCard)
        .await?
        .into_iter()
        .map(Peer::from)
        .filter(|peer| matches(peer, input.query("q").unwrap_or_default().trim()))
        .collect();
    let (reply, _) = Reply::list(peers, |peer: &mut Peer| {
        peer.agent_card = peer.agent_card.as_ref().map(card::shortened);
    });
    Ok(reply)
}

fn matches(peer: &Peer, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    wanted.is_empty() || has(&peer.name) || has(peer.role.as_deref().unwrap_or_default())
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Siblings, children and parent of a workspace";
    api.route(
        "list_peers",
        "GET /registry/{id}/peers",
        Who::Itself,
        summary,
    )
    .query::<String>("q", "Only those with this in their name or role.")
    .ok::<Vec<Peer>>(
        "Siblings first, the parent last. Of cards that are too much together the last are \
         `{\"name\", \"truncated\": true}`.",
    )
    .fails(&[Kind::Missing]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_ignores_case_and_missing_roles() {
        let mut peer = Peer {
            id: "0a1b2c3d-0000-4000-8000-00000000000f"
                .parse()
                .expect("valid"),
            name: "Grüße Writer".to_owned(),
            role: None,
            tier: 1,
            status: Status::Online,
            agent_card: None,
            url: String::new(),
            parent_id: None,
            active_tasks: 0,
        };
        for (wanted, expected) in [
            ("", true),
            ("writer", true),
            ("GRÜSSE", false),
            ("GRÜ", true),
            ("x", false),
        ] {
            assert_eq!(matches(&peer, wanted), expected, "{wanted}");
        }
        peer.role = Some("Editor in chief".to_owned());
        assert!(matches(&peer, "EDITOR"));
    }
}

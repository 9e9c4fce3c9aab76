//! `POST /registry/update-card`: an agent shows another card (contract: registry-and-auth 8.3).

use domain::{Error, Kind, Result, WorkspaceId};
use edge::{
    App, Bearer, Caller, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{tokens::Credential, workspaces::Parts};

/// The most an update may be, and its card within it, in bytes.
const MAX_BYTES: usize = 256 * 1024;
const MAX_CARD_BYTES: usize = 64 * 1024;

/// An update as agents send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({
    "workspace_id": "3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69",
    "agent_card": {"name": "Carol", "description": "Reads reports"},
}))]
pub struct UpdateCardRequest {
    workspace_id: String,
    /// At most 64 KB of JSON; an A2A card, as a rule.
    #[serde(default, deserialize_with = "Fields::any")]
    #[schemars(required)]
    agent_card: Option<Value>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpdateCardReply {
    status: &'static str,
}

/// Replaces the card; touches neither address nor status.
///
/// # Errors
/// 400, 401, 404.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let refused = || Error::invalid("invalid request body");
    let request: UpdateCardRequest = input.json(MAX_BYTES, "invalid request body")?;
    let card = request.agent_card.ok_or_else(refused)?;
    if request.workspace_id.is_empty() {
        return Err(refused());
    }
    if card.to_string().len() > MAX_CARD_BYTES {
        return Err(Error::too_large(MAX_CARD_BYTES));
    }
    let id: WorkspaceId = request.workspace_id.parse()?;
    prove(app, &caller, id).await?;
    if !app.store.update_card(id, &card, input.now).await? {
        return Err(Error::missing("workspace not found"));
    }
    Ok(Reply::ok(&UpdateCardReply { status: "updated" }))
}

/// Class `R`: the workspace's own token; in open development also nobody, for one without tokens.
async fn prove(app: &App, caller: &Caller, id: WorkspaceId) -> Result<()> {
    let invalid = || Error::unauthenticated("invalid workspace auth token");
    match &caller.bearer {
        Bearer::Admin => Err(invalid()),
        Bearer::None if !app.settings.mode.doors_open() => {
            Err(Error::unauthenticated("missing workspace auth token"))
        }
        Bearer::None | Bearer::Token(_) => {
            let (rows, credential) = app.rows(caller, Parts::Core.keys(id)).await?;
            let beat = rows.workspace(id)?.and_then(|workspace| workspace.beat);
            let open = app.settings.mode.doors_open();
            if open && beat.is_none_or(|beat| !beat.has_tokens) {
                return Ok(());
            }
            match credential {
                Some(Credential::Workspace { workspace_id, .. }) if workspace_id == id => Ok(()),
                Some(_) => Err(invalid()),
                None if caller.bearer == Bearer::None => {
                    Err(Error::unauthenticated("missing workspace auth token"))
                }
                None => Err(invalid()),
            }
        }
    }
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Shows another card";
    api.route(
        "update_card",
        "POST /registry/update-card",
        Who::Itself,
        summary,
    )
    .body::<UpdateCardRequest>(MAX_BYTES)
    .ok::<UpdateCardReply>("It was replaced.")
    .fails(&[Kind::Missing]);
}

//! `GET|POST /workspaces/{id}/tokens`, `DELETE /workspaces/{id}/tokens/{token_id}` (contract:
//! registry-and-auth 11.1).

use domain::{
    Error, Kind, Result, TokenId, WorkspaceId,
    time::wire,
    token::{MAX_LIVE_TOKENS, Token},
};
use edge::{
    App, Caller, Input, Reply, auth,
    http::Done,
    openapi::{Api, Who},
};
use lambda_http::http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use store::{
    tokens::{self, Minted},
    workspaces::Parts,
};

use crate::org_tokens;

const PAGE: usize = 50;
const MAX_PAGE: usize = 200;
const REFUSAL: &str = "an operator mints tokens: a workspace cannot mint its own";

/// A token as listed: never its text, never its hash.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
struct Row {
    id: TokenId,
    prefix: String,
    created_at: String,
    last_used_at: Option<String>,
}

/// Some of them.
#[derive(Debug, Serialize, JsonSchema)]
struct Tokens {
    count: usize,
    tokens: Vec<Row>,
}

/// A minted token: the only time its text is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MintTokenReply")]
struct MintedReply {
    auth_token: String,
    workspace_id: WorkspaceId,
    message: &'static str,
}

/// The family of one resource: listing, minting, revoking.
///
/// # Errors
/// 400, 401, 403 for a workspace that mints, 404, 429 at the limit.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    // They need the same permissions, and a stack has room for 500 resources.
    if input.path.starts_with("/org/") {
        return org_tokens::handle(app, &caller, &input).await;
    }
    let id: WorkspaceId = input.param("id")?;
    match input.method {
        Method::POST => {
            // Each outlives the revocation of the one that it was minted with.
            app.operator_of(&caller, id, REFUSAL).await?;
            mint(app, id, &input).await
        }
        Method::DELETE => {
            app.own(&caller, id).await?;
            revoke(app, id, &input).await
        }
        _ => list(app, &caller, id, &input).await,
    }
}

async fn list(app: &App, caller: &Caller, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let (rows, credential) = app.rows(caller, Parts::Core.keys(id)).await?;
    auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    let beat = rows.workspace(id)?.and_then(|workspace| workspace.beat);
    let whole = |name| input.number(name).and_then(|n| usize::try_from(n).ok());
    // Out of range is the default, not the nearest allowed: clients rely on it.
    let limit = whole("limit")
        .filter(|n| (1..=MAX_PAGE).contains(n))
        .unwrap_or(PAGE);
    let offset = whole("offset").unwrap_or(0);
    let found = app.store.tokens(id).await?;
    let rows: Vec<Row> = found
        .into_iter()
        .filter(|row| row.is_live(&rows, id))
        .skip(offset)
        .take(limit)
        .map(|row| Row {
            last_used_at: row.used_at(beat.as_ref()).map(wire),
            id: row.id,
            prefix: row.prefix,
            created_at: wire(row.created_at),
        })
        .collect();
    Ok(Reply::ok(&Tokens {
        count: rows.len(),
        tokens: rows,
    }))
}

async fn mint(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let token = live_token(app, id, input).await?;
    Ok(Reply::created(&MintedReply {
        auth_token: token.reveal().to_owned(),
        workspace_id: id,
        message: "Save this token now — it cannot be retrieved again.",
    }))
}

/// Mints a token, if there is room.
pub(crate) async fn live_token(app: &App, id: WorkspaceId, input: &Input) -> Result<Token> {
    let token = tokens::fresh()?;
    match app.store.mint_token(id, &token, input.now).await? {
        Minted::Live => Ok(token),
        Minted::Unknown => Err(Error::missing("workspace not found")),
        Minted::Full => Err(Error::new(
            Kind::TooMany,
            format!("maximum {MAX_LIVE_TOKENS} active tokens per workspace"),
        )),
    }
}

async fn revoke(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let token: TokenId = input.param("token_id")?;
    if !app.store.revoke_token(id, token).await? {
        return Err(Error::missing("token not found or already revoked"));
    }
    Ok(Reply::ok(&Done { status: "revoked" }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/tokens";
    api.route(
        "list_tokens",
        path,
        Who::Own,
        "The live tokens of a workspace",
    )
    .query::<u32>("limit", "1 to 200; 50 unless it is that.")
    .query::<u32>("offset", "How many are passed over.")
    .ok::<Tokens>("Never their text.")
    .fails(&[]);
    let path = "POST /workspaces/{id}/tokens";
    api.route(
        "mint_token",
        path,
        Who::Operator,
        "Another token for a workspace",
    )
    .about("In open development also for the workspace itself.")
    .created::<MintedReply>("The token, shown this once.")
    .fails(&[Kind::Missing]);
    let path = "DELETE /workspaces/{id}/tokens/{token_id}";
    api.route("revoke_token", path, Who::Own, "Ends a token")
        .ok::<Done>("It is dead.")
        .fails(&[Kind::Missing]);
}

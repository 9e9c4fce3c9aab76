//! `GET|POST /org/tokens`, `DELETE /org/tokens/{id}`: operators' own tokens (contract:
//! registry-and-auth 11.2).

use domain::{Kind, Result, TokenId, time::wire};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    org_tokens::OrgToken,
    tokens::{self, Credential},
    windows::{Allowance, Taken},
};

/// The most a request may be, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The most a name may be, in bytes.
const MAX_NAME: usize = 100;

/// How many one address may mint. Counted in the table: an operator's token is worth guarding, and
/// minting is rare.
const MINTS: Allowance = Allowance {
    what: "ORG_MINTS",
    times: 10,
    within: SignedDuration::from_hours(1),
};

/// A request, all of it optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "MintOrgTokenRequest")]
#[schemars(example = json!({"name": "deployments"}))]
struct MintRequest {
    #[serde(default)]
    name: Option<String>,
}

/// A token as listed: what is empty is left out, unlike in workspaces' lists.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OrgToken")]
struct Row {
    id: TokenId,
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
    created_by: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

impl From<OrgToken> for Row {
    fn from(token: OrgToken) -> Self {
        Self {
            id: token.id,
            prefix: token.prefix,
            name: token.name,
            org_id: token.org_id,
            created_by: token.created_by,
            created_at: wire(token.created_at),
            last_used_at: token.last_used_at.map(wire),
        }
    }
}

/// All of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OrgTokens")]
struct Tokens {
    count: usize,
    tokens: Vec<Row>,
}

/// A revoked token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RevokedOrgToken")]
struct Revoked {
    revoked: TokenId,
}

/// A minted token: the only time its text is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MintOrgTokenReply")]
struct MintedReply {
    id: TokenId,
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    auth_token: String,
    warning: &'static str,
}

/// The family of one resource: listing, minting (at most ten in an hour from one address), revoking.
///
/// # Errors
/// 400, 401, 404, 413, 429.
pub(crate) async fn handle(app: &App, caller: &Caller, input: &Input) -> Result<Reply> {
    let (_, credential) = app.rows(caller, []).await?;
    auth::admin(app.settings.mode, caller, credential.as_ref())?;
    match input.method {
        Method::POST => limited(app, credential.as_ref(), input).await,
        Method::DELETE => revoke(app, input).await,
        _ => list(app).await,
    }
}

async fn list(app: &App) -> Result<Reply> {
    let rows: Vec<Row> = app
        .store
        .org_tokens()
        .await?
        .into_iter()
        .map(Row::from)
        .collect();
    Ok(Reply::ok(&Tokens {
        count: rows.len(),
        tokens: rows,
    }))
}

/// Mints if the caller's address may, and says how many more it may.
async fn limited(app: &App, credential: Option<&Credential>, input: &Input) -> Result<Reply> {
    if app.settings.mode.doors_open() {
        return mint(app, credential, input).await;
    }
    let address = input.source_ip().unwrap_or("unknown");
    let taken = app.store.take(MINTS, address, input.now).await?;
    let seconds = seconds_until(taken.resets_at, input.now);
    let reply = if taken.allowed {
        mint(app, credential, input).await?
    } else {
        let retry_after = seconds.max(1);
        let body = json!({"error": "rate limit exceeded", "retry_after": retry_after});
        Reply::json(StatusCode::TOO_MANY_REQUESTS, &body)
            .header("retry-after", retry_after.to_string())
    };
    let Taken { left, .. } = taken;
    Ok(reply
        .header("x-ratelimit-limit", MINTS.times.to_string())
        .header("x-ratelimit-remaining", left.to_string())
        .header("x-ratelimit-reset", seconds.to_string()))
}

/// Whole seconds, rounded up.
fn seconds_until(at: Timestamp, now: Timestamp) -> i64 {
    let millis = at.as_millisecond() - now.as_millisecond();
    ((millis + 999) / 1000).max(0)
}

async fn mint(app: &App, credential: Option<&Credential>, input: &Input) -> Result<Reply> {
    input.limit(MAX_BYTES)?;
    // A body that cannot be read is no name, as in the reference.
    let request: MintRequest = input.json(MAX_BYTES, "").unwrap_or_default();
    let name = request.name.filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
        // An answer, not an error: it says how many tries are left, too.
        let body = json!({"error": "name too long (max 100 chars)"});
        return Ok(Reply::json(StatusCode::BAD_REQUEST, &body));
    }
    let created_by = match credential {
        Some(Credential::Org { prefix, .. }) => format!("org-token:{prefix}"),
        Some(Credential::Workspace { .. }) | None => "admin-token".to_owned(),
    };
    let org_id = Some(app.settings.org_id.clone()).filter(|id| !id.is_empty());
    let token = tokens::fresh()?;
    let row = OrgToken::new(&token, name, created_by, org_id, input.now);
    app.store.mint_org_token(&row).await?;
    Ok(Reply::ok(&MintedReply {
        id: row.id,
        prefix: row.prefix,
        name: row.name,
        auth_token: token.reveal().to_owned(),
        warning: "copy this token now; it will not be shown again",
    }))
}

async fn revoke(app: &App, input: &Input) -> Result<Reply> {
    let id: TokenId = input.param("id")?;
    if !app.store.revoke_org_token(id).await? {
        return Err(domain::Error::missing("token not found or already revoked"));
    }
    Ok(Reply::ok(&Revoked { revoked: id }))
}

/// For the API's description.
pub(crate) fn describe(api: &mut Api) {
    let all = "GET /org/tokens";
    api.route(
        "list_org_tokens",
        all,
        Who::Operator,
        "The live tokens of operators",
    )
    .ok::<Tokens>("Never their text.")
    .fails(&[]);
    let mint = "POST /org/tokens";
    api.route(
        "mint_org_token",
        mint,
        Who::Operator,
        "A token for an operator",
    )
    .about("Ten an hour from one address.")
    .body::<MintRequest>(MAX_BYTES)
    .ok::<MintedReply>("The token, shown this once.")
    .fails(&[Kind::TooMany]);
    let one = "DELETE /org/tokens/{id}";
    api.route(
        "revoke_org_token",
        one,
        Who::Operator,
        "Ends an operator's token",
    )
    .ok::<Revoked>("It is dead.")
    .fails(&[Kind::Missing]);
}

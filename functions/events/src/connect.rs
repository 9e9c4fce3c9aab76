//! `GET /ws`: who may listen (contract: a2a-notify-events 11, registry-and-auth 4.8; decision 7).
//!
//! Without `X-Workspace-ID` it is a person, who sees everything: in open development anybody, else an
//! operator. With it, or with a workspace's token, it is that workspace. Browsers cannot set headers
//! on a WebSocket, so a token may come as the second of two protocols, `bearer, <token>`; or as
//! `base64url.bearer.<token in base64url>`, for tokens that have characters which a protocol may not
//! have, beside it or among others. What is answered never holds a token that came beside something
//! else.

use std::future::ready;

use domain::{Error, EventId, Kind, Result, WorkspaceId, token::TokenHash};
use edge::{App, Caller, Identity, Missing, auth, required};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{connections::Connection, tokens::Credential, workspaces::Parts};

use crate::{
    handshake::Handshake,
    sockets::{Sockets, is_opening},
};

/// The most connections of one workspace: each event is posted to each of them.
const MAX_OF_ONE: usize = 50;

/// The context of handshakes.
#[derive(Debug)]
pub struct Door {
    app: &'static App,
    sockets: Sockets,
}

impl Door {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let sockets = Sockets::new(app, &required("WEBSOCKET_ENDPOINT")?);
        Ok(Self::with(app, sockets))
    }

    /// With this gateway.
    pub fn with(app: &'static App, sockets: Sockets) -> &'static Self {
        Box::leak(Box::new(Self { app, sockets }))
    }
}

/// Lets somebody listen.
///
/// # Errors
/// Never: a refusal is an answer, and what the datastore does not say is 503.
pub async fn handle(door: &'static Door, handshake: Handshake) -> Result<Value> {
    if !edge::http::is_for(&door.app.settings.org_id, |name| handshake.header(name)) {
        // Without a word, as over HTTP.
        return Ok(json!({"statusCode": 404}));
    }
    Ok(match admit(door, &handshake, Timestamp::now()).await {
        Ok(()) => {
            let mut answer = json!({"statusCode": 200});
            if let Some((_, protocol)) = handshake.offer() {
                answer["headers"] = json!({"Sec-WebSocket-Protocol": protocol});
            }
            answer
        }
        Err(error) => {
            edge::http::log_failure(&error, "$connect");
            let status = match error.kind() {
                Kind::Invalid => 400,
                Kind::Unauthenticated => 401,
                Kind::Forbidden => 403,
                Kind::Missing => 404,
                Kind::TooMany => 429,
                Kind::Internal => 500,
                _ => 503,
            };
            let body = json!({"error": error.message()}).to_string();
            let mut answer = json!({"statusCode": status, "body": body});
            if let Some(seconds) = error.retry_after_seconds() {
                answer["headers"] = json!({"Retry-After": seconds.to_string()});
            }
            answer
        }
    })
}

async fn admit(door: &Door, handshake: &Handshake, now: Timestamp) -> Result<()> {
    let app = door.app;
    let settings = &app.settings;
    let since = handshake.since(now)?;
    let from_protocol = handshake.offer().map(|(it, _)| format!("Bearer {it}"));
    let authorization = handshake
        .header("authorization")
        .or(from_protocol.as_deref());
    let caller = Caller::of(
        authorization,
        handshake.header("x-workspace-id"),
        &settings.admin_token,
    );
    edge::http::take_share(app, &caller, handshake.context.source_ip(), now)?;
    let outcome = register(door, handshake, &caller, since, now).await;
    edge::http::note(app, &caller, &outcome, now).await;
    outcome
}

/// Who it is, if they may listen, and their connection.
async fn register(
    door: &Door,
    handshake: &Handshake,
    caller: &Caller,
    since: Option<EventId>,
    now: Timestamp,
) -> Result<()> {
    let app = door.app;
    let settings = &app.settings;
    let (workspace_id, who, credential) = match &caller.workspace {
        Some(claimed) => {
            let id = claimed.parse()?;
            let (who, credential) = workspace(app, caller, id).await?;
            (Some(id), who, credential)
        }
        None => {
            check_origin(handshake, &settings.cors_origins, &settings.public_url)?;
            person(app, caller).await?
        }
    };
    if let Some(id) = workspace_id {
        has_room(door, id, now).await?;
    }
    let id = &handshake.context.connection_id;
    let mut connection = Connection::new(id, workspace_id, since, now);
    // It lasts no longer than what it came with.
    match who {
        Identity::Anyone => {}
        Identity::Workspace(_) => connection.mark = caller.token().map(TokenHash::mark),
        Identity::Admin => connection.admin = Some(TokenHash::of(&settings.admin_token).mark()),
        Identity::Org => {
            connection.org_token = credential.and_then(|it| match it {
                Credential::Org { token_id, .. } => Some(token_id),
                Credential::Workspace { .. } => None,
            });
        }
    }
    app.store.connect(&connection).await
}

/// Who claims to be this workspace, if the claim holds.
async fn workspace(
    app: &App,
    caller: &Caller,
    id: WorkspaceId,
) -> Result<(Identity, Option<Credential>)> {
    let (rows, credential) = app.rows(caller, Parts::Core.keys(id)).await?;
    let who = auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    let beat = rows.workspace(id)?.and_then(|found| found.beat);
    let beat = beat.ok_or_else(|| Error::missing("workspace not found"))?;
    if who == Identity::Anyone && beat.has_tokens {
        return Err(Error::unauthenticated("missing workspace auth token"));
    }
    Ok((who, credential))
}

/// Of who gave up during its handshake a row may be left, and the gateway never says that it ended: nobody else
/// forgets it before something happens that it would be told. So of who is full every connection is asked for, all at a time: a handshake does not wait for long.
///
/// # Errors
/// 429 when a workspace has as many connections as it may. Those that come at the same moment may all be let in.
async fn has_room(door: &Door, id: WorkspaceId, now: Timestamp) -> Result<()> {
    let mut open = door.app.store.connections(now).await?;
    open.retain(|it| it.workspace_id == Some(id));
    let own = open.len();
    if own < MAX_OF_ONE {
        return Ok(());
    }
    open.retain(|it| !is_opening(it, now));
    let gone = stream::iter(&open)
        .map(|it| forgotten(door, &it.id))
        .buffer_unordered(MAX_OF_ONE);
    let gone = gone.filter(|gone| ready(*gone)).count().await;
    if own - gone < MAX_OF_ONE {
        return Ok(());
    }
    Err(Error::new(
        Kind::TooMany,
        format!("this workspace has {own} connections: close some of them"),
    ))
}

/// Whether a connection was gone, and is forgotten. A gateway that does not say so means that it may be there.
async fn forgotten(door: &Door, id: &str) -> bool {
    matches!(door.sockets.is_open(id).await, Ok(false))
        && door.app.store.disconnect(id).await.is_ok()
}

/// Nobody in particular: a person, or the workspace whose token it is.
async fn person(
    app: &App,
    caller: &Caller,
) -> Result<(Option<WorkspaceId>, Identity, Option<Credential>)> {
    let (_, credential) = app.rows(caller, []).await?;
    let who = auth::anyone(app.settings.mode, caller, credential.as_ref())?;
    let workspace = match who {
        Identity::Workspace(id) => Some(id),
        Identity::Anyone | Identity::Admin | Identity::Org => None,
    };
    Ok((workspace, who, credential))
}

/// Pages of other sites may not listen with somebody's browser. What is no browser sends no origin,
/// and needs a token like everybody (the contract's rule would lock it out).
fn check_origin(handshake: &Handshake, listed: &[String], public_url: &str) -> Result<()> {
    let Some(origin) = handshake.header("origin") else {
        return Ok(());
    };
    let host = handshake.header("host").unwrap_or_default();
    let own = ["http://", "https://"]
        .iter()
        .filter_map(|scheme| origin.strip_prefix(scheme))
        .any(|rest| rest.eq_ignore_ascii_case(host));
    let is = |known: &String| known.eq_ignore_ascii_case(origin);
    if own || listed.is_empty() || listed.iter().any(is) || is(&public_url.to_owned()) {
        return Ok(());
    }
    Err(Error::forbidden(
        "this origin may not connect: list it in CorsOrigins",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::tests::handshake;

    #[test]
    fn origins_are_checked_when_they_are_sent() {
        let listed = vec!["https://App.example.com".to_owned()];
        for (origin, expected) in [
            (None, true),
            (Some("https://app.example.com"), true),
            (Some("https://public.example.com"), true),
            (Some("http://own.example.com:8080"), true),
            (Some("https://evil.example.com"), false),
            (Some("null"), false),
        ] {
            let headers =
                json!({"Origin": origin.unwrap_or_default(), "Host": "own.example.com:8080"});
            let it = handshake(headers, Value::Null);
            let allowed = check_origin(&it, &listed, "https://public.example.com");
            assert_eq!(allowed.is_ok(), expected, "{origin:?}");
        }
        let any = handshake(json!({"origin": "https://a.example"}), Value::Null);
        assert!(check_origin(&any, &[], "").is_ok());
    }
}

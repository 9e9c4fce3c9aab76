//! `GET /workspaces/{id}/secrets/values`: the environment of a workspace, for itself (contract:
//! lifecycle-and-sweepers 4.1, registry-and-auth 4.8).

use std::collections::BTreeMap;

use domain::{Error, Kind, Result, WorkspaceId, secret::Scope};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use lambda_http::http::StatusCode;
use store::{
    Rows, keys,
    secrets::{Environment, Unreadable},
    workspaces::Parts,
};

use crate::Vaulted;

/// Shows all values, or none.
///
/// # Errors
/// 400, 401; 413 when they are too much for one answer; 500 with the keys of those that do not
/// decrypt.
pub async fn handle(context: &'static Vaulted, caller: Caller, input: Input) -> Result<Reply> {
    let (app, id) = (context.app, input.param::<WorkspaceId>("id")?);
    let rows = proven(app, &caller, id).await?;
    let found = context.vault.environment_in(id, &rows, input.now).await?;
    let secrets = match found {
        Environment::Whole(secrets) => secrets,
        Environment::Broken(why) => return Err(refusal(why)),
    };
    let values: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(name, value)| (name.as_str(), value.reveal()))
        .collect();
    let json = serde_json::to_vec(&values).map_err(Error::internal)?;
    if Reply::measure(&json) > Reply::MAX_BODY {
        let sentence = "the secrets are too large for one answer";
        return Err(Error::new(Kind::TooLarge, sentence).with("max_bytes", Reply::MAX_BODY));
    }
    // Values are for one reader: nothing on the way may keep them.
    Ok(Reply::bytes(StatusCode::OK, json).header("cache-control", "no-store"))
}

/// The keyrings, if the caller is the workspace.
async fn proven(app: &App, caller: &Caller, id: WorkspaceId) -> Result<Rows> {
    let mode = app.settings.mode;
    let rings = [Scope::Global, Scope::Workspace(id)].map(keys::keyring);
    // Whether the workspace has a token matters where doors are open, and only there.
    let probed = mode.doors_open().then(|| Parts::Core.keys(id));
    let wanted = rings.into_iter().chain(probed.into_iter().flatten());
    let (rows, credential) = app.rows(caller, wanted).await?;
    let beat = rows.workspace(id)?.and_then(|workspace| workspace.beat);
    let has_tokens = beat.is_some_and(|beat| beat.has_tokens);
    auth::itself(mode, caller, id, credential.as_ref(), has_tokens)?;
    Ok(rows)
}

fn refusal(why: Unreadable) -> Error {
    let sentence = "one or more secrets failed to decrypt; refusing to return partial bundle";
    Error::new(Kind::Internal, sentence)
        .with("failed_keys", why.failed_keys())
        .caused_by(why)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/secrets/values";
    api.route(
        "get_environment",
        path,
        Who::Itself,
        "The environment of a workspace",
    )
    .about("500 with `failed_keys` where some do not decrypt.")
    .ok::<BTreeMap<String, String>>("All values, by name.")
    .fails(&[Kind::TooLarge]);
}

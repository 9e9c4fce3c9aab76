//! `GET|POST|PUT /workspaces/{id}/secrets`, `DELETE /workspaces/{id}/secrets/{key}`, and the one of
//! them that has a route of its own, [`model`](crate::model) (contract: lifecycle-and-sweepers 4.1).

use std::collections::BTreeMap;

use domain::{
    Error, Kind, Result, WorkspaceId,
    secret::{MAX_SECRETS, MAX_VALUE, Scope, SecretName, SecretValue},
    time::wire,
};
use edge::{
    App, Caller, Input, Reply, auth,
    http::Fields,
    openapi::{Api, Who},
};
use lambda_http::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{
    keys,
    secrets::{Keyring, Saved, Written},
};

use crate::{Vaulted, model};

/// Every byte of a value may be written as `\u00XX`.
pub(crate) const MAX_BYTES: usize = 6 * MAX_VALUE + 4096;

/// A secret as it is set.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "SetSecretRequest")]
#[schemars(example = serde_json::json!({"key": "GITHUB_TOKEN", "value": "what nobody else may know"}))]
pub(crate) struct SetRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    key: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    value: SecretValue,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SecretDone")]
pub(crate) struct Done {
    pub(crate) status: &'static str,
    pub(crate) key: String,
    /// Only of a secret that all workspaces have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<&'static str>,
}

impl Done {
    fn of(status: &'static str, key: String) -> Self {
        let scope = None;
        Self { status, key, scope }
    }
}

/// A secret as listed: never its value.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Secret")]
pub(crate) struct Row {
    key: String,
    has_value: bool,
    scope: &'static str,
    created_at: String,
    updated_at: String,
}

impl Row {
    fn new(scope: Scope, name: &SecretName, written: &Written) -> Self {
        Self {
            key: name.to_string(),
            has_value: true,
            scope: scope.name(),
            created_at: wire(written.created_at),
            updated_at: wire(written.updated_at),
        }
    }
}

/// The family of one resource: listing, setting, deleting. Setting what is there already is a
/// change as any other.
///
/// # Errors
/// 400, 401, 404, 413 over the limit of a body, 429 at the limit of their number; 500
/// `failed to encrypt secret`.
pub async fn handle(context: &'static Vaulted, caller: Caller, input: Input) -> Result<Reply> {
    let (app, id) = (context.app, input.param::<WorkspaceId>("id")?);
    // A secret may be called that as well.
    if !input.has_param("key") && input.path.ends_with("/model") {
        return model::handle(context, &caller, id, &input).await;
    }
    match input.method {
        Method::POST | Method::PUT => set(context, &caller, id, &input).await,
        Method::DELETE => {
            app.own(&caller, id).await?;
            let key = delete(app, Scope::Workspace(id), &input).await?;
            Ok(Reply::ok(&Done::of("deleted", key)))
        }
        _ => list(app, &caller, id).await,
    }
}

/// The workspace's own, then the global ones it does not override.
async fn list(app: &App, caller: &Caller, id: WorkspaceId) -> Result<Reply> {
    let own = Scope::Workspace(id);
    let wanted = [own, Scope::Global].map(keys::keyring);
    let (rows, credential) = app.rows(caller, wanted).await?;
    auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    let (ring, global) = (rows.keyring(own)?, rows.keyring(Scope::Global)?);
    let mut listed = listed(own, ring.as_ref(), None);
    listed.extend(self::listed(Scope::Global, global.as_ref(), ring.as_ref()));
    Ok(Reply::ok(&listed))
}

/// The secrets of one scope by name, without those that `but` has too.
pub(crate) fn listed(scope: Scope, ring: Option<&Keyring>, but: Option<&Keyring>) -> Vec<Row> {
    let none = BTreeMap::new();
    let overridden = but.map_or(&none, Keyring::secrets);
    let secrets = ring.map_or(&none, Keyring::secrets).iter();
    secrets
        .filter(|(name, _)| !overridden.contains_key(*name))
        .map(|(name, written)| Row::new(scope, name, written))
        .collect()
}

async fn set(context: &Vaulted, caller: &Caller, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let (app, scope) = (context.app, Scope::Workspace(id));
    let (rows, credential) = app.rows(caller, [keys::keyring(scope)]).await?;
    auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    let key = save(context, scope, rows.keyring(scope)?, input).await?;
    Ok(Reply::ok(&Done::of("saved", key)))
}

/// Saves the secret of the body; answers its key.
pub(crate) async fn save(
    context: &Vaulted,
    scope: Scope,
    known: Option<Keyring>,
    input: &Input,
) -> Result<String> {
    let (name, value) = read(input)?;
    let vault = &context.vault;
    match vault
        .save_secret(scope, &name, &value, known, input.now)
        .await?
    {
        Saved::Yes => Ok(name.to_string()),
        Saved::Unknown => Err(Error::missing("workspace not found")),
        Saved::Full => Err(Error::new(
            Kind::TooMany,
            format!("maximum {MAX_SECRETS} secrets per scope"),
        )),
    }
}

fn read(input: &Input) -> Result<(SecretName, SecretValue)> {
    const REFUSAL: &str = "invalid request body";
    let SetRequest { key, value } = input.json(MAX_BYTES, REFUSAL)?;
    let refused = |why: Error| Error::invalid(REFUSAL).with("detail", why.message());
    let name = key.parse().map_err(refused)?;
    value.check().map_err(refused)?;
    Ok((name, value))
}

/// Deletes the secret that the path names; answers its key.
pub(crate) async fn delete(app: &App, scope: Scope, input: &Input) -> Result<String> {
    let missing = || Error::missing("secret not found");
    // What is no name is the name of no secret.
    let name: SecretName = input.text_param("key").parse().map_err(|_| missing())?;
    if !app.store.delete_secret(scope, &name, input.now).await? {
        return Err(missing());
    }
    Ok(name.to_string())
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/secrets";
    api.route("list_secrets", path, Who::Own, "A workspace's secrets")
        .ok::<Vec<Row>>("Its own, then the global ones it does not override; without values.")
        .fails(&[]);
    for (id, route) in [
        ("save_secret", "POST /workspaces/{id}/secrets"),
        ("put_secret", "PUT /workspaces/{id}/secrets"),
    ] {
        api.route(id, route, Who::Own, "Sets a workspace's secret")
            .body::<SetRequest>(MAX_BYTES)
            .ok::<Done>("It is saved; its machine starts anew.")
            .fails(&[Kind::Missing]);
    }
    let path = "DELETE /workspaces/{id}/secrets/{key}";
    api.route(
        "delete_secret",
        path,
        Who::Own,
        "Deletes a workspace's secret",
    )
    .ok::<Done>("It is gone; its machine starts anew.")
    .fails(&[Kind::Missing]);
}

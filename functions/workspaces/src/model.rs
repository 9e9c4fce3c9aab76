//! `GET|PUT /workspaces/{id}/model`: the secret `MODEL_PROVIDER` of a workspace, which is no secret to
//! those who may see the workspace (contract: lifecycle-and-sweepers 4.1). Who changes it changes the
//! model that the workspace was made with, too.

use domain::{
    Error, Kind, Result, WorkspaceId,
    secret::{MAX_SECRETS, Scope, SecretName, SecretValue},
};
use edge::{
    Caller, Input, Reply, auth,
    http::Fields,
    openapi::{Api, Who},
};
use lambda_http::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{
    keys,
    secrets::{Keyring, Saved},
};

use crate::{Vaulted, fields};

/// The most a request may be, in bytes.
const MAX_BYTES: usize = 4096;
/// The most a model's name may have, in bytes: that of an inference profile has a hundred and more.
const MAX_MODEL: usize = 1024;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(example = serde_json::json!({"model": "anthropic:claude-opus-4-7"}))]
struct ModelRequest {
    /// Empty: the one that its runtime comes with.
    #[serde(default, deserialize_with = "Fields::or_zero")]
    model: String,
}

/// A model, and who says so.
#[derive(Debug, Serialize, JsonSchema)]
struct Model {
    /// Empty: the one that its runtime comes with.
    model: String,
    source: &'static str,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
struct ModelSet {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

/// Shows or changes which model it uses; a change starts its machine anew, as that of any secret.
///
/// # Errors
/// 400, 401, 404, 413, 429 at the limit of secrets; 500 `failed to decrypt`,
/// `failed to encrypt model`.
pub(crate) async fn handle(
    context: &Vaulted,
    caller: &Caller,
    id: WorkspaceId,
    input: &Input,
) -> Result<Reply> {
    let (app, scope) = (context.app, Scope::Workspace(id));
    let name = SecretName::model();
    let (rows, credential) = app.rows(caller, [keys::keyring(scope)]).await?;
    auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    let ring = rows.keyring(scope)?;
    if input.method != Method::PUT {
        return show(context, scope, &name, ring.as_ref(), input).await;
    }
    let refusal = "invalid request body";
    let ModelRequest { model } = input.json(MAX_BYTES, refusal)?;
    fields::line("model", &model, MAX_MODEL)
        .map_err(|why| Error::invalid(refusal).with("detail", why.message()))?;
    if model.is_empty() {
        let set = ring.is_some_and(|ring| ring.secrets().contains_key(&name));
        if !set || !app.store.delete_secret(scope, &name, input.now).await? {
            app.store.forget_model(id, input.now).await?;
        }
        return Ok(Reply::ok(&ModelSet {
            status: "cleared",
            model: None,
        }));
    }
    let value = SecretValue::new(model.clone());
    let saved = context
        .vault
        .save_secret(scope, &name, &value, ring, input.now);
    let said = |error| in_its_words(error, "failed to encrypt model");
    match saved.await.map_err(said)? {
        Saved::Yes => Ok(Reply::ok(&ModelSet {
            status: "saved",
            model: Some(model),
        })),
        Saved::Unknown => Err(Error::missing("workspace not found")),
        Saved::Full => Err(Error::new(
            Kind::TooMany,
            format!("maximum {MAX_SECRETS} secrets per scope"),
        )),
    }
}

async fn show(
    context: &Vaulted,
    scope: Scope,
    name: &SecretName,
    ring: Option<&Keyring>,
    input: &Input,
) -> Result<Reply> {
    let found = context.vault.secret(scope, name, ring, input.now).await;
    let found = found.map_err(|error| in_its_words(error, "failed to decrypt"))?;
    Ok(Reply::ok(&match found {
        Some(model) => Model {
            model: model.reveal().to_owned(),
            source: "workspace_secrets",
        },
        None => Model {
            model: String::new(),
            source: "default",
        },
    }))
}

fn in_its_words(error: Error, sentence: &'static str) -> Error {
    match error.kind() {
        Kind::Internal => Error::new(Kind::Internal, sentence).caused_by(error),
        _ => error,
    }
}

/// For the API's description.
pub(crate) fn describe(api: &mut Api) {
    let summary = "Which model a workspace uses";
    api.route("get_model", "GET /workspaces/{id}/model", Who::Own, summary)
        .ok::<Model>("The model.")
        .fails(&[]);
    let summary = "Changes which model a workspace uses";
    api.route("set_model", "PUT /workspaces/{id}/model", Who::Own, summary)
        .body::<ModelRequest>(MAX_BYTES)
        .ok::<ModelSet>("It is saved; its machine starts anew.")
        .fails(&[Kind::Missing]);
}

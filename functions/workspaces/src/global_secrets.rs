//! `GET|POST|PUT /settings/secrets`, `DELETE /settings/secrets/{key}`, and the same below `/admin`:
//! the secrets of all workspaces (contract: lifecycle-and-sweepers 4.1).

use domain::{Error, Kind, Result, secret::Scope};
use edge::{App, Caller, Input, Reply, auth};
use lambda_http::http::Method;
use serde_json::json;
use store::{keys, secrets::Keyring};

use crate::{
    Vaulted,
    secrets::{delete, listed, save},
};

/// The family of one resource: listing, setting, deleting. Their values are shown to workspaces
/// only, each its own environment.
///
/// # Errors
/// 400, 401, 404, 413 over the limit of a body, 429 at the limit of their number; 500
/// `failed to encrypt`.
pub async fn handle(context: &'static Vaulted, caller: Caller, input: Input) -> Result<Reply> {
    let (app, scope) = (context.app, Scope::Global);
    let done = |status, key: String| {
        let body = json!({"status": status, "key": key, "scope": scope.name()});
        Ok(Reply::ok(&body))
    };
    match input.method {
        Method::POST | Method::PUT => {
            let known = keyring(app, &caller).await?;
            let saved = save(context, scope, known, &input).await;
            done("saved", saved.map_err(in_short)?)
        }
        Method::DELETE => {
            app.admin(&caller).await?;
            done("deleted", delete(app, scope, &input).await?)
        }
        _ => {
            let ring = keyring(app, &caller).await?;
            Ok(Reply::ok(&listed(scope, ring.as_ref(), None)))
        }
    }
}

/// The global keyring, for operators.
async fn keyring(app: &App, caller: &Caller) -> Result<Option<Keyring>> {
    let (rows, credential) = app.rows(caller, [keys::keyring(Scope::Global)]).await?;
    auth::admin(app.settings.mode, caller, credential.as_ref())?;
    rows.keyring(Scope::Global)
}

/// These routes have a shorter sentence for what could not be encrypted.
fn in_short(error: Error) -> Error {
    match error.kind() {
        Kind::Internal => Error::new(Kind::Internal, "failed to encrypt").caused_by(error),
        _ => error,
    }
}

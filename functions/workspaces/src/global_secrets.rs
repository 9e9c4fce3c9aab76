//! `GET|POST|PUT /settings/secrets`, `DELETE /settings/secrets/{key}`, and the same below `/admin`:
//! the secrets of all workspaces (contract: lifecycle-and-sweepers 4.1).

use domain::{Error, Kind, Result, secret::Scope};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use lambda_http::http::Method;
use store::{keys, secrets::Keyring};

use crate::{
    Vaulted,
    secrets::{Done, MAX_BYTES, Row, SetRequest, delete, listed, save},
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
        Ok(Reply::ok(&Done {
            status,
            key,
            scope: Some(scope.name()),
        }))
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

/// For the API's description.
pub fn describe(api: &mut Api) {
    let settings = [
        ("list_global_secrets", "GET /settings/secrets"),
        ("save_global_secret", "POST /settings/secrets"),
        ("put_global_secret", "PUT /settings/secrets"),
        ("delete_global_secret", "DELETE /settings/secrets/{key}"),
    ];
    let admin = [
        ("admin_list_secrets", "GET /admin/secrets"),
        ("admin_save_secret", "POST /admin/secrets"),
        ("admin_put_secret", "PUT /admin/secrets"),
        ("admin_delete_secret", "DELETE /admin/secrets/{key}"),
    ];
    for [list, post, put, delete] in [settings, admin] {
        let summary = "The secrets that all workspaces have";
        api.route(list.0, list.1, Who::Operator, summary)
            .ok::<Vec<Row>>("By name, without their values.")
            .fails(&[]);
        for (id, route) in [post, put] {
            let summary = "Sets a secret that all workspaces have";
            api.route(id, route, Who::Operator, summary)
                .body::<SetRequest>(MAX_BYTES)
                .ok::<Done>("It is saved; machines that have it start anew.")
                .fails(&[]);
        }
        let summary = "Deletes a secret that all workspaces have";
        api.route(delete.0, delete.1, Who::Operator, summary)
            .ok::<Done>("It is gone; machines that had it start anew.")
            .fails(&[Kind::Missing]);
    }
}

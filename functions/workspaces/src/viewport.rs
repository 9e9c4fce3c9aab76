//! `GET|PUT /canvas/viewport`: where the canvas looks (contract: extended-surface 10).

use domain::{Error, Result};
use edge::{
    App, Bearer, Caller, Input, Reply, auth,
    http::{Done, Fields, Number},
    openapi::{Api, Who},
};
use lambda_http::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use store::viewport::Viewport;

const MAX_BYTES: usize = 16 * 1024;

/// A viewport as the canvas sends it: what is absent is zero, the zoom too.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ViewportRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    x: Number,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    y: Number,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    zoom: Number,
}

/// Reads or saves.
///
/// # Errors
/// 400; saving: 401 (decision 32).
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    if input.method == Method::GET {
        return Ok(Reply::ok(&app.store.viewport().await?.unwrap_or_default()));
    }
    may_save(app, &caller).await?;
    let ViewportRequest { x, y, zoom } = input.json(MAX_BYTES, "invalid viewport data")?;
    let viewport = Viewport {
        x: x.into(),
        y: y.into(),
        zoom: zoom.into(),
    };
    app.store.save_viewport(viewport).await?;
    Ok(Reply::ok(&Done { status: "saved" }))
}

/// Class `C`, with a credential wanted wherever doors are closed; its sentences are the admin ones.
async fn may_save(app: &App, caller: &Caller) -> Result<()> {
    let mode = app.settings.mode;
    let (_, credential) = app.rows(caller, []).await?;
    if mode.doors_open() && caller.bearer == Bearer::None {
        return Ok(());
    }
    auth::anyone(mode, caller, credential.as_ref())
        .map(drop)
        .map_err(|_| {
            Error::unauthenticated(match caller.bearer {
                Bearer::None => "admin auth required",
                Bearer::Admin | Bearer::Token(_) => "invalid admin auth token",
            })
        })
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Where the canvas looks";
    api.route(
        "get_viewport",
        "GET /canvas/viewport",
        Who::Everybody,
        summary,
    )
    .ok::<Viewport>("Position and zoom.")
    .fails(&[]);
    let summary = "Saves where the canvas looks";
    api.route(
        "save_viewport",
        "PUT /canvas/viewport",
        Who::Anyone,
        summary,
    )
    .body::<ViewportRequest>(MAX_BYTES)
    .ok::<Done>("It is saved.")
    .fails(&[]);
}

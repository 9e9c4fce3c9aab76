//! `GET|PUT /canvas/viewport`: where the canvas looks (contract: extended-surface 10).

use domain::{Error, Result};
use edge::{
    App, Bearer, Caller, Input, Reply,
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
#[schemars(example = serde_json::json!({"x": 120, "y": -40.5, "zoom": 0.8}))]
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

/// Class `C`, with a credential wanted wherever doors are closed; its sentences are the admin ones. A
/// bearer that is wrong is refused, open doors or not (contract: registry-and-auth 4.3).
async fn may_save(app: &App, caller: &Caller) -> Result<()> {
    let (_, credential) = app.rows(caller, []).await?;
    match (caller.bearer, credential) {
        (Bearer::Admin, _) | (Bearer::Token(_), Some(_)) => Ok(()),
        (Bearer::None, _) if app.settings.mode.doors_open() => Ok(()),
        (Bearer::None, _) => Err(Error::unauthenticated("admin auth required")),
        (Bearer::Token(_), None) => Err(Error::unauthenticated("invalid admin auth token")),
    }
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

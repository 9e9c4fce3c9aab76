//! `GET|PUT /canvas/viewport`: where the canvas looks (contract: extended-surface 10).

use domain::{Error, Result};
use edge::{
    App, Bearer, Caller, Input, Reply,
    http::{Fields, Number},
};
use lambda_http::http::Method;
use serde::Deserialize;
use serde_json::json;
use store::viewport::Viewport;

const MAX_BYTES: usize = 16 * 1024;

/// A viewport as the canvas sends it: what is absent is zero, the zoom too.
#[derive(Debug, Deserialize)]
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
    Ok(Reply::ok(&json!({"status": "saved"})))
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

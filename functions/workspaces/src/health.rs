//! `GET /health`: the API answers. It touches nothing, so it costs next to nothing.

use domain::Result;
use edge::{App, Caller, Input, Reply};
use serde_json::json;

/// Says that the API answers.
///
/// # Errors
/// Never.
pub async fn handle(_: &'static App, _: Caller, _: Input) -> Result<Reply> {
    Ok(Reply::ok(&json!({"status": "ok"})))
}

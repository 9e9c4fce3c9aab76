//! `GET /health`: the API answers. It touches nothing, so it costs next to nothing.

use domain::Result;
use edge::{
    App, Caller, Input, Reply,
    http::Done,
    openapi::{Api, Who},
};

/// Says that the API answers.
///
/// # Errors
/// Never.
pub async fn handle(_: &'static App, _: Caller, _: Input) -> Result<Reply> {
    Ok(Reply::ok(&Done { status: "ok" }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "Whether the API answers";
    api.route("health", "GET /health", Who::Everybody, summary)
        .ok::<Done>("It does.")
        .fails(&[]);
}

//! `GET /openapi.json`: the description of the API, OpenAPI 3.1.
//!
//! It is generated from the wire types by `make openapi`, committed and compiled in, so that asking
//! for it costs what `GET /health` costs; a test holds it against the types and the template.

use domain::Result;
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use serde_json::json;

use crate::tagged;

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// Shows the description, or, by `If-None-Match`, that it has not changed.
///
/// # Errors
/// Never.
pub async fn handle(_: &'static App, _: Caller, input: Input) -> Result<Reply> {
    let known = input.header("if-none-match");
    Ok(tagged::reply(known, "application/json", DOCUMENT))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let summary = "This document";
    api.route("openapi", "GET /openapi.json", Who::Everybody, summary)
        .header::<String>(
            "If-None-Match",
            "The `ETag` of the one that is there already.",
        )
        .answers_with(
            200,
            "OpenAPI 3.1.",
            "application/json",
            json!({"type": "object"}),
        )
        .with_header(200, "ETag", "Its version.")
        .answers_empty(304, "It has not changed.")
        .fails(&[]);
}

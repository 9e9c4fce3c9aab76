//! `$default`: what no route answers (contract: registry-and-auth 0 and 3).

use domain::Result;
use edge::{App, Caller, Input, Reply};
use lambda_http::http::{Method, StatusCode};

/// A preflight is 204 (the edge adds what the browser wants to know, and refuses foreign pages); a
/// trailing slash is sent to the path without; all else is 404, wrong methods included.
///
/// # Errors
/// Never.
pub async fn handle(_: &'static App, _: Caller, input: Input) -> Result<Reply> {
    let bare = input.path.trim_end_matches('/');
    Ok(if input.method == Method::OPTIONS {
        Reply::empty(StatusCode::NO_CONTENT)
    } else if !bare.is_empty() && bare.len() < input.path.len() && !bare.starts_with("//") {
        let moved = if input.method == Method::GET {
            StatusCode::MOVED_PERMANENTLY
        } else {
            StatusCode::TEMPORARY_REDIRECT
        };
        Reply::empty(moved).header("location", bare)
    } else {
        Reply::text(StatusCode::NOT_FOUND, "404 page not found")
    })
}

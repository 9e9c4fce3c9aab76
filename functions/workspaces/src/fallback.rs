//! `$default`: the console, and what no route answers (contract: registry-and-auth 0 and 3).

use domain::Result;
use edge::{App, Caller, Input, Reply};
use lambda_http::http::{Method, StatusCode};

use crate::page;

/// The console, which takes no resource of its own here, and what no other route answers.
///
/// A preflight is 204 (the edge adds what the browser wants to know, and refuses foreign pages); a
/// trailing slash is sent to the path without, query and all; all else is 404, wrong methods
/// included.
///
/// # Errors
/// None but a defect of ours.
pub async fn handle(app: &'static App, _: Caller, input: Input) -> Result<Reply> {
    if let Some(page) = page::answer(app, &input).await? {
        return Ok(page);
    }
    let bare = input.path.trim_end_matches('/');
    Ok(if input.method == Method::OPTIONS {
        Reply::empty(StatusCode::NO_CONTENT)
    } else if is_ours(bare) && bare.len() < input.path.len() {
        let moved = if input.method == Method::GET {
            StatusCode::MOVED_PERMANENTLY
        } else {
            StatusCode::TEMPORARY_REDIRECT
        };
        let question = if input.raw_query.is_empty() { "" } else { "?" };
        Reply::empty(moved).header("location", format!("{bare}{question}{}", input.raw_query))
    } else {
        Reply::text(StatusCode::NOT_FOUND, "404 page not found")
    })
}

/// Whether a browser that is sent there stays with us: it takes `//x` and `/\x` for other hosts.
/// What a header cannot carry is no path of ours either.
fn is_ours(path: &str) -> bool {
    path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

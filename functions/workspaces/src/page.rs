//! `GET /`, `GET /console` and the files below it: the console, a page for people.
//!
//! Everything is in the binary and the same for everybody; what the page shows it asks the API for,
//! with the credential of whoever looks at it.

use domain::Result;
use edge::{App, Input, Reply, var};
use lambda_http::http::Method;
use serde_json::json;

use crate::tagged;

/// A file of the page.
struct File {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// Declares the files of the page: each below `/console` by its name, with its type.
macro_rules! files {
    ($($name:literal: $content_type:ident),+ $(,)?) => {
        const FILES: &[File] = &[$(File {
            path: concat!("/console/", $name),
            content_type: $content_type,
            text: include_str!(concat!("page/", $name)),
        }),+];
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

files! {
    "index.html": HTML,
    "app.css": CSS,
    "icon.svg": SVG,
    "app.js": SCRIPT,
    "api.js": SCRIPT,
    "approvals.js": SCRIPT,
    "chat.js": SCRIPT,
    "composer.js": SCRIPT,
    "conversation.js": SCRIPT,
    "dialogs.js": SCRIPT,
    "dom.js": SCRIPT,
    "feed.js": SCRIPT,
    "files.js": SCRIPT,
    "live.js": SCRIPT,
    "outbox.js": SCRIPT,
    "tree.js": SCRIPT,
}

/// What the page must know before it can ask anything.
const CONFIG: &str = "/console/config.json";

/// The answer, if it is the console that is asked for.
///
/// # Errors
/// Nothing here can be signed: a defect of ours.
pub(crate) async fn answer(app: &App, input: &Input) -> Result<Option<Reply>> {
    if input.method != Method::GET {
        return Ok(None);
    }
    let socket = var("CONSOLE_WEBSOCKET_URL");
    if input.path == CONFIG {
        let config = json!({"websocket_url": socket});
        let reply = Reply::ok(&config).header("cache-control", "no-store");
        return Ok(Some(reply));
    }
    let path = match input.path.as_str() {
        "/" | "/console" => "/console/index.html",
        other => other,
    };
    let Some(file) = FILES.iter().find(|file| file.path == path) else {
        return Ok(None);
    };
    let policy = policy(&socket, &app.store.bucket_origin().await?);
    Ok(Some(file.reply(input.header("if-none-match"), &policy)))
}

impl File {
    /// The file, or that the browser has it already.
    fn reply(&self, known: Option<&str>, policy: &str) -> Reply {
        tagged::reply(known, self.content_type, self.text).header("content-security-policy", policy)
    }
}

/// Nothing but what is served here, the socket, and the bucket that large files come from and go to;
/// nothing inline; in no frame.
fn policy(socket: &str, bucket: &str) -> String {
    let socket = match socket.split_once("://") {
        Some((scheme @ ("ws" | "wss"), rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            format!(" {scheme}://{host}")
        }
        _ => String::new(),
    };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'{socket} {bucket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_and_the_bucket_are_allowed_by_their_origins_alone() {
        for (socket, allowed) in [
            ("", "connect-src 'self' https://b.example;"),
            (
                "wss://a.example/ws",
                "connect-src 'self' wss://a.example https://b.example;",
            ),
            (
                "ws://localhost:8080/ws",
                "'self' ws://localhost:8080 https://b.example;",
            ),
            (
                "https://a.example/ws",
                "connect-src 'self' https://b.example;",
            ),
        ] {
            let policy = policy(socket, "https://b.example");
            assert!(policy.contains(allowed), "{socket}");
        }
    }

    #[test]
    fn the_page_holds_nothing_that_its_policy_forbids() {
        for file in FILES {
            let text = file.text;
            for forbidden in [
                "http://",
                "https://",
                "style=\"",
                " onclick=",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "localStorage",
                "<script>",
            ] {
                // The one address there may be: the name of SVG.
                let uses = text.match_indices(forbidden);
                let mut uses =
                    uses.filter(|(at, _)| !text[*at..].starts_with("http://www.w3.org/"));
                assert!(uses.next().is_none(), "{}: {forbidden}", file.path);
            }
            let lines = text.lines().count();
            assert!(lines < 300, "{}: {lines} lines", file.path);
        }
    }

    #[test]
    fn every_file_that_a_script_imports_is_served() {
        for file in FILES {
            for rest in file.text.split(" from \"./").skip(1) {
                let name = rest.split('"').next().unwrap_or_default();
                let path = format!("/console/{name}");
                assert!(FILES.iter().any(|it| it.path == path), "{path}");
            }
        }
    }
}

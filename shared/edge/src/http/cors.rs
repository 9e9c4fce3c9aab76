//! Which browser pages may call (contract: registry-and-auth 3).

use lambda_http::http::{HeaderMap, HeaderValue, header};

use super::Input;

/// What a request's `Origin` means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// None, or our own.
    None,
    /// A listed page.
    Listed(String),
    /// Any other page.
    Refused,
}

/// Judges a request's origin against the list. Our own page is let in by its public address, too: a
/// function behind a URL of its own answers at another host than the one that page came from.
pub(super) fn judge(input: &Input, allowed: &[String], public_url: &str) -> Origin {
    let Some(origin) = input.header("origin").filter(|text| !text.is_empty()) else {
        return Origin::None;
    };
    let host = input.header("host").unwrap_or_default();
    let own = ["http://", "https://"]
        .iter()
        .any(|scheme| origin.strip_prefix(scheme) == Some(host));
    if own {
        Origin::None
    } else if origin == public_url || allowed.iter().any(|listed| listed == origin) {
        Origin::Listed(origin.to_owned())
    } else {
        Origin::Refused
    }
}

/// Tells a listed page's browser that it may.
pub(super) fn decorate(headers: &mut HeaderMap, origin: &Origin) {
    let Origin::Listed(origin) = origin else {
        return;
    };
    let Ok(origin) = HeaderValue::from_str(origin) else {
        return;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET,POST,PUT,PATCH,DELETE,OPTIONS",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Origin,Content-Type,X-Workspace-Id,Authorization",
        ),
        (header::VARY, "Origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

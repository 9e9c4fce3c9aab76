//! The headers every answer carries (contract: registry-and-auth 3).

use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};

/// What is below these is API, and may load nothing.
const API: [&str; 16] = [
    "workspaces",
    "registry",
    "health",
    "admin",
    "metrics",
    "settings",
    "bundles",
    "org",
    "orgs",
    "templates",
    "plugins",
    "webhooks",
    "channels",
    "ws",
    "events",
    "approvals",
];

const STRICT: &str = "default-src 'self'";
const PAGES: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; \
    font-src 'self' data:";

fn is_api(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    first.is_some_and(|segment| API.contains(&segment))
}

/// Sets what the handler has not set itself.
pub(super) fn decorate(headers: &mut HeaderMap, path: &str) {
    let policy = if is_api(path) { STRICT } else { PAGES };
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        ),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        (
            "permissions-policy",
            "camera=(), microphone=(), geolocation=()",
        ),
        ("content-security-policy", policy),
    ] {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::is_api;

    #[test]
    fn api_paths_are_whole_segments() {
        for path in ["/workspaces", "/workspaces/x/a2a", "/health", "/ws"] {
            assert!(is_api(path), "{path}");
        }
        for path in ["/", "/workspacesX", "/canvas/viewport", "/instructions"] {
            assert!(!is_api(path), "{path}");
        }
    }
}

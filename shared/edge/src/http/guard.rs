//! Requests that reached the wrong organisation (contract: registry-and-auth 3, `TenantGuard`).
//!
//! Off unless the deployment is told to. It is no lock: an id is no secret. It keeps what a router
//! in front of several deployments sends to the wrong one from being answered by it.

use super::Input;

/// What is answered to whoever asks: agents are not given the organisation's id, and machines have
/// nothing but their signature before they are given anything.
const OPEN: [&str; 5] = [
    "/health",
    "/metrics",
    "/registry/register",
    "/registry/heartbeat",
    "/bootstrap/exchange",
];

/// Whether a request may be answered by this organisation; by one without a name all may.
pub(super) fn lets_in(input: &Input, org_id: &str) -> bool {
    OPEN.contains(&input.path.as_str())
        || input.path.starts_with("/cp/")
        || is_for(org_id, |name| input.header(name))
}

/// Whether these headers are of a request for this organisation; for one without a name all are.
pub fn is_for<'a>(org_id: &str, header: impl Fn(&str) -> Option<&'a str>) -> bool {
    let replayed = || {
        let source = header("fly-replay-src").unwrap_or_default();
        let mut segments = source.split(';').map(str::trim);
        segments.any(|segment| segment.strip_prefix("state=") == Some(org_id))
    };
    org_id.is_empty() || header("x-molecule-org-id") == Some(org_id) || replayed()
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, Request, RequestExt as _};

    use super::*;

    fn input(path: &str, header: Option<(&'static str, &str)>) -> Input {
        let mut request = Request::new(Body::Empty);
        if let Some((name, value)) = header {
            let value = value.parse().expect("a value");
            request.headers_mut().insert(name, value);
        }
        Input::from(request.with_raw_http_path(path))
    }

    #[test]
    fn paths_that_are_open_are_whole() {
        for (path, expected) in [
            ("/health", true),
            ("/metrics", true),
            ("/registry/register", true),
            ("/registry/heartbeat", true),
            ("/bootstrap/exchange", true),
            ("/cp/auth", true),
            ("/cp", false),
            ("/health/x", false),
            ("/registry/update-card", false),
            ("/workspaces", false),
            ("/", false),
        ] {
            assert_eq!(lets_in(&input(path, None), "org"), expected, "{path}");
            assert!(lets_in(&input(path, None), ""), "{path}, unarmed");
        }
    }

    #[test]
    fn the_id_comes_in_either_header() {
        let (own, replay) = ("x-molecule-org-id", "fly-replay-src");
        for (name, value, expected) in [
            (own, "org", true),
            (own, "Org", false),
            (own, "org2", false),
            (replay, "instance=a; state=org ;t=1", true),
            (replay, "state=org", true),
            (replay, "state=organisation", false),
            (replay, "xstate=org", false),
            (replay, "instance=org", false),
        ] {
            let input = input("/workspaces", Some((name, value)));
            assert_eq!(lets_in(&input, "org"), expected, "{name}: {value}");
        }
    }
}

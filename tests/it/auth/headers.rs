//! The headers of every answer, from the deployed stack (contract: registry-and-auth 3).

use e2e::{Answer, World};
use reqwest::Method;

const LISTED: &str = "http://localhost:3000";
const API: &str = "default-src 'self'";
const PAGES: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' \
    'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; font-src 'self' data:";

/// Those that do not depend on the path.
const ALWAYS: [(&str, &str); 5] = [
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
];

#[track_caller]
fn is_safe(what: &str, answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    for name in ["limit", "remaining", "reset"] {
        let name = format!("x-ratelimit-{name}");
        let number: Result<u32, _> = answer.header(&name).parse();
        assert!(number.is_ok(), "{what}: {name}");
    }
}

#[tokio::test]
async fn every_kind_of_answer_carries_them() {
    let world = World::new();
    let own = world.workspace("Headers").await;
    let shown = format!("/workspaces/{}", own.id);
    for (method, path, bearer, status, policy) in [
        (Method::GET, "/health", "", 200, API),
        (Method::GET, shown.as_str(), own.token.as_str(), 200, API),
        (Method::POST, "/org/tokens", own.token.as_str(), 401, API),
        (Method::GET, "/workspaces/x", own.token.as_str(), 400, API),
        (Method::GET, "/metrics", world.admin.as_str(), 200, API),
        (Method::GET, "/workspaces/x/nothing", "", 404, API),
        (Method::GET, "/workspaces/", "", 301, API),
        (Method::POST, "/registry/register", "", 400, API),
        (Method::POST, "/bootstrap/exchange", "", 401, PAGES),
        (Method::GET, "/canvas/viewport", "", 200, PAGES),
        (Method::GET, "/nothing", "", 404, PAGES),
    ] {
        let call = world.call(method.clone(), path);
        let call = if bearer.is_empty() {
            call
        } else {
            call.bearer(bearer)
        };
        let answer = call.await.expect(status);
        is_safe(path, &answer);
        let found = answer.header("content-security-policy");
        assert_eq!(found, policy, "{method} {path}");
        assert!(!found.contains("unsafe-eval"));
    }
}

#[tokio::test]
async fn the_console_has_the_strictest_policy() {
    let world = World::new();
    for path in [
        "/",
        "/console/app.js",
        "/console/app.css",
        "/console/icon.svg",
    ] {
        let answer = world.get(path).await.expect(200);
        is_safe(path, &answer);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

#[tokio::test]
async fn a_browser_that_asks_first_gets_them_and_is_not_counted() {
    let world = World::new();
    let ask = world.call(Method::OPTIONS, "/workspaces");
    let ask = ask.header("Origin", LISTED);
    let answer = ask.header("Access-Control-Request-Method", "POST").await;
    let answer = answer.expect(204);
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!(answer.header("content-security-policy"), API);
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
    assert_eq!(answer.header("x-ratelimit-limit"), "");
}

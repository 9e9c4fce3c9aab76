//! `GET /health`, and what no route answers: 404, trailing slashes, preflights, foreign pages

use e2e::{Answer, World};
use reqwest::Method;
use serde_json::json;

const LISTED: &str = "http://localhost:3000";

#[track_caller]
fn is_safe(answer: &Answer, policy: &str) {
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
        assert_eq!(answer.header(name), value, "{name}");
    }
}

const API: &str = "default-src 'self'";
const PAGE: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' \
    'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; font-src 'self' data:";

#[tokio::test]
async fn health_is_for_everybody() {
    let world = World::new();
    let answer = world.get("/health").await.expect(200);
    assert_eq!(answer.json, json!({"status": "ok"}));
    assert_eq!(answer.header("content-type"), "application/json");
    is_safe(&answer, API);
}

#[tokio::test]
async fn answers_and_refusals_carry_the_security_headers() {
    let world = World::new();
    for (path, status, policy) in [
        ("/workspaces", 401, API),
        ("/workspaces/x/y/z", 404, API),
        ("/registry/nothing", 404, API),
        ("/canvas/viewport", 200, PAGE),
        ("/nothing", 404, PAGE),
        ("/workspacesX", 404, PAGE),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        is_safe(&answer, policy);
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_404_in_plain_text() {
    let world = World::new();
    for (method, path) in [
        (Method::POST, "/"),
        (Method::GET, "/nothing"),
        (Method::GET, "/workspaces/x/nothing"),
        (Method::GET, "/registry/register"),
        (Method::PUT, "/workspaces"),
        (Method::DELETE, "/health"),
        (Method::POST, "/health"),
        (Method::PATCH, "/canvas/viewport"),
    ] {
        let call = world.call(method.clone(), path).bearer(&world.admin);
        let answer = call.await.expect(404);
        assert_eq!(answer.bytes, b"404 page not found", "{method} {path}");
        assert!(answer.header("content-type").starts_with("text/plain"));
    }
}

#[tokio::test]
async fn a_trailing_slash_is_sent_to_the_path_without() {
    let world = World::new();
    for (method, path, status, to) in [
        (Method::GET, "/health/", 301, "/health"),
        (Method::GET, "/workspaces/", 301, "/workspaces"),
        (Method::POST, "/workspaces/", 307, "/workspaces"),
        (Method::PUT, "/canvas/viewport/", 307, "/canvas/viewport"),
        // The question goes along.
        (
            Method::DELETE,
            "/workspaces/x/?confirm=true&purge=true",
            307,
            "/workspaces/x?confirm=true&purge=true",
        ),
        (
            Method::GET,
            "/workspaces/x/activity/?type=a%2Fb&limit=1",
            301,
            "/workspaces/x/activity?type=a%2Fb&limit=1",
        ),
    ] {
        let moved = world.call(method.clone(), path).await;
        assert_eq!(moved.status, status, "{method} {path}");
        assert_eq!(moved.header("location"), to, "{method} {path}");
        assert!(moved.bytes.is_empty());
    }
    // Never to somebody else's host, and to nothing that a header cannot carry.
    for path in [
        "//evil.example/",
        "/%2Fevil.example/",
        "/%5Cevil.example/",
        "/%09/evil.example/",
        "/a%0D%0AX-Evil:1/",
        "/a%20b/",
        "/%C3%A9/",
    ] {
        let answer = world.get(path).await.expect(404);
        assert_eq!(answer.header("location"), "", "{path}");
        assert_eq!(answer.header("x-evil"), "");
    }
}

#[tokio::test]
async fn listed_pages_may_call_and_others_may_not() {
    let world = World::new();
    let check = |answer: &Answer| {
        for (name, value) in [
            ("access-control-allow-origin", LISTED),
            ("access-control-allow-credentials", "true"),
            (
                "access-control-allow-methods",
                "GET,POST,PUT,PATCH,DELETE,OPTIONS",
            ),
            (
                "access-control-allow-headers",
                "Origin,Content-Type,X-Workspace-Id,Authorization",
            ),
            ("access-control-max-age", ""),
        ] {
            assert_eq!(answer.header(name), value, "{name}");
        }
    };
    for path in ["/workspaces", "/registry/register", "/nothing"] {
        let preflight = world
            .call(Method::OPTIONS, path)
            .header("Origin", LISTED)
            .header("Access-Control-Request-Method", "POST")
            .await
            .expect(204);
        assert!(preflight.bytes.is_empty());
        check(&preflight);
    }
    // Refusals too: the page may read why.
    let refused = world.get("/workspaces").header("Origin", LISTED).await;
    check(&refused);
    assert_eq!(refused.error(), (401, "admin auth required"));
    check(
        &world
            .get("/health")
            .header("Origin", LISTED)
            .await
            .expect(200),
    );

    for origin in [
        "http://localhost:3000.evil.example",
        "https://localhost:3000",
        "http://evil.example",
        "null",
    ] {
        for (method, path) in [
            (Method::OPTIONS, "/workspaces"),
            (Method::GET, "/workspaces"),
            (Method::GET, "/health"),
            (Method::GET, "/nothing"),
        ] {
            let call = world.call(method, path).bearer(&world.admin);
            let refused = call.header("Origin", origin).await.expect(403);
            assert!(refused.bytes.is_empty(), "{origin}");
            assert_eq!(refused.header("access-control-allow-origin"), "");
            assert_eq!(refused.header("x-frame-options"), "");
        }
    }
    // Our own pages need no list.
    let own = std::env::var("BASE_URL").expect("set");
    let answer = world.get("/health").header("Origin", &own).await;
    assert_eq!(answer.expect(200).header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_foreign_page_changes_nothing() {
    let world = World::new();
    let workspace = world.workspace("Mine").await;
    let before = world.snapshot(&workspace.id).await;
    let path = format!("/workspaces/{}?confirm=true", workspace.id);
    let call = world.call(Method::DELETE, &path).bearer(&world.admin);
    call.header("Origin", "http://evil.example")
        .await
        .expect(403);
    assert_eq!(world.snapshot(&workspace.id).await, before);
}

//! `GET /`, `GET /console` and the page's files: what the browser gets. What the page does with it is
//! in `tests/console`.

use e2e::World;
use reqwest::Method;

/// What the policy of the page must say: nothing inline, nothing from elsewhere but the socket and the
/// bucket's files.
const POLICY: [&str; 7] = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
];

#[tokio::test]
async fn the_page_needs_no_credential_and_loads_nothing_from_elsewhere() {
    let world = World::new();
    let root = world.get("/").await.expect(200);
    assert_eq!(
        root.header("content-type"),
        "text/html; charset=utf-8",
        "{:?}",
        root.bytes
    );
    let same = world.get("/console").await.expect(200);
    assert_eq!(same.bytes, root.bytes);

    let policy = root.header("content-security-policy");
    let said: Vec<&str> = policy.split("; ").collect();
    for rule in POLICY {
        assert!(said.contains(&rule), "{rule} in {policy}");
    }
    let socket = std::env::var("WS_URL").expect("set");
    let origin = socket.strip_suffix("/ws").expect("an address of a socket");
    let bucket = std::env::var("AWS_ENDPOINT_URL").expect("set");
    let connect = format!("connect-src 'self' {origin} {bucket}");
    assert!(said.contains(&connect.as_str()), "{connect} in {policy}");
    assert_eq!(said.len(), POLICY.len() + 1, "{policy}");
    assert_eq!(root.header("x-frame-options"), "DENY");
    assert_eq!(root.header("x-content-type-options"), "nosniff");

    let config = world.get("/console/config.json").await.expect(200);
    assert_eq!(config.json["websocket_url"], socket);
}

#[tokio::test]
async fn every_file_the_page_names_is_there_and_asked_for_once() {
    let world = World::new();
    let page = world.get("/").await.expect(200);
    let page = String::from_utf8(page.bytes).expect("text");
    let named = page.split('"').filter(|it| it.starts_with("/console/"));
    let named: Vec<&str> = named.collect();
    assert!(named.len() >= 3, "{named:?}");
    for path in named {
        let file = world.get(path).await.expect(200);
        let content_type = match path.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            other => panic!("a file of type {other:?}"),
        };
        assert_eq!(file.header("content-type"), content_type, "{path}");
        let tag = file.header("etag");
        assert!(tag.len() > 2, "{path}");
        for (known, status) in [
            (tag, 304),
            (&*format!("\"other\", W/{tag}"), 304),
            ("*", 304),
            ("\"other\"", 200),
        ] {
            let again = world.get(path).header("If-None-Match", known).await;
            assert_eq!(again.status, status, "{path} {known}");
            assert_eq!(again.bytes.is_empty(), status == 304, "{path}");
            assert_eq!(again.header("etag"), tag, "{path}");
        }
    }
}

#[tokio::test]
async fn there_is_nothing_else_below_it() {
    let world = World::new();
    for (method, path, status) in [
        (Method::GET, "/console/nothing.js", 404),
        (Method::GET, "/console/../app.js", 404),
        (Method::GET, "/console/page.rs", 404),
        (Method::POST, "/console", 404),
        (Method::POST, "/", 404),
        (Method::GET, "/console/", 301),
    ] {
        let answer = world.call(method.clone(), path).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

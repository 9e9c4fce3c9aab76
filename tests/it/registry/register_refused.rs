//! `POST /registry/register`, refused

use e2e::World;
use serde_json::json;

use super::register::{URL, body, register};

#[tokio::test]
async fn bad_requests_change_nothing() {
    let world = World::new();
    let workspace = world.workspace("Refused").await;
    let before = world.snapshot(&workspace.id).await;
    let id = &workspace.id;
    let (invalid, bad_id) = ("invalid request body", "invalid workspace ID");
    for (body, sentence) in [
        (String::new(), invalid),
        ("{".to_owned(), invalid),
        ("null".to_owned(), invalid),
        ("[]".to_owned(), invalid),
        (format!(r#"["{id}","{URL}",{{}}]"#), invalid),
        ("{}".to_owned(), invalid),
        (format!(r#"{{"url":"{URL}","agent_card":{{}}}}"#), invalid),
        (
            format!(r#"{{"id":"","url":"{URL}","agent_card":{{}}}}"#),
            invalid,
        ),
        (
            format!(r#"{{"id":7,"url":"{URL}","agent_card":{{}}}}"#),
            invalid,
        ),
        (format!(r#"{{"id":"{id}","agent_card":{{}}}}"#), invalid),
        (
            format!(r#"{{"id":"{id}","url":"","agent_card":{{}}}}"#),
            invalid,
        ),
        (
            format!(r#"{{"id":"{id}","url":null,"agent_card":{{}}}}"#),
            invalid,
        ),
        (
            format!(r#"{{"id":"{id}","url":["{URL}"],"agent_card":{{}}}}"#),
            invalid,
        ),
        (format!(r#"{{"id":"{id}","url":"{URL}"}}"#), invalid),
        (
            format!(r#"{{"id":"{id}","url":"{URL}","agent_card":{{}},"delivery_mode":"pigeon"}}"#),
            invalid,
        ),
        (
            format!(r#"{{"id":"x","url":"{URL}","agent_card":{{}}}}"#),
            bad_id,
        ),
        (
            format!(
                r#"{{"id":"{}","url":"{URL}","agent_card":{{}}}}"#,
                id.replace('-', "")
            ),
            bad_id,
        ),
    ] {
        let refused = world
            .post("/registry/register")
            .bearer(&workspace.token)
            .body(body.clone());
        assert_eq!(refused.await.error(), (400, sentence), "{body}");
    }
    let not_utf8 = [br#"{"id":""#.as_slice(), &[0xff, 0xfe], br#""}"#].concat();
    let refused = world.post("/registry/register").body(not_utf8).await;
    assert_eq!(refused.error(), (400, invalid));

    for (request, most) in [
        (json!({"padding": "x".repeat(256 * 1024)}), 262_144),
        (
            json!({"id": id, "url": URL, "agent_card": "x".repeat(64 * 1024)}),
            65_536,
        ),
    ] {
        let refused = register(&world, &workspace.token, &request)
            .await
            .expect(413);
        assert_eq!(
            refused.json,
            json!({"error": "request body too large", "max_bytes": most})
        );
    }
    assert_eq!(world.snapshot(&workspace.id).await, before);
}

#[tokio::test]
async fn addresses_that_may_not_be_called_are_refused_without_a_reason() {
    let world = World::new();
    let workspace = world.workspace("Addresses").await;
    let with = |url: &str| json!({"id": workspace.id, "url": url, "agent_card": {}});
    let before = world.snapshot(&workspace.id).await;
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://metadata.google.internal/",
        "http://0.0.0.0:8000",
        "http://[::]:8000",
        "http://100.64.0.1",
        "http://192.0.2.1",
        "http://224.0.0.1",
        "http://255.255.255.255",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1/#fragment",
        "http://no-such-host.invalid/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "127.0.0.1:8000",
        "http://",
        "agent",
    ] {
        let refused = register(&world, &workspace.token, &with(url)).await;
        let (status, json) = (refused.status, refused.json);
        assert_eq!(status, 400, "{url}");
        assert_eq!(json, json!({"error": "invalid request body"}), "{url}");
        // Who may not register learns nothing about addresses.
        let foreign = register(&world, "nonsense", &with(url)).await;
        assert_eq!(foreign.error(), (401, "invalid workspace auth token"));
    }
    assert_eq!(world.snapshot(&workspace.id).await, before);
    for url in [
        "http://127.0.0.1:8000/a2a?x=1",
        "http://[::1]:8000",
        "http://10.1.2.3",
        "https://192.168.0.7:8443/agent",
        "http://localhost:8000",
    ] {
        let answer = register(&world, &workspace.token, &with(url)).await;
        answer.expect(200);
        assert_eq!(world.show(&workspace.id).await["url"], url);
    }
}

#[tokio::test]
async fn a_removed_workspace_stays_removed() {
    let world = World::new();
    let (workspace, _agent) = world.online("Gone").await;
    world.delete(&workspace.id).await;
    let before = world.snapshot(&workspace.id).await;
    for (bearer, refusal) in [
        ("", (401, "missing workspace auth token")),
        (&workspace.token, (401, "invalid workspace auth token")),
        (&world.admin, (404, "workspace not found")),
    ] {
        let refused = register(&world, bearer, &body(&workspace.id)).await;
        assert_eq!(refused.error(), refusal, "{bearer}");
    }
    assert_eq!(world.snapshot(&workspace.id).await, before);
    assert_eq!(before["shown"]["status"], "removed");
}

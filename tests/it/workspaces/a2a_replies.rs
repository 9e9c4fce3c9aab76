//! `POST /workspaces/{id}/a2a`: what agents answer, and what callers and the log get of it.

use std::net::TcpListener;

use e2e::{Agent, Script, World, without};
use serde_json::{Value, json};

const UNREACHED: (u16, &str) = (502, "failed to reach workspace agent");

#[tokio::test]
async fn successes_pass_through_byte_for_byte() {
    let world = World::new();
    let (workspace, agent) = world.online("Oracle").await;

    // Status, what the agent says, and how the log shows it: what is no JSON is null there.
    let cases: [(u16, &[u8], Value); 9] = [
        (
            200,
            b" {\"b\" : 1.50, \"a\":2}\n",
            json!({"b": 1.5, "a": 2}),
        ),
        (
            200,
            b"{\"error\":{\"code\":-32601}}",
            json!({"error": {"code": -32601}}),
        ),
        (200, b"null", Value::Null),
        (200, b"plain words", Value::Null),
        (200, b"\xff\xfe\x00 no text", Value::Null),
        (200, b"", Value::Null),
        (201, b"{\"made\":true}", json!({"made": true})),
        (202, b"{\"queued\":false}", json!({"queued": false})),
        (204, b"", Value::Null),
    ];
    for (status, body, logged) in cases {
        let headers = vec![
            ("content-type", "text/html".to_owned()),
            ("set-cookie", "a=b".to_owned()),
            ("x-agent", "secret".to_owned()),
        ];
        agent.next(Script::Raw(status, headers, body.to_vec()));
        let answer = world.message(&workspace.id, "hello").await.expect(status);
        let shown = String::from_utf8_lossy(body);
        assert_eq!(answer.bytes, body, "{shown}");
        assert_eq!(answer.header("content-type"), "application/json", "{shown}");
        for name in ["set-cookie", "x-agent"] {
            assert_eq!(answer.header(name), "", "{shown}");
        }
        let rows = world.activity(&workspace.id, "limit=1").await;
        assert_eq!(rows[0]["status"], "ok", "{shown}");
        assert_eq!(rows[0].get("response_body"), Some(&logged), "{shown}");
    }
}

#[tokio::test]
async fn failures_become_one_sentence() {
    let world = World::new();
    let (workspace, agent) = world.online("Grump").await;

    // Status, what the agent says, what the caller is told.
    let cases: [(u16, &[u8], &str); 12] = [
        (400, b"{\"error\":\"too vague\",\"hint\":1}", "too vague"),
        (401, b"{\"error\":\"who are you\"}", "who are you"),
        (404, b"{\"error\":{\"code\":7}}", "Not Found"),
        (409, b"{\"error\":5}", "Conflict"),
        (418, b"short and stout", "I'm a teapot"),
        (422, b"", "Unprocessable Entity"),
        (429, b"{\"error\":\"slow down\"}", "slow down"),
        (500, b"[\"error\"]", "Internal Server Error"),
        (502, b"\xff", "Bad Gateway"),
        (503, b"{\"error\":\"shutting down\"}", "shutting down"),
        (503, b"{\"detail\":\"none\"}", "Service Unavailable"),
        (304, b"", "Not Modified"),
    ];
    for (status, body, sentence) in cases {
        agent.next(Script::Raw(status, Vec::new(), body.to_vec()));
        let answer = world.message(&workspace.id, "hello").await.expect(status);
        assert_eq!(answer.header("retry-after"), "", "{status}");
        if status != 304 {
            assert_eq!(answer.json, json!({"error": sentence}), "{status}");
        }
        let rows = world.activity(&workspace.id, "limit=1").await;
        let logged = if status < 400 { "ok" } else { "error" };
        assert_eq!(rows[0]["status"], logged, "{status}");
        assert_eq!(rows[0]["error_detail"], Value::Null, "{status}");
        assert_eq!(rows[0]["summary"], "message/send → Grump", "{status}");
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        assert_eq!(rows[0].get("response_body"), Some(&said), "{status}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let world = World::new();
    let (workspace, agent) = world.online("Pointer").await;
    let elsewhere = Agent::start().await;

    for (status, sentence) in [
        (301, "Moved Permanently"),
        (302, "Found"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
    ] {
        let location = vec![("location", elsewhere.url.clone())];
        agent.next(Script::Raw(status, location, b"moved".to_vec()));
        let answer = world.message(&workspace.id, "hello").await;
        assert_eq!(answer.error(), (status, sentence));
        assert_eq!(answer.header("location"), "");
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_told_of() {
    let world = World::new();
    let sender = world.workspace("Sender").await;
    let workspace = world.workspace("Gone").await;
    let (listening, agent) = world.online("No TLS").await;
    let encrypted = agent.url.replace("http:", "https:");
    world.register(&listening, &encrypted).await.expect(200);
    // A port that was free a moment ago.
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("an address");
    drop(socket);
    let url = format!("http://{address}");
    world.register(&workspace, &url).await.expect(200);

    for target in [&workspace, &listening] {
        let answer = world.message_from(&sender, &target.id, "hello").await;
        assert_eq!(answer.json, json!({"error": UNREACHED.1}));
        assert_eq!(answer.error(), UNREACHED);
        assert_eq!(answer.header("retry-after"), "");
    }
    let row = &world.activity(&workspace.id, "").await[0];
    let why = row["error_detail"].as_str().expect("a reason");
    assert!(!why.is_empty() && !why.contains("127.0.0.1"), "{why}");
    let own = ["id", "created_at", "duration_ms", "request_body"];
    assert_eq!(
        without(row, &own),
        json!({
            "workspace_id": workspace.id,
            "activity_type": "a2a_receive",
            "source_id": sender.id,
            "target_id": workspace.id,
            "method": "message/send",
            "summary": format!("A2A request to Gone failed: {why}"),
            "status": "error",
            "error_detail": why,
        })
    );
    assert!(world.show(&sender.id).await["last_outbound_at"].is_null());
    assert!(agent.received().is_empty());

    // Its status is not touched, and once it is back it is reached.
    assert_eq!(world.show(&workspace.id).await["status"], "online");
    let back = Agent::start().await;
    world.register(&workspace, &back.url).await.expect(200);
    world.message(&workspace.id, "hello").await.expect(200);
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_lost_but_the_message_was_not() {
    let world = World::new();
    let (workspace, agent) = world.online("Cut").await;

    for (status, confirmed, logged) in [(200, true, "ok"), (500, false, "error")] {
        agent.next(Script::Cut(status));
        let answer = world.message(&workspace.id, "hello").await.expect(502);
        assert_eq!(
            answer.json,
            json!({"error": "failed to read agent response", "delivery_confirmed": confirmed})
        );
        let rows = world.activity(&workspace.id, "limit=1").await;
        assert_eq!(rows[0]["status"], logged);
    }
    // The agent is free again.
    world.message(&workspace.id, "hello").await.expect(200);
    assert_eq!(agent.received().len(), 3);
}

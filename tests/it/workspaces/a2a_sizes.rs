//! `POST /workspaces/{id}/a2a`: messages and replies at the limits of size.

use e2e::{Script, World, envelope};
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

/// A JSON string of `bytes` bytes that grows when it is written into JSON again.
fn quoted(bytes: usize) -> Vec<u8> {
    let inner = "\\\"".repeat((bytes - 2) / 2);
    format!("\"{inner}\"").into_bytes()
}

fn plain(bytes: usize) -> Vec<u8> {
    format!("\"{}\"", "x".repeat(bytes - 2)).into_bytes()
}

#[tokio::test]
async fn messages_may_have_one_mebibyte() {
    let world = World::new();
    let (workspace, agent) = world.online("Librarian").await;
    let frame = envelope("").to_string().len();

    let text = "\"quoted\"\n".repeat(80_000);
    let answer = world.message(&workspace.id, &text).await.expect(200);
    let said = answer.json["result"]["parts"][0]["text"].as_str();
    assert_eq!(said, Some(format!("echo: {text}").as_str()));
    assert_eq!(agent.texts(), [text]);
    let rows = world.activity(&workspace.id, "").await;
    assert_eq!(rows[0]["request_body"], agent.received()[0].body);
    assert_eq!(rows[0]["response_body"], answer.json);

    let most = "x".repeat(MIB - frame);
    world.message(&workspace.id, &most).await.expect(200);
    let over = world.message(&workspace.id, &format!("{most}x")).await;
    assert_eq!(over.status, 413);
    assert_eq!(
        over.json,
        json!({"error": "request body too large", "max_bytes": MIB})
    );
    assert_eq!(agent.texts().len(), 2);
}

#[tokio::test]
async fn replies_that_fit_come_as_they_are() {
    let world = World::new();
    let (workspace, agent) = world.online("Author").await;
    let binary: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();

    for body in [quoted(1_000_000), plain(5_400_000), binary] {
        agent.next(Script::Raw(200, Vec::new(), body.clone()));
        let answer = world.message(&workspace.id, "write").await.expect(200);
        assert!(answer.bytes == body, "{} bytes came", answer.bytes.len());
    }
}

#[tokio::test]
async fn replies_that_do_not_fit_are_fetched() {
    let world = World::new();
    let (workspace, agent) = world.online("Author").await;
    let binary = vec![0xff; 5_000_000];

    for (body, is_json) in [
        (quoted(5_400_000), true),
        (plain(9_000_000), true),
        (binary, false),
    ] {
        agent.next(Script::Raw(200, Vec::new(), body.clone()));
        let answer = world.message(&workspace.id, "write").await.expect(200);
        assert_eq!(answer.json["truncated"], true);
        assert_eq!(answer.json.as_object().expect("an object").len(), 2);
        let stored = world.fetch(&answer.text("result_url")).await.expect(200);
        assert!(stored.bytes == body, "{} bytes came", stored.bytes.len());
        assert_eq!(stored.header("content-type"), "application/json");

        // The log has it as well, but a list cannot carry it.
        let path = format!("/workspaces/{}/activity?limit=1", workspace.id);
        let list = world.get(&path).by(&workspace).await.expect(200);
        assert_eq!(list.json[0]["status"], "ok");
        let (shown, header) = if is_json {
            (None, "true")
        } else {
            (Some(&Value::Null), "")
        };
        assert_eq!(list.json[0].get("response_body"), shown);
        assert_eq!(list.header("x-bodies-truncated"), header);
    }
}

#[tokio::test]
async fn replies_over_ten_mebibytes_are_lost() {
    let world = World::new();
    let (workspace, agent) = world.online("Rambler").await;

    for (status, confirmed) in [(200, true), (500, false)] {
        agent.next(Script::Raw(status, Vec::new(), plain(10 * MIB + 1)));
        let answer = world.message(&workspace.id, "write").await.expect(502);
        assert_eq!(
            answer.json,
            json!({"error": "failed to read agent response", "delivery_confirmed": confirmed})
        );
    }
    agent.next(Script::Raw(200, Vec::new(), plain(10 * MIB)));
    let most = world.message(&workspace.id, "write").await.expect(200);
    assert_eq!(most.json["truncated"], true);
}

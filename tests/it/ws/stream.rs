//! `GET /workspaces/{id}/events/stream`

use e2e::World;
use serde_json::{Value, json};

/// The blocks of a stream that have data: ids and data.
fn told(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter_map(|block| {
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let data = serde_json::from_str(line("data: ")?).expect("JSON");
        Some((line("id: ")?.to_owned(), data))
    });
    blocks.collect()
}

#[tokio::test]
async fn what_happens_to_one_workspace_streams_and_goes_on_from_the_last_id() {
    let world = World::new();
    let workspace = world.workspace("Streamed").await;
    let child = world.child("Not streamed", &workspace).await;
    let path = format!("/workspaces/{}/events/stream", workspace.id);
    let waiting = world.get(&path).bearer(&workspace.token).into_future();
    let waiting = tokio::spawn(waiting);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    world
        .beat(&child, json!({"current_task": "x"}))
        .await
        .expect(200);
    world
        .beat(&workspace, json!({"current_task": "y"}))
        .await
        .expect(200);
    let answer = waiting.await.expect("an answer").expect(200);
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let text = String::from_utf8(answer.bytes.clone()).expect("text");
    assert!(text.starts_with(": ping\n\n"), "{text}");
    let first = told(&text);
    assert_eq!(first.len(), 1, "{text}");
    let (id, data) = &first[0];
    assert_eq!(data["type"], "TASK_UPDATED");
    assert_eq!(
        data["data"],
        json!({"current_task": "y", "active_tasks": 0})
    );
    assert!(data["timestamp"].as_i64() > Some(1_700_000_000_000));

    world
        .beat(&workspace, json!({"current_task": "z"}))
        .await
        .expect(200);
    let next = world.get(&path).bearer(&workspace.token);
    let next = next.header("last-event-id", id).await.expect(200);
    let next = told(&String::from_utf8(next.bytes.clone()).expect("text"));
    assert_eq!(next.len(), 1, "no repeats: {next:?}");
    assert_eq!(next[0].1["data"]["current_task"], "z");
}

#[tokio::test]
async fn only_the_workspace_itself_and_operators_may_read_it() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let path = format!("/workspaces/{}/events/stream", own.id);
    let first = "01900000-0000-7000-8000-000000000000";
    for (bearer, status) in [("", 401), (&*other.token, 401), (&*world.admin, 200)] {
        let call = world.get(&path).bearer(bearer);
        let answer = call.header("last-event-id", first).await;
        assert_eq!(answer.status, status);
    }
    let call = world.get(&path).bearer(&own.token);
    let bad = call.header("last-event-id", "x").await;
    assert_eq!(bad.error(), (400, "invalid event ID"));
    let nowhere = format!("/workspaces/{}/events/stream", e2e::STRANGER);
    let answer = world.get(&nowhere).bearer(&world.admin).await;
    assert_eq!(answer.error(), (404, "workspace not found"));
}

//! `POST /workspaces/{id}/a2a`: a message that reaches its agent, and what is kept of it.

use std::sync::Arc;

use e2e::{Agent, Script, World, at_once, without};
use serde_json::json;
use tokio::sync::Barrier;

/// What no test can foresee of a row.
const OWN: [&str; 3] = ["id", "created_at", "duration_ms"];

#[tokio::test]
async fn a_persons_message_is_answered_and_kept() {
    let world = World::new();
    let (workspace, agent) = world.online("Echo").await;

    let answer = world.message(&workspace.id, "hello").await.expect(200);
    assert_eq!(answer.json["result"]["parts"][0]["text"], "echo: hello");
    assert_eq!(agent.texts(), ["hello"]);

    let rows = world
        .activity(&workspace.id, "type=a2a_receive&source=canvas")
        .await;
    assert_eq!(rows.len(), 1);
    // Zero would read as "not done yet" in chat.
    assert!(rows[0]["duration_ms"].as_i64() > Some(0), "{}", rows[0]);
    assert!(rows[0]["created_at"].as_str().expect("text").ends_with('Z'));
    assert_eq!(
        without(&rows[0], &OWN),
        json!({
            "workspace_id": workspace.id,
            "activity_type": "a2a_receive",
            "source_id": null,
            "target_id": workspace.id,
            "method": "message/send",
            "summary": "message/send → Echo",
            "request_body": agent.received()[0].body,
            "response_body": answer.json,
            "status": "ok",
            "error_detail": null,
        })
    );
}

#[tokio::test]
async fn a_workspaces_message_is_kept_under_its_name() {
    let world = World::new();
    let (target, agent) = world.online("Target").await;
    let sender = world.workspace("Sender").await;
    assert!(world.show(&sender.id).await["last_outbound_at"].is_null());

    agent.next(Script::Status(500, json!({"error": "no"})));
    world
        .message_from(&sender, &target.id, "first")
        .await
        .expect(500);
    let seen = world.show(&sender.id).await;
    assert!(seen["last_outbound_at"].is_null(), "it got no answer yet");

    world
        .message_from(&sender, &target.id, "second")
        .await
        .expect(200);
    let seen = world.show(&sender.id).await;
    assert!(seen["last_outbound_at"].is_string());
    let seen = world.show(&target.id).await;
    assert!(seen["last_outbound_at"].is_null());

    let rows = world.activity(&target.id, "source=agent").await;
    let statuses: Vec<_> = rows.iter().map(|row| &row["status"]).collect();
    assert_eq!(statuses, ["ok", "error"]);
    assert!(rows.iter().all(|row| row["source_id"] == sender.id));
    assert!(world.activity(&target.id, "source=canvas").await.is_empty());
    // The row is the target's alone.
    assert!(world.activity(&sender.id, "").await.is_empty());
}

#[tokio::test]
async fn the_agent_sees_the_message_and_nothing_of_its_sender() {
    let world = World::new();
    let (sender, agent) = (world.workspace("Sender").await, Agent::start().await);
    let target = world.workspace("Target").await;
    // The address is called as it was registered.
    let url = format!("{}/agents/7?key=value", agent.url);
    world.register(&target, &url).await.expect(200);

    world
        .message_from(&sender, &target.id, "hello")
        .header("X-Timeout", "20")
        .header("X-Request-ID", "7")
        .header("Cookie", "a=b")
        .await
        .expect(200);
    let got = &agent.received()[0];
    assert_eq!(got.path, "/agents/7?key=value");
    assert_eq!(got.headers["content-type"], "application/json");
    let transport = ["accept", "content-length", "content-type", "host"];
    for name in got.headers.keys() {
        assert!(transport.contains(&name.as_str()), "{name} got through");
    }
}

#[tokio::test]
async fn the_tools_of_an_answer_are_kept() {
    let world = World::new();
    let (workspace, agent) = world.online("Toolsmith").await;
    let trace = json!([{"tool": "read_file", "input": {"path": "a"}}, {"tool": "think"}]);
    let result = json!({"parts": [], "metadata": {"tool_trace": trace}});
    agent.next(Script::Status(200, json!({"result": result})));

    world.message(&workspace.id, "work").await.expect(200);
    world.message(&workspace.id, "rest").await.expect(200);
    let rows = world.activity(&workspace.id, "").await;
    assert_eq!(rows[1]["tool_trace"], trace);
    assert_eq!(rows[0].get("tool_trace"), None);
}

#[tokio::test]
async fn many_tools_are_kept_as_well() {
    let world = World::new();
    let (workspace, agent) = world.online("Busy toolsmith").await;
    let trace = json!([{"tool": "read_file", "output": "x".repeat(40 * 1024)}]);
    let result = json!({"parts": [], "metadata": {"tool_trace": trace}});
    agent.next(Script::Status(200, json!({"result": result})));

    world.message(&workspace.id, "work").await.expect(200);
    let rows = world.activity(&workspace.id, "").await;
    assert_eq!(rows[0]["tool_trace"], trace);
    assert_eq!(rows[0]["response_body"]["result"], result);
}

#[tokio::test]
async fn different_agents_are_called_side_by_side() {
    let world = World::new();
    // Nobody answers before all three have their message.
    let barrier = Arc::new(Barrier::new(3));
    let mut calls = Vec::new();
    for name in ["One", "Two", "Three"] {
        let (workspace, agent) = world.online(name).await;
        agent.next(Script::Meet(Arc::clone(&barrier)));
        calls.push(world.message(&workspace.id, "meet"));
    }
    for answer in at_once(calls).await {
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_degraded_agent_still_gets_its_messages() {
    let world = World::new();
    let (workspace, agent) = world.online("Flaky").await;
    world
        .beat(&workspace, json!({"error_rate": 0.9}))
        .await
        .expect(200);
    assert_eq!(world.show(&workspace.id).await["status"], "degraded");

    world.message(&workspace.id, "hello").await.expect(200);
    assert_eq!(agent.texts(), ["hello"]);
}

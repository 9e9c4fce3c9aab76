//! An agent that is back after a restart is told of it, by the deployed stack.

use e2e::{Agent, World};
use serde_json::json;

#[tokio::test]
async fn an_agent_that_is_back_is_told_once() {
    let world = World::new();
    let (own, agent) = (world.managed("Back again").await, Agent::start().await);
    world.register(&own, &agent.url).await.expect(200);
    let secret = json!({"key": "RESTART_CONTEXT_KEY", "value": "hunter2"});
    let path = format!("/workspaces/{}/secrets", own.id);
    let set = world.post(&path).bearer(&own.token).json(&secret);
    set.await.expect(200);
    world
        .act(&own.id, "restart")
        .bearer(&own.token)
        .await
        .expect(200);
    assert!(agent.restarts().is_empty(), "the first boot is none");
    world.register(&own, &agent.url).await.expect(200);
    world.register(&own, &agent.url).await.expect(200);
    let got = e2e::until(30, "it is told", || async { agent.restarts().pop() }).await;
    let message = &got.body["params"]["message"];
    assert_eq!(message["metadata"]["kind"], "restart_context");
    let text = message["parts"][0]["text"].as_str().expect("a text");
    assert!(text.starts_with("=== WORKSPACE RESTART CONTEXT ===\nRestart at: 2"));
    assert!(text.contains("RESTART_CONTEXT_KEY") && !text.contains("hunter2"));
    assert!(text.contains("Previous session ended: 2"), "{text}");
    // It goes on as before, and nobody reads of it in its chat.
    world.message(&own.id, "hello").await.expect(200);
    assert_eq!(agent.texts(), ["hello"]);
    assert_eq!(agent.restarts().len(), 1);
    assert_eq!(world.activity(&own.id, "type=a2a_receive").await.len(), 1);
}

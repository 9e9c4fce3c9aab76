//! Messages to a busy workspace: kept, in order, answered once.

use std::time::Duration;

use e2e::{Script, World, until};
use serde_json::json;

#[tokio::test]
async fn a_busy_workspaces_messages_wait_in_order_and_are_drained_on_completion() {
    let world = World::new();
    let (workspace, agent) = world.online("Busy").await;
    agent.next(Script::Slow(Duration::from_secs(4)));

    let first = tokio::spawn(world.message(&workspace.id, "first").into_future());
    until(5, "the first arrives", || async {
        (agent.texts() == ["first"]).then_some(())
    })
    .await;
    // At the head of the line the door is held; behind it there is no point.
    let second = tokio::spawn(world.message(&workspace.id, "second").into_future());
    until(5, "the second waits", || async {
        let queues = world
            .get("/admin/a2a-queue")
            .bearer(&world.admin)
            .await
            .expect(200)
            .json;
        let mine = queues["queues"]
            .as_array()?
            .iter()
            .find(|q| q["workspace_id"] == workspace.id)?;
        (mine["waiting"] == 1 && mine["running"] == 1).then_some(())
    })
    .await;
    let third = world.message(&workspace.id, "third").await.expect(202);
    assert_eq!(third.json["queued"], true);
    assert_eq!(third.json["queue_depth"], 2);
    assert_eq!(third.json["position"], 2);

    first.await.expect("joined").expect(200);
    let second = second.await.expect("joined").expect(200);
    assert_eq!(second.json["result"]["parts"][0]["text"], "echo: second");
    let third = world.settled(&workspace.id, &third.text("queue_id")).await;
    assert_eq!(third["state"], "completed");
    assert_eq!(third["result"]["result"]["parts"][0]["text"], "echo: third");
    assert_eq!(agent.texts(), ["first", "second", "third"]);
    let states: Vec<_> = third["timeline"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| step["state"].as_str().expect("text"))
        .collect();
    assert_eq!(states, ["queued", "dispatched", "dispatched", "completed"]);
}

#[tokio::test]
async fn an_agent_that_says_busy_gets_its_message_when_its_heartbeat_shows_capacity() {
    let world = World::new();
    let (workspace, agent) = world.online("Later").await;
    agent.next(Script::Busy(120));

    let answer = world.message(&workspace.id, "patience").await.expect(202);
    assert_eq!(answer.json["queued"], true);
    let id = answer.text("queue_id");
    assert_eq!(world.request(&workspace.id, &id).await["state"], "queued");

    world
        .beat(&workspace, json!({"active_tasks": 1}))
        .await
        .expect(200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.request(&workspace.id, &id).await["state"], "queued");
    world
        .beat(&workspace, json!({"active_tasks": 0}))
        .await
        .expect(200);
    let ended = world.settled(&workspace.id, &id).await;
    assert_eq!(ended["state"], "completed");
    assert_eq!(ended["attempts"], 2);
    assert_eq!(agent.texts(), ["patience", "patience"]);
}

#[tokio::test]
async fn the_same_message_a_hundred_times_is_one_delivery_and_a_hundred_equal_answers() {
    let world = World::new();
    let (workspace, agent) = world.online("Once").await;
    agent.next(Script::Slow(Duration::from_secs(1)));
    let body = |rpc: usize| {
        json!({"jsonrpc": "2.0", "id": rpc, "method": "message/send", "params": {"message": {
            "messageId": "the-same", "role": "user", "parts": [{"kind": "text", "text": "once"}]}}})
    };
    let path = format!("/workspaces/{}/a2a", workspace.id);
    let calls: Vec<_> = (0..100)
        .map(|n| {
            tokio::spawn(
                world
                    .post(&path)
                    .bearer(&world.admin)
                    .json(&body(n))
                    .into_future(),
            )
        })
        .collect();
    let mut results = Vec::new();
    for (n, call) in calls.into_iter().enumerate() {
        let answer = call.await.expect("joined").expect(200);
        assert_eq!(answer.json["id"], n, "each call has its own JSON-RPC id");
        results.push(answer.json["result"].clone());
    }
    assert!(results.iter().all(|result| *result == results[0]));
    assert_eq!(agent.texts(), ["once"]);

    let mut other = body(0);
    other["params"]["message"]["parts"][0]["text"] = json!("another");
    let refused = world.post(&path).bearer(&world.admin).json(&other).await;
    assert_eq!(
        refused.error(),
        (409, "messageId was used for another message")
    );
}

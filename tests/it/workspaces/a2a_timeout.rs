//! `POST /workspaces/{id}/a2a`: `X-Timeout`, and the end of the hold window.

use std::time::Duration;

use e2e::{Backstage, Script, World, at_once};
use serde_json::{Value, json};

const OVER: &str = "the time for this message is over";

fn notes(request: &Value) -> Vec<&str> {
    let steps = request["timeline"].as_array().expect("a list");
    steps.iter().filter_map(|it| it["note"].as_str()).collect()
}

#[tokio::test]
async fn a_silent_agent_is_given_up_when_the_callers_time_is_over() {
    let world = World::new();
    let (workspace, agent) = world.online("Silent").await;
    agent.next(Script::Silent);
    let answer = world
        .message(&workspace.id, "quick")
        .header("X-Timeout", "1");
    let answer = answer.await.expect(202);

    // Given up and back in line, not still running when the door closed: that would be place 0.
    assert_eq!(answer.json["queued"], true);
    assert_eq!(answer.json["position"], 1);
    let id = answer.text("queue_id");
    let found = world.request(&workspace.id, &id).await;
    assert_eq!(
        (&found["state"], &found["attempts"]),
        (&json!("queued"), &json!(1))
    );
    assert!(notes(&found).contains(&OVER), "{found}");

    // The agent may have it: it comes once more, and only when the agent looks free.
    let busy = json!({"active_tasks": 1});
    world.beat(&workspace, busy).await.expect(200);
    assert_eq!(world.request(&workspace.id, &id).await["state"], "queued");
    assert_eq!(agent.texts(), ["quick"]);
    let free = json!({"active_tasks": 0});
    world.beat(&workspace, free).await.expect(200);
    let ended = world.settled(&workspace.id, &id).await;
    assert_eq!(ended["state"], "completed");
    assert_eq!(agent.texts(), ["quick", "quick"]);
}

#[tokio::test]
async fn a_native_session_that_is_silent_for_too_long_is_busy() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let (workspace, agent) = world.online("Native").await;
    let metadata = json!({"runtime_metadata": {"capabilities": {"session": true}}});
    world.beat(&workspace, metadata).await.expect(200);
    agent.next(Script::Silent);
    let answer = world
        .message(&workspace.id, "quick")
        .header("X-Timeout", "1");
    let answer = answer.await.expect(503);
    assert_eq!(answer.json["native_session"], true);
    assert_eq!(answer.header("retry-after"), "30");
    assert!(backstage.line(&workspace).await.is_empty());
    let counts = backstage.counts(&workspace).await.expect("counted");
    assert_eq!((counts.accepted, counts.failed, counts.drift()), (1, 1, 0));
}

#[tokio::test]
async fn a_time_that_is_no_positive_whole_number_is_no_limit() {
    const VALUES: [&str; 7] = ["0", "-1", "1.5", "1s", "soon", " ", "99999999999999999999"];
    let world = World::new();
    let body = json!({"name": "Patient", "external": true, "max_concurrent_tasks": VALUES.len()});
    let workspace = world.create(body).await;
    let agent = e2e::Agent::start().await;
    world.register(&workspace, &agent.url).await.expect(200);
    for _ in VALUES {
        agent.next(Script::Slow(Duration::from_secs(2)));
    }
    let calls = VALUES.map(|value| {
        world
            .message(&workspace.id, value)
            .header("X-Timeout", value)
    });
    for answer in at_once(calls).await {
        answer.expect(200);
    }
    assert_eq!(agent.texts().len(), VALUES.len());
}

#[tokio::test]
async fn who_is_not_answered_while_the_door_is_held_finds_the_result_later() {
    let world = World::new();
    let (workspace, agent) = world.online("Thinker").await;
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    agent.next(Script::Meet(std::sync::Arc::clone(&barrier)));
    let first = tokio::spawn(world.message(&workspace.id, "first").into_future());
    e2e::until(20, "it arrives", || async {
        (agent.texts() == ["first"]).then_some(())
    })
    .await;
    // The head of the line is held at the door as well, and for as long.
    let second = tokio::spawn(world.message(&workspace.id, "second").into_future());

    let first = first.await.expect("joined").expect(202);
    let second = second.await.expect("joined").expect(202);
    for (answer, position) in [(&first, 0), (&second, 1)] {
        let id = answer.text("queue_id");
        assert_eq!(
            answer.json,
            json!({"queued": true, "queue_id": id, "queue_depth": 1, "position": position,
                "message": "workspace agent busy — request queued, will dispatch when capacity available"})
        );
        assert_eq!(answer.header("retry-after"), "");
    }
    let (first, second) = (first.text("queue_id"), second.text("queue_id"));
    let found = world.request(&workspace.id, &first).await;
    assert_eq!(
        (&found["state"], &found["position"], found.get("result")),
        (&json!("dispatched"), &json!(0), None)
    );
    let found = world.request(&workspace.id, &second).await;
    assert_eq!(
        (&found["state"], &found["position"]),
        (&json!("queued"), &json!(1))
    );

    barrier.wait().await;
    for (id, text) in [(&first, "echo: first"), (&second, "echo: second")] {
        let ended = world.settled(&workspace.id, id).await;
        assert_eq!(ended["state"], "completed");
        assert_eq!(ended["delivery_confirmed"], true);
        assert_eq!(ended["attempts"], 1);
        assert_eq!(ended.get("position"), None);
        assert_eq!(ended["result"]["result"]["parts"][0]["text"], text);
    }
    assert_eq!(agent.texts(), ["first", "second"]);
    // And in the log of whom they were for, like any other.
    let rows = world.activity(&workspace.id, "type=a2a_receive").await;
    assert!(rows.len() == 2 && rows.iter().all(|row| row["status"] == "ok"));
}

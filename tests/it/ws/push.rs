//! Who is told what, and how.

use e2e::{Listener, World, until, without};
use serde_json::{Value, json};

/// A frame without what is different each time.
fn bare(frame: &Value) -> Value {
    without(frame, &["id", "timestamp", "workspace_id"])
}

#[tokio::test]
async fn a_life_is_told_as_it_happens_in_the_contracts_envelopes() {
    let world = World::new();
    let person = Listener::person(&world.admin).await;
    let (workspace, _agent) = world.online("Watched").await;
    world
        .beat(
            &workspace,
            json!({"error_rate": 1, "sample_error": "flaky"}),
        )
        .await
        .expect(200);
    world.delete(&workspace.id).await;
    person.told(&workspace.id, "WORKSPACE_REMOVED").await;

    let mut frames = person.about(&workspace.id);
    // Told within five seconds, whenever that is.
    frames.retain(|frame| frame["event"] != "WORKSPACE_HEARTBEAT");
    let names: Vec<_> = frames.iter().map(|frame| frame["event"].clone()).collect();
    assert_eq!(
        names,
        [
            "WORKSPACE_PROVISIONING",
            "WORKSPACE_AWAITING_AGENT",
            "WORKSPACE_ONLINE",
            "WORKSPACE_DEGRADED",
            "WORKSPACE_REMOVED",
        ]
    );
    assert_eq!(
        bare(&frames[3]),
        json!({
            "event": "WORKSPACE_DEGRADED",
            "payload": {"error_rate": 1.0, "sample_error": "flaky"},
        })
    );
    let keys: Vec<_> = frames[0].as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["event", "id", "payload", "timestamp", "workspace_id"]
    );
    // The log has the same ids, newest first.
    let path = format!("/events/{}", workspace.id);
    let log = world.get(&path).bearer(&world.admin).await.expect(200).json;
    let log = log.as_array().expect("a list").iter().rev();
    let logged: Vec<_> = log.map(|row| (&row["id"], &row["created_at"])).collect();
    let pushed: Vec<_> = frames
        .iter()
        .map(|it| (&it["id"], &it["timestamp"]))
        .collect();
    assert_eq!(pushed, logged);
}

#[tokio::test]
async fn what_passes_is_told_and_not_kept() {
    let world = World::new();
    let person = Listener::person(&world.admin).await;
    let (workspace, _agent) = world.online("Talker").await;
    world
        .beat(
            &workspace,
            json!({"current_task": "reading", "active_tasks": 1, "uptime_seconds": 9}),
        )
        .await
        .expect(200);
    let task = person.told(&workspace.id, "TASK_UPDATED").await;
    assert_eq!(
        task["payload"],
        json!({"current_task": "reading", "active_tasks": 1})
    );
    // To register is a sign of life, too: there may be one of that before.
    let beat = json!({"active_tasks": 1, "uptime_seconds": 9});
    until(60, "its heartbeat", || async {
        let mut frames = person.about(&workspace.id).into_iter();
        frames.find(|it| it["event"] == "WORKSPACE_HEARTBEAT" && it["payload"] == beat)
    })
    .await;

    let files = json!([{"uri": "workspace:/a", "name": "a.txt", "mimeType": "", "size": 3}]);
    let message = json!({"message": "done", "attachments": files});
    let notify = world.notify(&workspace.id).bearer(&workspace.token);
    notify.json(&message).await.expect(200);
    let told = person.told(&workspace.id, "AGENT_MESSAGE").await;
    assert_eq!(
        told["payload"],
        json!({
            "message": "done", "name": "Talker", "workspace_id": workspace.id,
            "attachments": [{"uri": "workspace:/a", "name": "a.txt", "size": 3}],
        })
    );

    let answer = world.message(&workspace.id, "hello").await.expect(200);
    let told = person.told(&workspace.id, "A2A_RESPONSE").await;
    assert_eq!(told["payload"]["response_body"], answer.json);
    assert_eq!(told["payload"]["method"], "message/send");
    let logged = person.told(&workspace.id, "ACTIVITY_LOGGED").await;
    assert_eq!(logged["payload"]["source_id"], Value::Null);
    assert_eq!(logged["payload"]["status"], "ok");
    assert!(logged["payload"].get("response_body").is_none());
    let names = person.names(&workspace.id);
    let logged = names.iter().filter(|name| *name == "ACTIVITY_LOGGED");
    assert_eq!(logged.count(), 1, "none for the notification: {names:?}");
    let kept = world.event_names(&workspace.id).await;
    assert_eq!(
        kept,
        [
            "WORKSPACE_ONLINE",
            "WORKSPACE_AWAITING_AGENT",
            "WORKSPACE_PROVISIONING",
        ]
    );
}

#[tokio::test]
async fn workspaces_are_told_of_their_part_of_the_tree() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let (a, b) = (world.child("A", &top).await, world.child("B", &top).await);
    let below = world.child("Below", &a).await;
    let (of_a, of_b) = (Listener::workspace(&a).await, Listener::workspace(&b).await);
    for workspace in [&below, &a] {
        world
            .register(workspace, "http://127.0.0.1:9")
            .await
            .expect(200);
        world
            .beat(workspace, json!({"current_task": "x"}))
            .await
            .expect(200);
    }
    of_a.told(&below.id, "WORKSPACE_ONLINE").await;
    of_a.told(&a.id, "TASK_UPDATED").await;
    of_b.told(&a.id, "WORKSPACE_ONLINE").await;
    // One more, so that what should not come had its time.
    world.beat(&a, json!({"error_rate": 1})).await.expect(200);
    of_b.told(&a.id, "WORKSPACE_DEGRADED").await;
    assert!(
        of_b.about(&below.id).is_empty(),
        "a nephew is nobody's business"
    );
    assert!(!of_b.names(&a.id).contains(&"TASK_UPDATED".to_owned()));
    assert!(!of_a.names(&below.id).contains(&"TASK_UPDATED".to_owned()));

    // Who is removed listens no longer.
    world.delete(&b.id).await;
    until(60, "closed", || async { of_b.is_closed().then_some(()) }).await;
    assert!(!of_a.is_closed());
}

#[tokio::test]
async fn what_is_too_long_loses_its_longest_field() {
    let world = World::new();
    let workspace = world.workspace("Verbose").await;
    let listener = Listener::workspace(&workspace).await;
    let (_, agent) = (&workspace, e2e::Agent::start().await);
    world.register(&workspace, &agent.url).await.expect(200);
    let notify = world.post(&format!("/workspaces/{}/notify", workspace.id));
    let notify = notify.bearer(&workspace.token);
    let long = json!({"message": "m".repeat(120_000)});
    notify.json(&long).await.expect(200);
    let told = listener.told(&workspace.id, "AGENT_MESSAGE").await;
    assert_eq!(told["payload"]["truncated"], true);
    assert_eq!(told["payload"]["name"], "Verbose");
    assert!(told["payload"].get("message").is_none());
}

#[tokio::test]
async fn what_clients_say_is_answered_and_forgotten() {
    let world = World::new();
    let workspace = world.workspace("Chatter").await;
    let mut listener = Listener::workspace(&workspace).await;
    let garbage = "x".repeat(30_000);
    for frame in ["", "\u{0}", "{\"action\":\"$connect\"}", "[1,", &garbage] {
        listener.say(frame).await;
    }
    let why = listener.told("", "ERROR").await;
    assert_eq!(
        why["payload"],
        json!({"error": "this connection only tells: what you send is not read"})
    );
    world
        .beat(&workspace, json!({"current_task": "on"}))
        .await
        .expect(200);
    listener.told(&workspace.id, "TASK_UPDATED").await;
}

//! The EventBridge bus, and what cannot be told.

use std::env;

use e2e::{Backstage, World, until};
use serde_json::{Value, json};

fn var(name: &str) -> String {
    env::var(name).expect("set by `make test`")
}

#[tokio::test]
async fn rules_get_what_is_kept_and_nothing_that_passes() {
    let sdk = edge::sdk_config().load().await;
    let (bus, sqs) = (
        aws_sdk_eventbridge::Client::new(&sdk),
        aws_sdk_sqs::Client::new(&sdk),
    );
    let name = format!("rule-{}", uuid::Uuid::new_v4().simple());
    let queue = sqs.create_queue().queue_name(&name).send().await;
    let queue = queue.expect("a queue").queue_url.expect("an address");
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    let world = World::new();
    let workspace = world.workspace("Ruled").await;
    let pattern = json!({
        "source": ["molecule.platform"],
        "detail": {"workspace_id": [workspace.id]},
    });
    let rule = bus.put_rule().event_bus_name(var("EVENT_BUS")).name(&name);
    let rule = rule.event_pattern(pattern.to_string());
    rule.send().await.expect("a rule");
    let target = aws_sdk_eventbridge::types::Target::builder();
    let target = target.id("queue").arn(&arn).build().expect("a target");
    let targets = bus.put_targets().event_bus_name(var("EVENT_BUS"));
    let targets = targets.rule(&name).targets(target);
    targets.send().await.expect("a target");

    world
        .beat(&workspace, json!({"current_task": "told, not kept"}))
        .await
        .expect(200);
    world
        .register(&workspace, "http://127.0.0.1:9")
        .await
        .expect(200);
    let got = until(60, "an event by the rule", || async {
        let receive = sqs.receive_message().queue_url(&queue);
        let got = receive.send().await.expect("a queue").messages;
        let bodies = got.into_iter().flatten().filter_map(|it| it.body);
        let mut got = bodies.filter_map(|body| serde_json::from_str::<Value>(&body).ok());
        got.find(|event| {
            assert_ne!(event["detail-type"], "TASK_UPDATED");
            // Its creation may have come late.
            event["detail-type"] == "WORKSPACE_ONLINE"
        })
    })
    .await;
    assert_eq!(got["source"], "molecule.platform");
    assert_eq!(got["detail-type"], "WORKSPACE_ONLINE");
    assert_eq!(got["detail"]["event"], "WORKSPACE_ONLINE");
    assert_eq!(got["detail"]["payload"]["url"], "http://127.0.0.1:9");
    let path = format!("/events/{}", workspace.id);
    let log = world.get(&path).bearer(&world.admin).await.expect(200).json;
    assert_eq!(got["detail"]["id"], log[0]["id"]);
    let rule = bus
        .remove_targets()
        .event_bus_name(var("EVENT_BUS"))
        .rule(&name);
    rule.ids("queue").send().await.expect("removed");
    let rule = bus
        .delete_rule()
        .event_bus_name(var("EVENT_BUS"))
        .name(&name);
    rule.send().await.expect("deleted");
    sqs.delete_queue()
        .queue_url(&queue)
        .send()
        .await
        .expect("deleted");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_put_aside_and_holds_nobody_up() {
    let world = World::new();
    let backstage = Backstage::new().await;
    let workspace = world.workspace("Poisoned").await;
    let listener = e2e::Listener::workspace(&workspace).await;
    backstage.write_poison(&workspace).await;
    world
        .register(&workspace, "http://127.0.0.1:9")
        .await
        .expect(200);
    listener.told(&workspace.id, "WORKSPACE_ONLINE").await;
    let sdk = edge::sdk_config().load().await;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let letter = until(60, "a dead letter", || async {
        let receive = sqs.receive_message().queue_url(var("RELAY_DEAD_QUEUE_URL"));
        // Other tests' letters may lie before it.
        let receive = receive.max_number_of_messages(10);
        let got = receive.visibility_timeout(0).send().await.expect("a queue");
        let mut bodies = got.messages.into_iter().flatten().filter_map(|it| it.body);
        bodies.find(|body| body.contains(&workspace.id))
    })
    .await;
    let letter: Value = serde_json::from_str(&letter).expect("JSON");
    assert_eq!(letter["key"]["pk"]["S"], format!("EVENTS#{}", workspace.id));
    assert!(
        !letter.to_string().contains("unreadable"),
        "no content: {letter}"
    );
}

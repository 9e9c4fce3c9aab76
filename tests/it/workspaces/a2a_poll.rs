//! `POST /workspaces/{id}/a2a` to an agent that fetches its messages: the row is the delivery.

use e2e::{Agent, Workspace, World, envelope, without};
use serde_json::{Value, json};

/// A workspace whose agent has no address.
async fn polling(world: &World, extra: Value) -> Workspace {
    let mut body = json!({"name": "Poller", "external": true});
    if let (Some(body), Value::Object(extra)) = (body.as_object_mut(), extra) {
        body.extend(extra);
    }
    let workspace = world.create(body).await;
    world.register_polling(&workspace).await.expect(200);
    workspace
}

/// What its agent gets when it asks for what came after `cursor`.
async fn fetched(world: &World, poller: &Workspace, cursor: &Value) -> Vec<Value> {
    let cursor = cursor.as_str().expect("an id");
    let path = format!("/workspaces/{}/activity?since_id={cursor}", poller.id);
    let rows = world.get(&path).by(poller).await.expect(200).json;
    rows.as_array().expect("a list").clone()
}

fn text(row: &Value) -> &Value {
    &row["request_body"]["params"]["message"]["parts"][0]["text"]
}

#[tokio::test]
async fn messages_are_left_for_it() {
    let world = World::new();
    let (poller, sender) = (polling(&world, json!({})).await, world.workspace("S").await);
    assert_eq!(world.show(&poller.id).await["status"], "online");

    let sent = envelope("hello");
    let call = world.send(&poller.id).by(&sender).json(&sent);
    let answer = call.await.expect(200);
    uuid::Uuid::parse_str(&answer.text("queue_id")).expect("an id");
    assert_eq!(
        without(&answer.json, &["queue_id"]),
        json!({"status": "queued", "delivery_mode": "poll", "method": "message/send"})
    );
    let path = format!("/workspaces/{}/activity?type=a2a_receive", poller.id);
    let rows = world.get(&path).by(&poller).await.expect(200).json;
    assert_eq!(rows.as_array().expect("a list").len(), 1);
    assert_eq!(
        without(&rows[0], &["id", "created_at"]),
        json!({
            "workspace_id": poller.id,
            "activity_type": "a2a_receive",
            "source_id": sender.id,
            "target_id": poller.id,
            "method": "message/send",
            "summary": "message/send → Poller",
            "request_body": sent,
            "duration_ms": null,
            "status": "ok",
            "error_detail": null,
        })
    );
}

#[tokio::test]
async fn it_fetches_what_came_after_a_message() {
    let world = World::new();
    let poller = polling(&world, json!({})).await;
    for n in 0..5 {
        world.message(&poller.id, &n.to_string()).await.expect(200);
    }

    let newest_first = world.activity(&poller.id, "").await;
    let texts: Vec<_> = newest_first.iter().map(text).collect();
    assert_eq!(texts, ["4", "3", "2", "1", "0"]);
    let first = &newest_first[4]["id"];
    let rows = fetched(&world, &poller, first).await;
    let texts: Vec<_> = rows.iter().map(text).collect();
    assert_eq!(texts, ["1", "2", "3", "4"]);
    let newest = &newest_first[0]["id"];
    assert!(fetched(&world, &poller, newest).await.is_empty());
    world.message(&poller.id, "5").await.expect(200);
    assert_eq!(text(&fetched(&world, &poller, newest).await[0]), "5");

    // In pages, with the filters of the list.
    let query = |cursor: &Value| {
        let cursor = cursor.as_str().expect("an id").to_owned();
        format!("since_id={cursor}&limit=2&type=a2a_receive&source=canvas")
    };
    let page = world.activity(&poller.id, &query(first)).await;
    assert_eq!(page.iter().map(text).collect::<Vec<_>>(), ["1", "2"]);
    let page = world.activity(&poller.id, &query(&page[1]["id"])).await;
    assert_eq!(page.iter().map(text).collect::<Vec<_>>(), ["3", "4"]);
    let none = format!("since_id={}&source=agent", first.as_str().expect("an id"));
    assert!(world.activity(&poller.id, &none).await.is_empty());

    // A row that is not known, or not of this workspace, cannot be gone on from.
    let other = polling(&world, json!({})).await;
    world.message(&other.id, "hello").await.expect(200);
    let foreign = world.activity(&other.id, "").await[0]["id"].clone();
    let unknown = json!(uuid::Uuid::now_v7());
    for (cursor, status) in [(foreign, 410), (unknown, 410), (json!("x"), 400)] {
        let cursor = cursor.as_str().expect("text");
        let path = format!("/workspaces/{}/activity?since_id={cursor}", poller.id);
        world.get(&path).by(&poller).await.expect(status);
    }
}

#[tokio::test]
async fn the_rules_are_those_of_every_message() {
    let world = World::new();
    let parent = world.workspace("Parent").await;
    let stranger = world.child("Stranger", &parent).await;
    let poller = polling(&world, json!({"budget_limit": 10})).await;
    let broken = || world.send(&poller.id).body("[]");

    assert_eq!(broken().by(&stranger).await.status, 403);
    assert_eq!(broken().await.status, 401);
    assert_eq!(broken().bearer(&world.admin).await.status, 400);
    let beat = json!({"monthly_spend": 10});
    world.beat(&poller, beat).await.expect(200);
    assert_eq!(broken().bearer(&world.admin).await.status, 402);
    assert!(world.activity(&poller.id, "").await.is_empty());
}

#[tokio::test]
async fn it_may_get_an_address_later() {
    let world = World::new();
    let (poller, agent) = (polling(&world, json!({})).await, Agent::start().await);
    assert_eq!(world.show(&poller.id).await["delivery_mode"], "poll");
    world.register(&poller, &agent.url).await.expect(200);
    assert_eq!(world.show(&poller.id).await.get("delivery_mode"), None);

    let answer = world.message(&poller.id, "hello").await.expect(200);
    assert_eq!(answer.json["result"]["parts"][0]["text"], "echo: hello");
    assert_eq!(agent.texts(), ["hello"]);
}

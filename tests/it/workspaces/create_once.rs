//! `Idempotency-Key` on `POST /workspaces`

use e2e::{Call, World, at_once};
use serde_json::{Value, json};
use uuid::Uuid;

fn create(world: &World, key: &str, body: &Value) -> Call {
    let call = world.post("/workspaces").bearer(&world.admin);
    call.header("Idempotency-Key", key).json(body)
}

#[tokio::test]
async fn the_same_key_is_the_same_workspace() {
    let world = World::new();
    let key = Uuid::new_v4().to_string();
    let body = json!({"name": "Once", "runtime": "example", "secrets": {"K": "v"}});
    let first = create(&world, &key, &body).await.expect(201);
    for _ in 0..2 {
        let again = create(&world, &key, &body).await.expect(201);
        assert_eq!(again.json, first.json);
    }
    // Also after it is gone: the answer is one to what was asked then.
    world.delete(&first.text("id")).await;
    let again = create(&world, &key, &body).await.expect(201);
    assert_eq!(again.json, first.json);
    let other = create(&world, &key, &json!({"name": "Other"})).await;
    let used = "Idempotency-Key was used for another request";
    assert_eq!(other.error(), (409, used));
    let other = create(&world, &Uuid::new_v4().to_string(), &body).await;
    assert_ne!(other.expect(201).text("id"), first.text("id"));
    // Blank is none.
    let (one, two) = (
        create(&world, " ", &body).await,
        create(&world, " ", &body).await,
    );
    assert_ne!(one.expect(201).text("id"), two.expect(201).text("id"));
}

#[tokio::test]
async fn a_token_is_not_shown_twice() {
    let world = World::new();
    let key = Uuid::new_v4().to_string();
    let body = json!({"name": "Once", "external": true});
    let first = create(&world, &key, &body).await.expect(201);
    let again = create(&world, &key, &body).await.expect(201);
    let token = &first.json["connection"]["auth_token"];
    assert!(token.as_str().is_some_and(|token| !token.is_empty()));
    let connection = &again.json["connection"];
    assert_eq!(connection["auth_token"], "");
    let hint = connection["hint"].as_str().expect("a hint");
    assert!(hint.contains("cannot be shown again"), "{hint}");
    assert_eq!(again.text("id"), first.text("id"));
    assert_eq!(again.text("status"), "awaiting_agent");
    assert!(first.json["connection"]["hint"].is_null());
}

#[tokio::test]
async fn many_at_once_make_one() {
    let world = World::new();
    let key = Uuid::new_v4().to_string();
    let body = json!({"name": format!("Once {key}"), "external": true});
    let answers = at_once((0..6).map(|_| create(&world, &key, &body))).await;
    let id = answers[0].text("id");
    assert!(
        answers
            .iter()
            .all(|it| it.status == 201 && it.text("id") == id)
    );
    let listed = world
        .get("/workspaces")
        .bearer(&world.admin)
        .await
        .expect(200);
    let named = listed.json.as_array().expect("a list").iter();
    assert_eq!(named.filter(|it| it["name"] == body["name"]).count(), 1);
}

#[tokio::test]
async fn a_key_gets_nobody_past_the_door_and_has_its_length() {
    let world = World::new();
    let key = Uuid::new_v4().to_string();
    let body = json!({"name": "Once"});
    create(&world, &key, &body).await.expect(201);
    let call = world.post("/workspaces").header("Idempotency-Key", &key);
    assert_eq!(call.json(&body).await.error(), (401, "admin auth required"));
    let long = create(&world, &"k".repeat(256), &body).await;
    assert_eq!(long.error(), (400, "invalid Idempotency-Key"));
    // What was refused has not used the key.
    let key = Uuid::new_v4().to_string();
    create(&world, &key, &json!({"name": ""})).await.expect(400);
    create(&world, &key, &body).await.expect(201);
}

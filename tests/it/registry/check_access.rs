//! `POST /registry/check-access`

use e2e::{Call, Workspace, World};
use serde_json::json;
use uuid::Uuid;

fn check(world: &World, caller: &str, target: &str) -> Call {
    let body = json!({"caller_id": caller, "target_id": target});
    let call = world.post("/registry/check-access").json(&body);
    call.bearer(&world.admin)
}

async fn allowed(world: &World, caller: &str, target: &str) -> bool {
    let reply = check(world, caller, target).await.expect(200).json;
    let allowed = reply["allowed"].as_bool().expect("an answer");
    assert_eq!(reply, json!({"allowed": allowed}));
    allowed
}

#[tokio::test]
async fn the_tree_decides() {
    let world = World::new();
    let (root, other) = (
        world.workspace("Root").await,
        world.workspace("Other").await,
    );
    let (left, right) = (
        world.child("Left", &root).await,
        world.child("Right", &root).await,
    );
    let (left_child, right_child) = (
        world.child("Left child", &left).await,
        world.child("Right child", &right).await,
    );
    let deep = world.child("Deep", &left_child).await;
    let unknown = Uuid::new_v4().to_string();
    for (a, b, expected) in [
        (&left.id, &left.id, true),
        (&left.id, &right.id, true),
        (&root.id, &other.id, true),
        (&root.id, &left.id, true),
        (&root.id, &deep.id, true),
        (&left.id, &deep.id, true),
        (&left.id, &right_child.id, false),
        (&left_child.id, &right_child.id, false),
        (&right.id, &deep.id, false),
        (&other.id, &left.id, false),
        (&unknown, &unknown, true),
        (&unknown, &left.id, false),
    ] {
        assert_eq!(allowed(&world, a, b).await, expected, "{a} to {b}");
        assert_eq!(allowed(&world, b, a).await, expected, "{b} to {a}");
    }
    // A removed workspace keeps its place; a purged one has none.
    world.delete(&right_child.id).await;
    assert!(allowed(&world, &right.id, &right_child.id).await);
    let purge = format!("/workspaces/{}?purge=true", right_child.id);
    let call = world.call(reqwest::Method::DELETE, &purge);
    call.bearer(&world.admin).await.expect(200);
    assert!(!allowed(&world, &right.id, &right_child.id).await);
}

#[tokio::test]
async fn ancestors_count_for_32_steps() {
    let world = World::new();
    let mut chain: Vec<Workspace> = vec![world.workspace("0").await];
    for depth in 1..=33 {
        let parent = chain.last().expect("one");
        chain.push(world.child(&depth.to_string(), parent).await);
    }
    let lowest = &chain[33].id;
    assert!(allowed(&world, &chain[1].id, lowest).await);
    assert!(allowed(&world, lowest, &chain[1].id).await);
    assert!(!allowed(&world, &chain[0].id, lowest).await);
}

#[tokio::test]
async fn any_live_credential_may_ask() {
    let world = World::new();
    let (one, two) = (world.workspace("One").await, world.workspace("Two").await);
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let body = json!({"caller_id": one.id, "target_id": two.id.to_uppercase()});
    let ask = || world.post("/registry/check-access").json(&body);
    let stranger = world.workspace("Stranger").await.token;
    for bearer in [&one.token, &stranger, &world.admin] {
        let reply = ask().bearer(bearer).await.expect(200);
        assert_eq!(reply.json, json!({"allowed": true}));
    }
    assert_eq!(ask().await.error(), (401, "missing auth token"));
    for bearer in ["nonsense", &gone.token] {
        let refused = ask().bearer(bearer).await;
        assert_eq!(refused.error(), (401, "invalid auth token"));
    }
}

#[tokio::test]
async fn bad_questions() {
    let world = World::new();
    let id = Uuid::new_v4();
    let invalid = "invalid request body";
    for (body, sentence) in [
        (String::new(), invalid),
        ("[".to_owned(), invalid),
        (format!(r#"["{id}","{id}"]"#), invalid),
        ("{}".to_owned(), invalid),
        (format!(r#"{{"caller_id":"{id}"}}"#), invalid),
        (format!(r#"{{"caller_id":"{id}","target_id":""}}"#), invalid),
        (format!(r#"{{"caller_id":1,"target_id":"{id}"}}"#), invalid),
        (
            format!(r#"{{"caller_id":"{id}","target_id":"you"}}"#),
            "invalid workspace ID",
        ),
    ] {
        let call = world.post("/registry/check-access").body(body.clone());
        let refused = call.bearer(&world.admin).await;
        assert_eq!(refused.error(), (400, sentence), "{body}");
    }
    let huge = json!({"caller_id": "x".repeat(16 * 1024)});
    let call = world.post("/registry/check-access").json(&huge);
    let refused = call.bearer(&world.admin).await.expect(413);
    assert_eq!(refused.json["max_bytes"], 16_384);
}

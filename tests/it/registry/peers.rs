//! `GET /registry/{id}/peers`

use e2e::{Call, Workspace, World};
use serde_json::{Value, json};
use uuid::Uuid;

fn peers(world: &World, of: &Workspace, query: &str) -> Call {
    let path = format!("/registry/{}/peers{query}", of.id);
    world.get(&path).bearer(&of.token)
}

async fn names(world: &World, of: &Workspace, query: &str) -> Vec<String> {
    let rows = peers(world, of, query).await.expect(200).json;
    let name = |row: &Value| row["name"].as_str().expect("a name").to_owned();
    rows.as_array().expect("a list").iter().map(name).collect()
}

async fn child(world: &World, name: &str, role: Value, parent: &Workspace) -> Workspace {
    let body = json!({"name": name, "role": role, "external": true, "parent_id": parent.id});
    world.create(body).await
}

#[tokio::test]
async fn siblings_come_first_and_the_parent_last() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let lead = child(&world, "Lead", json!("leads"), &top).await;
    let anna = child(&world, "Anna", json!(null), &lead).await;
    let bert = child(&world, "Bert", json!("Editor in chief"), &lead).await;
    let cleo = child(&world, "Cleo", json!(""), &lead).await;
    let dora = child(&world, "Dora", json!("writer"), &bert).await;
    let emil = child(&world, "Emil", json!(null), &bert).await;
    child(&world, "Below Anna", json!(null), &anna).await;
    child(&world, "Below Dora", json!(null), &dora).await;

    let all = ["Anna", "Cleo", "Dora", "Emil", "Lead"];
    for (query, expected) in [
        ("", &all[..]),
        ("?q=", &all),
        ("?q=%20", &all),
        ("?q=dora", &["Dora"]),
        ("?q=%20EA%20", &["Lead"]),
        ("?q=WRITE", &["Dora"]),
        ("?q=e", &["Cleo", "Dora", "Emil", "Lead"]),
    ] {
        assert_eq!(names(&world, &bert, query).await, expected, "{query}");
    }
    // Nothing found is a list, not null; and nobody is their own peer.
    for query in ["?q=nobody", "?q=bert"] {
        assert_eq!(peers(&world, &bert, query).await.expect(200).bytes, b"[]");
    }
    assert_eq!(names(&world, &emil, "").await, ["Dora", "Bert"]);

    world.delete(&cleo.id).await;
    world.delete(&dora.id).await;
    assert_eq!(names(&world, &bert, "").await, ["Anna", "Emil", "Lead"]);
}

#[tokio::test]
async fn a_peer_is_shown_with_its_card_and_load() {
    let world = World::new();
    // Not at the top, where the workspaces of all tests are peers and some are workers too.
    let top = world.workspace("Top").await;
    let lead = world.child("Lead", &top).await;
    let (worker, idle) = (
        child(&world, "Worker", json!("works"), &lead).await,
        child(&world, "Idle", json!(""), &lead).await,
    );
    world
        .register(&worker, "http://127.0.0.1:1")
        .await
        .expect(200);
    let busy = json!({"active_tasks": 2});
    world.beat(&worker, busy).await.expect(200);
    let rows = peers(&world, &lead, "?q=work").await.expect(200).json;
    let worker_row = json!({"id": worker.id, "name": "Worker", "role": "works", "tier": 3,
        "status": "online", "agent_card": {"name": "test"}, "url": "http://127.0.0.1:1",
        "parent_id": lead.id, "active_tasks": 2});
    assert_eq!(rows, json!([worker_row]));
    let rows = peers(&world, &worker, "?q=idle").await.expect(200).json;
    let idle_row = json!({"id": idle.id, "name": "Idle", "role": null, "tier": 3,
        "status": "awaiting_agent", "agent_card": null, "url": "",
        "parent_id": lead.id, "active_tasks": 0});
    assert_eq!(rows, json!([idle_row]));
}

#[tokio::test]
async fn all_roots_are_siblings() {
    let world = World::new();
    let (one, two) = (world.workspace("One").await, world.workspace("Two").await);
    let below = world.child("Below two", &two).await;
    let rows = peers(&world, &one, "").await.expect(200).json;
    let has = |id: &str| {
        rows.as_array()
            .expect("a list")
            .iter()
            .any(|row| row["id"] == id)
    };
    assert!(has(&two.id));
    assert!(!has(&one.id) && !has(&below.id));
}

#[tokio::test]
async fn only_the_workspace_itself_lists_its_peers() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let invalid = "invalid workspace auth token";
    for id in [&own.id, &gone.id, &Uuid::new_v4().to_string()] {
        let path = format!("/registry/{id}/peers");
        let refused = world.get(&path).await;
        assert_eq!(refused.error(), (401, "missing workspace auth token"));
        for bearer in ["nonsense", &other.token, &gone.token, &world.admin] {
            let refused = world.get(&path).bearer(bearer).await;
            assert_eq!(refused.error(), (401, invalid), "{id} {bearer}");
        }
    }
    let refused = world.get("/registry/me/peers").bearer(&own.token).await;
    assert_eq!(refused.error(), (400, "invalid workspace ID"));
}

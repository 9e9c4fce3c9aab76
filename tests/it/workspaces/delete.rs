//! `DELETE /workspaces/{id}`

use e2e::{Call, World, at_once};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

fn delete(world: &World, id: &str, query: &str) -> Call {
    let call = world.call(Method::DELETE, &format!("/workspaces/{id}{query}"));
    call.bearer(&world.admin)
}

fn removed(count: usize) -> serde_json::Value {
    json!({"status": "removed", "cascade_deleted": count})
}

#[tokio::test]
async fn one_without_children_goes_at_once_and_once() {
    let world = World::new();
    let (workspace, _agent) = world.online("Leaf").await;
    let told = world.event_names(&workspace.id).await.len();
    for _ in 0..3 {
        let reply = delete(&world, &workspace.id, "").await.expect(200);
        assert_eq!(reply.json, removed(0));
    }
    let events = world.events(&workspace.id).await;
    let payload = json!({"cascade_deleted": 0});
    assert_eq!(events[0], ("WORKSPACE_REMOVED".to_owned(), payload));
    assert_eq!(events.len(), told + 1);
    assert_eq!(world.show(&workspace.id).await["status"], "removed");
    assert_eq!(world.listed(&workspace.id).await, None);
    // Who never was, is as gone; nothing is told.
    let unknown = Uuid::new_v4().to_string();
    let reply = delete(&world, &unknown, "").await.expect(200);
    assert_eq!(reply.json, removed(0));
    assert!(world.events(&unknown).await.is_empty());
    let refused = delete(&world, "all", "?confirm=true").await;
    assert_eq!(refused.error(), (400, "invalid workspace ID"));
}

#[tokio::test]
async fn a_tree_goes_when_confirmed() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let (one, two) = (
        world.child("One", &top).await,
        world.child("Two", &top).await,
    );
    let below = world.child("Below one", &one).await;
    let beside = world.workspace("Beside").await;
    let all = [&top, &one, &two, &below];
    for query in ["", "?confirm=false", "?confirm=1", "?purge=true"] {
        let question = delete(&world, &top.id, query).await.expect(409);
        assert_eq!(
            question.json,
            json!({"status": "confirmation_required",
                "message": "This workspace has sub-workspaces. Delete with ?confirm=true to \
                    cascade delete.",
                "children": [{"id": one.id, "name": "One"}, {"id": two.id, "name": "Two"}],
                "children_count": 2})
        );
    }
    for workspace in all {
        world.beat(workspace, json!({})).await.expect(200);
    }

    let reply = delete(&world, &top.id, "?confirm=true").await.expect(200);
    assert_eq!(reply.json, removed(3));
    for workspace in all {
        let payload = if workspace.id == top.id {
            json!({"cascade_deleted": 3})
        } else {
            json!({})
        };
        let events = world.events(&workspace.id).await;
        assert_eq!(events[0], ("WORKSPACE_REMOVED".to_owned(), payload));
        assert_eq!(world.show(&workspace.id).await["status"], "removed");
        assert_eq!(world.listed(&workspace.id).await, None);
        // Its token is dead wherever it is shown.
        let refused = world.beat(workspace, json!({})).await;
        assert_eq!(refused.error(), (401, "invalid workspace auth token"));
        let tokens = world.get(&format!("/workspaces/{}/tokens", workspace.id));
        let refused = tokens.bearer(&workspace.token).await;
        assert_eq!(refused.error(), (401, "invalid workspace auth token"));
        let look = world.get(&format!("/workspaces/{}", beside.id));
        let refused = look.bearer(&workspace.token).await;
        assert_eq!(refused.error(), (401, "invalid auth token"));
        let peers = world.get(&format!("/registry/{}/peers", workspace.id));
        let refused = peers.bearer(&workspace.token).await;
        assert_eq!(refused.error(), (401, "invalid workspace auth token"));
    }
    world.beat(&beside, json!({})).await.expect(200);
    // A second time there is nothing to ask or tell.
    let reply = delete(&world, &top.id, "").await.expect(200);
    assert_eq!(reply.json, removed(0));
    let told = world.event_names(&top.id).await;
    let told = told.iter().filter(|name| *name == "WORKSPACE_REMOVED");
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn removed_children_do_not_count() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let child = world.child("Child", &top).await;
    delete(&world, &child.id, "").await.expect(200);
    let reply = delete(&world, &top.id, "").await.expect(200);
    assert_eq!(reply.json, removed(0));
}

#[tokio::test]
async fn purging_leaves_nothing_but_what_was_told() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let child = world.child("Child", &top).await;
    let reply = delete(&world, &top.id, "?confirm=true&purge=true").await;
    let purged = json!({"status": "purged", "cascade_deleted": 1});
    assert_eq!(reply.expect(200).json, purged);
    for workspace in [&top, &child] {
        let shown = world.get(&format!("/workspaces/{}", workspace.id));
        let missing = shown.bearer(&world.admin).await;
        assert_eq!(missing.error(), (404, "workspace not found"));
        assert_eq!(world.listed(&workspace.id).await, None);
        let told = world.event_names(&workspace.id).await;
        assert_eq!(told[0], "WORKSPACE_REMOVED");
        let refused = world.beat(workspace, json!({})).await;
        assert_eq!(refused.error(), (401, "invalid workspace auth token"));
    }
    let again = delete(&world, &top.id, "?purge=true").await.expect(200);
    let purged = json!({"status": "purged", "cascade_deleted": 0});
    assert_eq!(again.json, purged);
}

#[tokio::test]
async fn only_operators_delete() {
    let world = World::new();
    let workspace = world.workspace("Safe").await;
    let before = world.snapshot(&workspace.id).await;
    let path = format!("/workspaces/{}?confirm=true", workspace.id);
    let call = || world.call(Method::DELETE, &path);
    assert_eq!(call().await.error(), (401, "admin auth required"));
    for bearer in [&workspace.token, "nonsense"] {
        let refused = call().bearer(bearer).await;
        assert_eq!(refused.error(), (401, "invalid admin auth token"));
    }
    assert_eq!(world.snapshot(&workspace.id).await, before);
}

#[tokio::test]
async fn parallel_deletes_tell_once() {
    let world = World::new();
    let top = world.workspace("Racing").await;
    let child = world.child("Below", &top).await;
    let calls = (0..6).map(|_| delete(&world, &top.id, "?confirm=true"));
    assert!(at_once(calls).await.iter().all(|reply| reply.status == 200));
    for workspace in [&top, &child] {
        let told = world.event_names(&workspace.id).await;
        let told = told.iter().filter(|name| *name == "WORKSPACE_REMOVED");
        assert_eq!(told.count(), 1);
        assert_eq!(world.show(&workspace.id).await["status"], "removed");
    }
}

#[tokio::test]
async fn children_made_meanwhile_go_too() {
    let world = World::new();
    for _ in 0..4 {
        let top = world.workspace("Top").await;
        let below = world.child("Below", &top).await;
        let child = json!({"name": "Late", "external": true, "parent_id": below.id});
        let create = || world.post("/workspaces").bearer(&world.admin).json(&child);
        let mut calls: Vec<Call> = (0..8).map(|_| create()).collect();
        calls.insert(3, delete(&world, &top.id, "?confirm=true"));
        for answer in at_once(calls).await {
            if answer.status == 201 {
                let id = answer.text("id");
                assert_eq!(world.show(&id).await["status"], "removed");
            } else if answer.status != 200 {
                assert_eq!(answer.error(), (400, "parent workspace not found"));
            }
        }
    }
}

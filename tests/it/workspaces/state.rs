//! `GET /workspaces/{id}/state`

use e2e::{Call, World};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

fn state(world: &World, id: &str) -> Call {
    world.get(&format!("/workspaces/{id}/state"))
}

#[tokio::test]
async fn it_says_how_a_workspace_stands_and_whether_it_is_gone() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let shown = |status: &str, paused: bool| json!({"workspace_id": own.id, "status": status, "paused": paused, "deleted": false});
    for bearer in [&own.token, &world.admin] {
        let found = state(&world, &own.id).bearer(bearer).await.expect(200);
        assert_eq!(found.json, shown("awaiting_agent", false));
    }
    world
        .act(&own.id, "pause")
        .bearer(&world.admin)
        .await
        .expect(200);
    let found = state(&world, &own.id).bearer(&own.token).await;
    assert_eq!(found.expect(200).json, shown("paused", true));

    world.delete(&own.id).await;
    let found = state(&world, &own.id).bearer(&world.admin).await;
    let removed = json!({"workspace_id": own.id, "status": "removed", "deleted": true});
    assert_eq!(found.expect(404).json, removed);
    let purge = world.call(
        Method::DELETE,
        &format!("/workspaces/{}?purge=true", own.id),
    );
    purge.bearer(&world.admin).await.expect(200);
    let found = state(&world, &own.id).bearer(&world.admin).await;
    let gone = json!({"workspace_id": own.id, "deleted": true});
    assert_eq!(found.expect(404).json, gone);
}

/// For each of these routes: itself and operators, and nobody else learns that it is there.
#[tokio::test]
async fn a_workspaces_life_is_its_own_and_its_operators() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let other = world.workspace("Other").await;
    let before = world.snapshot(&own.id).await;
    let unknown = Uuid::new_v4().to_string();
    for (method, act) in [
        (Method::GET, "state"),
        (Method::POST, "pause"),
        (Method::POST, "resume"),
        (Method::POST, "restart"),
        (Method::POST, "hibernate"),
    ] {
        for id in [&own.id, &unknown] {
            let call = || world.call(method.clone(), &format!("/workspaces/{id}/{act}"));
            let refused = call().await;
            assert_eq!(
                refused.error(),
                (401, "missing workspace auth token"),
                "{act}"
            );
            for bearer in [&other.token, "nonsense"] {
                let refused = call().bearer(bearer).await;
                assert_eq!(
                    refused.error(),
                    (401, "invalid workspace auth token"),
                    "{act}"
                );
            }
        }
        let wrong = world.call(method.clone(), &format!("/workspaces/all/{act}"));
        let refused = wrong.bearer(&world.admin).await;
        assert_eq!(refused.error(), (400, "invalid workspace ID"), "{act}");
        let wrong = world.call(method.clone(), &format!("/workspaces/{unknown}/{act}"));
        wrong.bearer(&world.admin).await.expect(404);
    }
    assert_eq!(world.snapshot(&own.id).await, before);
}

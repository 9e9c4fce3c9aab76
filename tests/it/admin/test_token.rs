//! `GET /admin/workspaces/{id}/test-token`

use e2e::{Workspace, World};
use serde_json::json;
use uuid::Uuid;

fn path(id: &str) -> String {
    format!("/admin/workspaces/{id}/test-token")
}

#[tokio::test]
async fn the_admin_gets_a_live_token_for_any_workspace() {
    let world = World::new();
    let workspace = world.workspace("Tested").await;
    let call = world.get(&path(&workspace.id)).bearer(&world.admin);
    let reply = call.await.expect(200);
    let token = reply.text("auth_token");
    assert_eq!(
        reply.json,
        json!({"auth_token": token, "workspace_id": workspace.id})
    );
    let other = Workspace {
        token,
        ..workspace.clone()
    };
    for holder in [&workspace, &other] {
        world.beat(holder, json!({})).await.expect(200);
    }
}

#[tokio::test]
async fn nobody_else_does() {
    let world = World::new();
    let (workspace, gone) = (
        world.workspace("Tested").await,
        world.workspace("Gone").await,
    );
    world.delete(&gone.id).await;
    let required = (401, "admin auth required");
    for id in [&workspace.id, &gone.id, &Uuid::new_v4().to_string(), "x"] {
        assert_eq!(world.get(&path(id)).await.error(), required);
        for bearer in [&workspace.token, "nonsense"] {
            let refused = world.get(&path(id)).bearer(bearer).await;
            assert_eq!(refused.error(), required, "{id}");
        }
    }
    for id in [&gone.id, &Uuid::new_v4().to_string()] {
        let missing = world.get(&path(id)).bearer(&world.admin).await;
        assert_eq!(missing.error(), (404, "workspace not found"));
    }
    let bad = world.get(&path("x")).bearer(&world.admin).await;
    assert_eq!(bad.error(), (400, "invalid workspace ID"));
    let tokens = world.get(&format!("/workspaces/{}/tokens", workspace.id));
    assert_eq!(tokens.bearer(&world.admin).await.json["count"], 1);
}

//! `GET /workspaces/{id}`

use e2e::World;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_workspace_is_shown_without_what_is_its_operators() {
    let world = World::new();
    let (workspace, agent) = world.online("Shown").await;
    let beat = json!({"active_tasks": 2, "uptime_seconds": 9, "error_rate": 0.125,
        "current_task": "secret plan", "sample_error": "oops", "monthly_spend": 5});
    world.beat(&workspace, beat).await.expect(200);
    let path = format!("/workspaces/{}", workspace.id.to_uppercase());
    let shown = world.get(&path).bearer(&workspace.token).await.expect(200);
    assert_eq!(
        shown.json,
        json!({"id": workspace.id, "name": "Shown", "role": null, "tier": 3, "status": "online",
            "agent_card": {"name": "test"}, "url": agent.url, "parent_id": null,
            "active_tasks": 2, "max_concurrent_tasks": 1, "last_error_rate": 0.125,
            "uptime_seconds": 9, "runtime": "external", "x": 0.0, "y": 0.0, "collapsed": false,
            "last_outbound_at": null})
    );
}

#[tokio::test]
async fn any_live_credential_may_look() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let path = format!("/workspaces/{}", own.id);
    for bearer in [&own.token, &other.token, &world.admin] {
        world.get(&path).bearer(bearer).await.expect(200);
    }
    // A removed workspace is still shown; a purged one is not, and neither is one that never was.
    let removed = format!("/workspaces/{}", gone.id);
    let shown = world.get(&removed).bearer(&other.token).await.expect(200);
    assert_eq!(shown.json["status"], "removed");
    assert_eq!(shown.json["name"], "Gone");
    let purge = world.call(reqwest::Method::DELETE, &format!("{removed}?purge=true"));
    purge.bearer(&world.admin).await.expect(200);
    for path in [removed, format!("/workspaces/{}", Uuid::new_v4())] {
        let missing = world.get(&path).bearer(&other.token).await.expect(404);
        assert_eq!(missing.json, json!({"error": "workspace not found"}));
    }
    let refused = world.get("/workspaces/mine").bearer(&own.token).await;
    assert_eq!(refused.error(), (400, "invalid workspace ID"));
    assert_eq!(world.get(&path).await.error(), (401, "missing auth token"));
    for bearer in ["nonsense", &gone.token] {
        let refused = world.get(&path).bearer(bearer).await;
        assert_eq!(refused.error(), (401, "invalid auth token"));
    }
}

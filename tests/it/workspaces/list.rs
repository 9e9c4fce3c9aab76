//! `GET /workspaces`

use e2e::World;
use serde_json::{Value, json};

#[tokio::test]
async fn all_that_are_not_removed_oldest_first() {
    let world = World::new();
    let first = world.workspace("First").await;
    let (second, gone) = (
        world.child("Second", &first).await,
        world.workspace("Gone").await,
    );
    let third = world.managed("Third").await;
    world.delete(&gone.id).await;
    let rows = world
        .get("/workspaces")
        .bearer(&world.admin)
        .await
        .expect(200);
    let rows = rows.json.as_array().expect("a list").clone();
    let place = |id: &str| rows.iter().position(|row| row["id"] == id);
    assert!(place(&first.id) < place(&second.id));
    assert!(place(&second.id) < place(&third.id));
    assert!(place(&first.id).is_some());
    assert_eq!(place(&gone.id), None);
    assert!(rows.iter().all(|row| row["status"] != "removed"));
}

#[tokio::test]
async fn a_row_has_all_keys_nulls_included() {
    let world = World::new();
    let (workspace, agent) = world.online("Row").await;
    assert_eq!(
        world.listed(&workspace.id).await.expect("listed"),
        json!({"id": workspace.id, "name": "Row", "role": null, "tier": 3, "status": "online",
            "agent_card": {"name": "test"}, "url": agent.url, "parent_id": null,
            "active_tasks": 0, "max_concurrent_tasks": 1, "last_error_rate": 0.0,
            "last_sample_error": "", "uptime_seconds": 0, "current_task": "",
            "runtime": "external", "workspace_dir": null, "x": 0.0, "y": 0.0,
            "collapsed": false, "budget_limit": null, "monthly_spend": 0})
    );
}

#[tokio::test]
async fn only_operators_see_the_list() {
    let world = World::new();
    let token = world.workspace("Agent").await.token;
    let refused = world.get("/workspaces").await.expect(401);
    assert_eq!(refused.json, json!({"error": "admin auth required"}));
    for bearer in [&token, "nonsense"] {
        let refused = world.get("/workspaces").bearer(bearer).await;
        assert_eq!(refused.error(), (401, "invalid admin auth token"));
        assert_eq!(refused.json.as_object().map(|body| body.len()), Some(1));
    }
    // A question mark changes nothing.
    let rows = world.get("/workspaces?limit=0").bearer(&world.admin).await;
    assert!(matches!(rows.expect(200).json, Value::Array(rows) if !rows.is_empty()));
}

//! `POST /registry/heartbeat`

use e2e::World;
use serde_json::json;

#[tokio::test]
async fn errors_degrade_and_health_recovers() {
    let world = World::new();
    let (workspace, _agent) = world.online("Flaky").await;

    world
        .beat(
            &workspace,
            json!({"error_rate": 0.6, "sample_error": "boom"}),
        )
        .await
        .expect(200);
    assert_eq!(world.show(&workspace.id).await["status"], "degraded");
    world
        .beat(&workspace, json!({"error_rate": 0.3}))
        .await
        .expect(200);
    assert_eq!(world.show(&workspace.id).await["status"], "degraded");
    world
        .beat(&workspace, json!({"error_rate": 0.05}))
        .await
        .expect(200);
    assert_eq!(world.show(&workspace.id).await["status"], "online");
    assert_eq!(
        world.event_names(&workspace.id).await[..2],
        ["WORKSPACE_ONLINE", "WORKSPACE_DEGRADED"]
    );
}

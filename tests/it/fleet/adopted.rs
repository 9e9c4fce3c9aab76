//! Workspaces that come to a machine after their creation, and one that may not leave its own.

use e2e::World;
use serde_json::json;

use super::machine::Managed;

#[tokio::test]
async fn who_gets_a_runtime_that_the_fleet_has_is_on_a_machine_after_its_restart() {
    let world = World::new();
    let typo = Managed::of_runtime(&world, "exampel", json!({"name": "Misspelled"})).await;
    assert!(typo.disks().is_empty(), "there is no image for it");
    let restarted = typo.post("restart").await;
    assert_eq!(restarted["status"], "provisioning");
    assert!(typo.disks().is_empty(), "and a restart makes none");

    let outside = world.workspace("Outside").await;
    let outside = Managed::known(&world, &outside.id);
    for one in [&typo, &outside] {
        one.patch(json!({"runtime": "example"})).await.expect(200);
        one.post("restart").await;
        one.until("online").await;
        assert_eq!(one.boots(), 1);
        assert_eq!(one.say("echo here").await, "here");
        world.delete(&one.id).await;
    }
}

#[tokio::test]
async fn who_has_a_machine_does_not_become_external() {
    let world = World::new();
    let own = Managed::create(&world, json!({"name": "Homely"})).await;
    own.until("online").await;
    let before = own.show().await;
    let refused = own
        .patch(json!({"runtime": "external", "role": "free"}))
        .await;
    assert_eq!(refused.status, 409);
    assert!(refused.text("error").contains("machine"), "{refused:?}");
    let after = own.show().await;
    assert_eq!(
        (&after["runtime"], &after["role"]),
        (&before["runtime"], &before["role"])
    );
    world.delete(&own.id).await;
}

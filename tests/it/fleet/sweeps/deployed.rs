//! The sweep of the deployed stack, woken by its schedule, with the rights of its role.

use e2e::{Backstage, World, until};
use jiff::SignedDuration;

#[tokio::test]
async fn who_was_not_heard_of_for_ten_minutes_is_offline_within_the_next() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let (own, _agent) = world.online("Silent").await;
    // Longer than many at once are held back: other tests' agents are silent as well.
    backstage.quieten(&own, SignedDuration::from_mins(10)).await;
    until(150, "it is offline", || async {
        (world.show(&own.id).await["status"] == "offline").then_some(())
    })
    .await;
    assert_eq!(world.event_names(&own.id).await[0], "WORKSPACE_OFFLINE");
    let heard = world.beat(&own, serde_json::json!({})).await;
    heard.expect(200);
    assert_eq!(world.show(&own.id).await["status"], "online");
}

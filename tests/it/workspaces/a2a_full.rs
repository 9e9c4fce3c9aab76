//! `POST /workspaces/{id}/a2a`: when a thousand wait already.

use domain::request::MAX_WAITING;
use e2e::{Backstage, World, envelope};
use serde_json::json;

#[tokio::test]
async fn a_full_line_takes_nobody_and_keeps_nothing_of_whoever_came() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let lead = world.workspace("Lead").await;
    let (workspace, agent) = world.online("Popular").await;
    let full = usize::try_from(MAX_WAITING).expect("a number");

    // A thousand messages would take minutes to post; acceptance looks at their number alone.
    backstage.pretend_waiting(&workspace, MAX_WAITING).await;
    let before = backstage.counts(&workspace).await.expect("counted");
    assert_eq!((before.waiting, before.drift()), (MAX_WAITING, 0));
    let message = envelope("one too many");
    let send = || world.send(&workspace.id).json(&message);
    for call in [
        send().bearer(&world.admin),
        send().by(&lead),
        // Urgency is an order in the line, no door beside it.
        send().bearer(&world.admin).header("X-Priority", "critical"),
    ] {
        let refused = call.await;
        assert_eq!(
            refused.json,
            json!({"error": "queue is full", "queue_depth": full})
        );
        assert_eq!(refused.status, 429);
        assert_eq!(refused.header("retry-after"), "60");
    }
    let told = world.delegate(&lead, &workspace.id, "one too many").await;
    let id = told.expect(202).text("delegation_id");
    let failed = world.delegated(&lead, &id, "failed").await;
    assert_eq!(failed["error"], "queue is full");

    assert_eq!(backstage.counts(&workspace).await, Some(before));
    assert!(backstage.line(&workspace).await.is_empty());
    assert!(world.activity(&workspace.id, "").await.is_empty());
    assert!(agent.received().is_empty());

    // With room again the very same message is no repeat of anything.
    backstage.pretend_waiting(&workspace, -MAX_WAITING).await;
    send().bearer(&world.admin).await.expect(200);
    send().by(&lead).await.expect(200);
    assert_eq!(agent.texts(), ["one too many", "one too many"]);
}

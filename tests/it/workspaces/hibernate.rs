//! `POST /workspaces/{id}/hibernate`

use e2e::{Backstage, World};
use serde_json::json;

const MISSING: &str =
    "workspace not found or not in a hibernatable state (must be online or degraded)";

#[tokio::test]
async fn an_idle_workspace_falls_asleep_and_stays_so() {
    let world = World::new();
    let own = world.managed("Sleeper").await;
    let sleep = || world.act(&own.id, "hibernate").bearer(&world.admin);
    assert_eq!(sleep().await.error(), (404, MISSING));
    world
        .register(&own, "https://8.8.8.8/agent")
        .await
        .expect(200);
    assert_eq!(
        sleep().await.expect(200).json,
        json!({"status": "hibernated"})
    );
    let shown = world.show(&own.id).await;
    assert_eq!(
        (&shown["status"], &shown["url"]),
        (&json!("hibernated"), &json!(""))
    );
    let told = world.events(&own.id).await.remove(0);
    let payload = json!({"name": "Sleeper", "tier": 3});
    assert_eq!(told, ("WORKSPACE_HIBERNATED".to_owned(), payload));
    assert_eq!(sleep().await.error(), (404, MISSING));
    // A process that lingers does not undo it.
    world.beat(&own, json!({})).await.expect(200);
    let late = world.register(&own, "https://8.8.8.8/agent").await;
    assert_eq!(late.error(), (409, "workspace is hibernated"));
    assert_eq!(world.status(&own.id).await, "hibernated");
}

#[tokio::test]
async fn who_works_is_sent_to_sleep_by_force_only() {
    let world = World::new();
    let (own, agent) = world.online("Busy").await;
    let sleep = |query: &str| {
        let call = world.act(&own.id, &format!("hibernate{query}"));
        call.bearer(&world.admin)
    };
    let working = |tasks: i64| {
        json!({
            "error": "workspace has active tasks; use ?force=true to terminate them",
            "active_tasks": tasks,
        })
    };
    world
        .beat(&own, json!({"active_tasks": 3}))
        .await
        .expect(200);
    for query in ["", "?force=1", "?force=false"] {
        assert_eq!(sleep(query).await.expect(409).json, working(3));
    }
    world.beat(&own, json!({})).await.expect(200);
    let held = world.hold(&own, &agent, "a long one").await;
    assert_eq!(sleep("").await.expect(409).json, working(1));
    assert_eq!(world.status(&own.id).await, "online");
    let forced = sleep("?force=true").await.expect(200);
    assert_eq!(forced.json, json!({"status": "hibernated"}));
    assert_eq!(world.show(&own.id).await["active_tasks"], 0);
    // What the agent said all the same is its answer.
    held.release().await.expect(200);
    assert_eq!(world.status(&own.id).await, "hibernated");
    let counts = Backstage::new().await.counts(&own).await.expect("counts");
    assert_eq!((counts.running, counts.done, counts.drift()), (0, 1, 0));
}

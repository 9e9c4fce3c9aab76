//! `POST /admin/workspaces/{id}/bootstrap-failed`

use e2e::{Call, World};
use serde_json::{Value, json};
use uuid::Uuid;

fn failed(world: &World, id: &str, body: &Value) -> Call {
    let path = format!("/admin/workspaces/{id}/bootstrap-failed");
    world.post(&path).json(body)
}

#[tokio::test]
async fn who_boots_has_failed_and_is_told_why_once() {
    let world = World::new();
    for own_token in [false, true] {
        let own = world.managed("Broken").await;
        let bearer = if own_token { &own.token } else { &world.admin };
        let body = json!({"error": "  no disk \n", "log_tail": "mount: no such device"});
        let said = failed(&world, &own.id, &body).bearer(bearer).await;
        assert_eq!(said.expect(200).json, json!({"ok": true}));
        let again = failed(&world, &own.id, &body).bearer(bearer).await;
        let no_change = json!({"ok": true, "no_change": true});
        assert_eq!(again.expect(200).json, no_change);
        assert_eq!(world.status(&own.id).await, "failed");
        let listed = world.listed(&own.id).await.expect("listed");
        assert_eq!(
            listed["last_sample_error"],
            "no disk\n\nmount: no such device"
        );
        let events = world.events(&own.id).await;
        let payload = json!({
            "error": "no disk", "log_tail": "mount: no such device", "source": "bootstrap_watcher",
        });
        assert_eq!(
            events[0],
            ("WORKSPACE_PROVISION_FAILED".to_owned(), payload)
        );
        let told = events
            .iter()
            .filter(|(name, _)| name == "WORKSPACE_PROVISION_FAILED");
        assert_eq!(told.count(), 1);
        // Registering after all is as good as ever.
        world
            .register(&own, "https://8.8.8.8/agent")
            .await
            .expect(200);
        assert_eq!(world.status(&own.id).await, "online");
        let late = failed(&world, &own.id, &body).bearer(bearer).await;
        assert_eq!(late.expect(200).json, no_change);
    }
}

#[tokio::test]
async fn of_a_long_log_the_end_is_kept() {
    let world = World::new();
    let own = world.managed("Talkative").await;
    let log = format!("{}the end", "ö".repeat(10_000));
    let body = json!({"error": " ", "log_tail": log});
    failed(&world, &own.id, &body)
        .bearer(&world.admin)
        .await
        .expect(200);
    let (_, payload) = world.events(&own.id).await.remove(0);
    assert_eq!(payload["error"], "bootstrap failed — see log_tail");
    let tail = payload["log_tail"].as_str().expect("text");
    assert!(tail.starts_with("...(truncated)...\n") && tail.ends_with("the end"));
    let listed = world.listed(&own.id).await.expect("listed");
    let kept = listed["last_sample_error"].as_str().expect("text");
    assert!(kept.len() <= 8192 && kept.starts_with("bootstrap failed — see log_tail\n\n"));
}

#[tokio::test]
async fn refusals() {
    let world = World::new();
    let own = world.managed("Own").await;
    let other = world.managed("Other").await;
    let before = world.snapshot(&own.id).await;
    let body = json!({});
    let refused = failed(&world, &own.id, &body).await;
    assert_eq!(refused.error(), (401, "missing workspace auth token"));
    let refused = failed(&world, &own.id, &body).bearer(&other.token).await;
    assert_eq!(refused.error(), (401, "invalid workspace auth token"));
    for body in [json!([]), json!({"error": 7}), json!("no")] {
        let refused = failed(&world, &own.id, &body).bearer(&world.admin).await;
        assert_eq!(refused.error(), (400, "invalid request body"));
    }
    let refused = failed(&world, "all", &body).bearer(&world.admin).await;
    assert_eq!(refused.error(), (400, "invalid workspace ID"));
    let large = json!({"log_tail": "x".repeat(1024 * 1024)});
    let refused = failed(&world, &own.id, &large).bearer(&world.admin).await;
    assert_eq!(refused.status, 413);
    assert_eq!(world.snapshot(&own.id).await, before);
    let unknown = failed(&world, &Uuid::new_v4().to_string(), &body);
    let unknown = unknown.bearer(&world.admin).await.expect(200);
    assert_eq!(unknown.json, json!({"ok": true, "no_change": true}));
}

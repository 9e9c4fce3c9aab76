//! `GET /workspaces/{id}/schedules/health`, `GET /admin/schedules/health`

use e2e::{World, without};
use reqwest::Method;
use serde_json::{Value, json};

use super::scheduled::{at, change, make, runs, shown};

#[tokio::test]
async fn those_it_may_talk_to_see_its_health() {
    let world = World::new();
    let family = world.workspace("Family").await;
    let (own, peer) = (
        world.child("Own", &family).await,
        world.child("Peer", &family).await,
    );
    let stranger = world.workspace("Stranger").await;
    let below = world.child("Below", &stranger).await;
    let id = make(&world, &own, "Daily", "0 9 * * *").await;
    let health = || world.get(&at(&own, "/health"));
    let row = shown(&world, &own, &id).await;
    let expected = json!([{
        "id": id, "name": "Daily", "enabled": true, "last_run_at": null,
        "next_run_at": row["next_run_at"], "run_count": 0, "last_status": "", "last_error": "",
    }]);
    for call in [
        health().by(&own),
        health().by(&peer),
        health().by(&family),
        health().bearer(&world.admin),
    ] {
        assert_eq!(call.await.expect(200).json, expected);
    }
    let denied = health().by(&below).await;
    assert_eq!(denied.error(), (403, "access denied"));
    let header = "X-Workspace-ID";
    for (call, sentence) in [
        (health(), "X-Workspace-ID header required"),
        (
            health().bearer(&peer.token),
            "X-Workspace-ID header required",
        ),
        (
            health().header(header, &own.id),
            "missing caller auth token",
        ),
        (
            health().bearer(&peer.token).header(header, &own.id),
            "invalid caller auth token",
        ),
        (
            health()
                .bearer(&peer.token)
                .header(header, "webhook:github"),
            "invalid caller auth token",
        ),
    ] {
        assert_eq!(call.await.error(), (401, sentence));
    }
}

#[tokio::test]
async fn health_is_read_and_the_id_of_no_schedule() {
    let world = World::new();
    let family = world.workspace("Family").await;
    let (own, peer) = (
        world.child("Own", &family).await,
        world.child("Peer", &family).await,
    );
    make(&world, &own, "Daily", "0 9 * * *").await;
    let path = at(&own, "/health");
    world.get(&path).by(&peer).await.expect(200);
    for method in [Method::PATCH, Method::DELETE] {
        let call = || {
            world
                .call(method.clone(), &path)
                .json(&json!({"name": "x"}))
        };
        // Who may see it may not change anything.
        assert_eq!(call().by(&peer).await.status, 401, "{method}");
        assert_eq!(call().bearer(&own.token).await.status, 400, "{method}");
    }
}

#[tokio::test]
async fn operators_see_all_schedules() {
    let world = World::new();
    let (own, agent) = world.online("Aaa first").await;
    let hourly = make(&world, &own, "Hourly", "0 * * * *").await;
    let off = make(&world, &own, "Another", "30 6 * * *").await;
    change(&world, &own, &off, &json!({"enabled": false}))
        .await
        .expect(200);
    let run = at(&own, &format!("/{hourly}/run"));
    world.post(&run).bearer(&own.token).await.expect(200);
    runs(&world, &own, &hourly, 1, 30).await;
    assert_eq!(agent.texts(), ["Do Hourly"]);

    let all = || world.get("/admin/schedules/health");
    assert_eq!(all().await.error(), (401, "admin auth required"));
    let foreign = all().bearer(&own.token).await;
    assert_eq!(foreign.error(), (401, "invalid admin auth token"));
    let ours = || async {
        let rows = all().bearer(&world.admin).await.expect(200).json;
        let rows = rows.as_array().expect("a list").clone();
        let ours = rows.into_iter().filter(|row| row["workspace_id"] == own.id);
        ours.collect::<Vec<Value>>()
    };
    let rows = ours().await;
    let row = without(&rows[0], &["expected_next_run"]);
    assert_eq!(
        row,
        json!({
            "workspace_id": own.id, "workspace_name": "Aaa first", "schedule_id": off,
            "schedule_name": "Another", "cron_expr": "30 6 * * *", "last_run_at": null,
            "status": "never_run", "stale_threshold_seconds": 172_800,
        })
    );
    assert_eq!(
        (
            &rows[1]["schedule_name"],
            &rows[1]["status"],
            &rows[1]["stale_threshold_seconds"]
        ),
        (&json!("Hourly"), &json!("ok"), &json!(7200))
    );
    world.delete(&own.id).await;
    assert_eq!(ours().await, Vec::<Value>::new());
}

//! Schedules as they fire on the deployed stack: by its tick, its stream and its queues.

use e2e::{Script, World, until};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::scheduled::{at, change, make, runs, shown};
use crate::example_agent::Example;

#[tokio::test]
async fn a_schedule_fires_at_an_agent_at_its_minute_and_its_history_shows_it() {
    let world = World::new();
    let ada = Example::start(&world, "Ada", None).await;
    let own = &ada.workspace;
    let body = json!({"name": "Minutely", "cron_expr": "* * * * *", "prompt": "echo on time"});
    let made = world.post(&at(own, "")).bearer(&own.token).json(&body);
    let made = made.await.expect(201);
    let id = made.text("id");
    let slot: Timestamp = made.text("next_run_at").parse().expect("a time");

    let ran = runs(&world, own, &id, 1, 180).await;
    assert_eq!(
        (&ran[0]["status"], &ran[0]["error_detail"]),
        (&json!("ok"), &json!(""))
    );
    assert_eq!(ran[0]["request"]["prompt"], "echo on time");
    let ended: Timestamp = ran[0]["timestamp"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    // The tick comes once a minute, whenever in it.
    let after = ended.duration_since(slot);
    assert!(
        after >= SignedDuration::ZERO && after < SignedDuration::from_secs(90),
        "{after:?}"
    );
    let rows = world
        .activity(&own.id, "type=a2a_receive&source=canvas")
        .await;
    let told = |row: &serde_json::Value| {
        let reply = &row["response_body"]["result"]["parts"][0]["text"];
        reply == "on time"
    };
    assert!(rows.iter().any(told), "{rows:?}");
    change(&world, own, &id, &json!({"enabled": false}))
        .await
        .expect(200);
    let row = shown(&world, own, &id).await;
    assert!(row["run_count"].as_i64() >= Some(1));
    assert_eq!(row["last_status"], "ok");
    let next: Timestamp = row["next_run_at"]
        .as_str()
        .expect("a slot")
        .parse()
        .expect("a time");
    assert!(next > slot);
    assert!(
        world
            .event_names(&own.id)
            .await
            .contains(&"CRON_EXECUTED".to_owned())
    );
}

#[tokio::test]
async fn run_fires_now_and_not_twice_at_once() {
    let world = World::new();
    let (own, agent) = world.online("Own").await;
    let id = make(&world, &own, "By hand", "0 0 1 1 *").await;
    let before = shown(&world, &own, &id).await;
    change(&world, &own, &id, &json!({"enabled": false}))
        .await
        .expect(200);
    let path = at(&own, &format!("/{id}/run"));
    let run = || world.post(&path).bearer(&own.token);

    agent.next(Script::Slow(std::time::Duration::from_secs(2)));
    let fired = run().await.expect(200);
    let said = json!({"status": "fired", "workspace_id": own.id, "prompt": "Do By hand"});
    assert_eq!(fired.json, said);
    let again = run().await;
    let running = "the schedule is running: it fires again once that run has ended";
    assert_eq!(again.error(), (409, running));
    runs(&world, &own, &id, 1, 30).await;
    run().await.expect(200);
    let ran = runs(&world, &own, &id, 2, 30).await;
    assert_eq!(
        (&ran[0]["status"], &ran[1]["status"]),
        (&json!("ok"), &json!("ok"))
    );
    assert_eq!(agent.texts(), ["Do By hand", "Do By hand"]);
    let after = shown(&world, &own, &id).await;
    assert_eq!(after["run_count"], 2);
    assert_eq!(after["next_run_at"], before["next_run_at"]);
}

#[tokio::test]
async fn who_is_busy_gets_it_later_and_it_is_told_that_it_was_late() {
    let world = World::new();
    let (own, agent) = world.online("Busy").await;
    let id = make(&world, &own, "Later", "0 0 1 1 *").await;
    let held = world.hold(&own, &agent, "a long task").await;
    let path = at(&own, &format!("/{id}/run"));
    world.post(&path).bearer(&own.token).await.expect(200);
    until(30, "it waits", || async {
        let queue = world.queue_of(&own.id).await?;
        (queue["waiting"] == 1).then_some(())
    })
    .await;
    assert_eq!(agent.texts(), ["a long task"]);
    held.release().await.expect(200);
    let ran = runs(&world, &own, &id, 1, 30).await;
    assert_eq!(
        (&ran[0]["status"], &ran[0]["request"]["late"]),
        (&json!("ok"), &json!(true))
    );
    assert_eq!(agent.texts(), ["a long task", "Do Later"]);
}

#[tokio::test]
async fn who_is_not_there_is_an_error_of_the_run() {
    let world = World::new();
    let own = world.workspace("Nobody").await;
    let id = make(&world, &own, "Missed", "0 0 1 1 *").await;
    let path = at(&own, &format!("/{id}/run"));
    world.post(&path).bearer(&own.token).await.expect(200);
    let ran = runs(&world, &own, &id, 1, 30).await;
    assert_eq!(
        (&ran[0]["status"], &ran[0]["error_detail"]),
        (&json!("error"), &json!("workspace has no URL"))
    );
    assert_eq!(shown(&world, &own, &id).await["last_status"], "error");
}

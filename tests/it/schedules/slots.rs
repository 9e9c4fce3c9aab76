//! A slot is fired once, at its minute, whatever comes twice or late.

use domain::job::Job;
use e2e::counted::Fault;
use jiff::SignedDuration;
use serde_json::json;

use super::{World, tick};

#[tokio::test]
async fn ticks_at_once_and_a_job_that_comes_three_times_are_one_message() {
    let world = World::new().await;
    let id = world.schedule("Report", "*/5 * * * *").await;
    let slot = world.next_run(&id).await;

    let before = world.tick_at(slot - SignedDuration::from_secs(1)).await;
    assert_eq!((before.found, before.fired), (0, 0));
    let now = slot + SignedDuration::from_secs(10);
    let ticks = (0..4).map(|_| tick(world.ticking, now));
    let reports = futures_util::future::join_all(ticks).await;
    let fired: usize = reports
        .into_iter()
        .map(|it| it.expect("a tick").fired)
        .sum();
    assert_eq!(fired, 1);
    assert_eq!(
        world.next_run(&id).await,
        slot + SignedDuration::from_mins(5)
    );

    let jobs = world.jobs().await;
    let [job] = jobs.as_slice() else {
        panic!("one job, but {jobs:?}");
    };
    let job = job.job().expect("a job");
    assert!(matches!(job, Job::FireV1 { .. }), "{job:?}");
    tokio::join!(world.work(&job), world.work(&job));
    world.work(&job).await;
    world.settle().await;
    world.work(&job).await;
    world.settle().await;

    assert_eq!(world.agent.texts(), ["Do Report"]);
    let message = &world.agent.received()[0].body["params"]["message"];
    let name = message["messageId"].as_str().expect("an id");
    assert!(name.starts_with(&format!("cron-{}-", &id[..8])), "{name}");
    assert_eq!(message["role"], "user");
    let shown = world.shown(&id).await;
    assert_eq!(
        (
            &shown["run_count"],
            &shown["last_status"],
            &shown["last_error"]
        ),
        (&json!(1), &json!("ok"), &json!(""))
    );
    assert!(shown["last_run_at"].is_string());
    let runs = world.history(&id).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["status"], "ok");
    assert!(
        runs[0]["duration_ms"]
            .as_i64()
            .is_some_and(|took| took >= 0)
    );
    let request = json!({
        "schedule_id": id, "schedule_name": "Report", "cron_expr": "*/5 * * * *",
        "prompt": "Do Report",
    });
    assert_eq!(runs[0]["request"], request);
    let rows = world.cron_rows().await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["summary"], &rows[0]["method"], &rows[0]["status"]),
        (&json!("Cron: Report"), &json!("cron"), &json!("ok"))
    );
    assert_eq!(rows[0]["request_body"], request);
    let told = world.events().await;
    let payload = json!({"schedule_id": id, "schedule_name": "Report", "status": "ok"});
    assert_eq!(told[0], ("CRON_EXECUTED".to_owned(), payload));
}

#[tokio::test]
async fn slots_that_passed_are_one_and_a_run_is_never_overlapped() {
    let world = World::new().await;
    let id = world.schedule("Late", "* * * * *").await;
    let slot = world.next_run(&id).await;
    // An outage of an hour.
    let now = slot + SignedDuration::from_mins(60);
    assert_eq!(world.tick_at(now).await.fired, 1);
    assert_eq!(
        world.next_run(&id).await,
        now + SignedDuration::from_mins(1)
    );
    // It has not been sent yet when the next ones come.
    for minute in 61..64 {
        let report = world
            .tick_at(slot + SignedDuration::from_mins(minute))
            .await;
        assert_eq!((report.fired, report.passed), (0, 1), "{minute}");
    }
    world.settle().await;
    assert_eq!(world.agent.texts(), ["Do Late"]);
    let runs = world.history(&id).await;
    assert_eq!(runs[0]["request"]["late"], true);
    let report = world.tick_at(slot + SignedDuration::from_mins(64)).await;
    assert_eq!((report.fired, report.passed), (1, 0));
    // A clock that goes back fires nothing again.
    let report = world.tick_at(slot + SignedDuration::from_mins(10)).await;
    assert_eq!(report.found, 0);
    world.settle().await;
    assert_eq!(world.agent.texts().len(), 2);
}

#[tokio::test]
async fn a_job_that_is_lost_is_written_again() {
    let world = World::new().await;
    let id = world.schedule("Lost", "0 0 1 1 *").await;
    let slot = world.next_run(&id).await;
    assert_eq!(world.tick_at(slot).await.fired, 1);
    for job in world.jobs().await {
        store::ledger::Ledger::sent(&world.inside.app.store, &job)
            .await
            .expect("gone");
    }
    let early = world.tick_at(slot + SignedDuration::from_secs(110)).await;
    assert_eq!((early.found, early.resent), (0, 0));
    let later = world.tick_at(slot + SignedDuration::from_secs(130)).await;
    assert_eq!((later.found, later.resent), (1, 1));
    world.settle().await;
    assert_eq!(world.agent.texts(), ["Do Lost"]);
    let later = world.tick_at(slot + SignedDuration::from_secs(600)).await;
    assert_eq!(later.found, 0);
}

#[tokio::test]
async fn an_acceptance_nobody_heard_of_is_found_again() {
    let world = World::new().await;
    let id = world.schedule("Crash", "* * * * *").await;
    world.tick_at(world.next_run(&id).await).await;
    let job = world.jobs().await[0].job().expect("a job");
    // The note that it was sent fails, and so does the job.
    let body = serde_json::to_string(&job).expect("JSON");
    let given = json!({"Records": [{"messageId": "one", "body": body}]});
    world
        .inside
        .wire
        .fail("UpdateItem", e2e::counted::ALWAYS, Fault::Unreachable);
    let given = serde_json::from_value(given).expect("a batch");
    let said = messages::deliver::handle(world.messages, given).await;
    let said = serde_json::to_value(said.expect("said")).expect("JSON");
    assert_eq!(said["batchItemFailures"][0]["itemIdentifier"], "one");
    world.inside.wire.mend();
    world.settle().await;
    assert_eq!(world.agent.texts(), ["Do Crash"]);
    assert_eq!(world.statuses(&id).await, ["ok"]);
}

#[tokio::test]
async fn whoever_fires_again_waits_for_the_next_slot() {
    let world = World::new().await;
    let id = world.schedule("Off", "* * * * *").await;
    let slot = world.next_run(&id).await;
    world.change(&id, json!({"enabled": false})).await;
    let hour = slot + SignedDuration::from_mins(60);
    assert_eq!(world.tick_at(hour).await.found, 0);
    world.change(&id, json!({"enabled": true})).await;
    // From now, not from when it was switched off.
    assert!(world.next_run(&id).await >= slot);
    world.change(&id, json!({"cron_expr": "0 0 1 1 *"})).await;
    assert_eq!(world.tick_at(hour).await.found, 0);
    world.change(&id, json!({"cron_expr": "* * * * *"})).await;
    assert_eq!(world.tick_at(hour).await.fired, 1);
}

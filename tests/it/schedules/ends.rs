//! What a slot comes to: sent, skipped, passed, refused, answered with nothing.

use e2e::Script;
use reqwest::Method;
use serde_json::json;

use super::World;

#[tokio::test]
async fn who_is_paused_is_skipped() {
    let world = World::new().await;
    let id = world.schedule("Daily", "* * * * *").await;
    let act = |act: &str| {
        let path = format!("/workspaces/{}/{act}", world.own.id);
        world.inside.post(&path).bearer(&world.inside.admin)
    };
    act("pause").await.expect(200);
    let slot = world.next_run(&id).await;
    let report = world.tick_at(slot).await;
    assert_eq!((report.fired, report.skipped), (0, 1));
    assert!(world.next_run(&id).await > slot);
    world.settle().await;
    assert_eq!(world.agent.texts(), Vec::<String>::new());

    let why = "skipped: workspace is paused";
    let shown = world.shown(&id).await;
    assert_eq!(
        (
            &shown["last_status"],
            &shown["last_error"],
            &shown["run_count"]
        ),
        (&json!("skipped"), &json!(why), &json!(1))
    );
    let runs = world.history(&id).await;
    assert_eq!(
        (&runs[0]["status"], &runs[0]["error_detail"]),
        (&json!("skipped"), &json!(why))
    );
    assert_eq!(runs[0]["request"]["skipped"], true);
    let rows = world.cron_rows().await;
    assert_eq!(
        (&rows[0]["summary"], &rows[0]["status"]),
        (&json!("Cron skipped: Daily"), &json!("skipped"))
    );
    let payload = json!({"schedule_id": id, "schedule_name": "Daily", "reason": why});
    assert_eq!(
        world.events().await[0],
        ("CRON_SKIPPED".to_owned(), payload)
    );

    // By hand it is an answer, and nothing is recorded.
    let run = world
        .call(Method::POST, &format!("/{id}/run"))
        .await
        .expect(409);
    assert_eq!(run.json["status"], "paused");
    assert_eq!(world.history(&id).await.len(), 1);
}

#[tokio::test]
async fn who_is_paused_before_the_message_is_accepted_is_skipped_as_well() {
    let world = World::new().await;
    let id = world.schedule("Daily", "* * * * *").await;
    assert_eq!(world.tick_at(world.next_run(&id).await).await.fired, 1);
    let pause = format!("/workspaces/{}/pause", world.own.id);
    let pause = world.inside.post(&pause).bearer(&world.inside.admin);
    pause.await.expect(200);
    world.settle().await;
    assert_eq!(world.agent.texts(), Vec::<String>::new());
    assert_eq!(world.statuses(&id).await, ["skipped"]);
    // It may fire again.
    let resume = format!("/workspaces/{}/resume", world.own.id);
    let resume = world.inside.post(&resume).bearer(&world.inside.admin);
    resume.await.expect(200);
    world
        .inside
        .register(&world.own, &world.agent.url)
        .await
        .expect(200);
    assert_eq!(world.tick_at(world.next_run(&id).await).await.fired, 1);
    world.settle().await;
    assert_eq!(world.statuses(&id).await, ["ok", "skipped"]);
}

#[tokio::test]
async fn an_agent_that_schedules_itself_is_sent_nothing() {
    let world = World::new().await;
    let id = world.schedule("Own", "* * * * *").await;
    let native = json!({"runtime_metadata": {"capabilities": {"scheduler": true}}});
    world.inside.beat(&world.own, native).await.expect(200);
    let slot = world.next_run(&id).await;
    let report = world.tick_at(slot).await;
    assert_eq!((report.fired, report.passed, report.skipped), (0, 1, 0));
    world.settle().await;
    assert_eq!(world.agent.texts(), Vec::<String>::new());
    let shown = world.shown(&id).await;
    assert!(world.next_run(&id).await > slot);
    assert_eq!(
        (&shown["run_count"], &shown["last_run_at"]),
        (&json!(0), &json!(null))
    );
    assert_eq!(world.history(&id).await, Vec::<serde_json::Value>::new());
    assert_eq!(world.cron_rows().await, Vec::<serde_json::Value>::new());
    // It says so no more.
    let other = json!({"runtime_metadata": {"capabilities": {}}});
    world.inside.beat(&world.own, other).await.expect(200);
    assert_eq!(world.tick_at(world.next_run(&id).await).await.fired, 1);
}

#[tokio::test]
async fn three_answers_of_nothing_are_stale_and_errors_count_none() {
    let world = World::new().await;
    let id = world.schedule("Empty", "* * * * *").await;
    let empty = Script::Status(
        200,
        json!({"result": {"parts": [{"kind": "text", "text": ""}]}}),
    );
    let broken = Script::Status(500, json!({"error": "x"}));
    for (script, status, error) in [
        (empty.clone(), "ok", ""),
        (empty.clone(), "ok", ""),
        (broken, "error", "HTTP 500"),
        (
            empty.clone(),
            "stale",
            "empty response 3 consecutive times — agent may be phantom-producing",
        ),
        (
            empty.clone(),
            "stale",
            "empty response 4 consecutive times — agent may be phantom-producing",
        ),
        (Script::Echo, "ok", ""),
        (empty, "ok", ""),
    ] {
        world.agent.next(script);
        assert_eq!(world.tick_at(world.next_run(&id).await).await.fired, 1);
        world.settle().await;
        let shown = world.shown(&id).await;
        assert_eq!(
            (&shown["last_status"], &shown["last_error"]),
            (&json!(status), &json!(error))
        );
    }
    assert_eq!(world.shown(&id).await["run_count"], 7);
    let newest = world.statuses(&id).await;
    assert_eq!(newest, ["ok", "ok", "stale", "stale", "error", "ok", "ok"]);
}

#[tokio::test]
async fn a_refusal_is_an_error_of_the_run() {
    let world = World::new().await;
    let id = world.schedule("Dear", "* * * * *").await;
    let budget = format!("/workspaces/{}/budget", world.own.id);
    let budget = world
        .inside
        .call(Method::PATCH, &budget)
        .bearer(&world.inside.admin);
    budget.json(&json!({"budget_limit": 0})).await.expect(200);
    assert_eq!(world.tick_at(world.next_run(&id).await).await.fired, 1);
    let job = world.jobs().await[0].job().expect("a job");
    world.settle().await;
    world.work(&job).await;
    assert_eq!(world.agent.texts(), Vec::<String>::new());
    let runs = world.history(&id).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (&runs[0]["status"], &runs[0]["error_detail"]),
        (&json!("error"), &json!("workspace budget limit exceeded"))
    );
    assert_eq!(world.shown(&id).await["run_count"], 1);
}

#[tokio::test]
async fn who_fetches_messages_has_run_when_it_lies_there() {
    let world = World::new().await;
    let body = json!({"id": world.own.id, "delivery_mode": "poll", "agent_card": {}});
    let register = world
        .inside
        .post("/registry/register")
        .bearer(&world.own.token);
    register.json(&body).await.expect(200);
    let id = world.schedule("Fetched", "* * * * *").await;
    assert_eq!(world.tick_at(world.next_run(&id).await).await.fired, 1);
    let job = world.jobs().await[0].job().expect("a job");
    world.settle().await;
    world.work(&job).await;
    assert_eq!(world.statuses(&id).await, ["ok"]);
    let path = format!("/workspaces/{}/activity?type=a2a_receive", world.own.id);
    let rows = world.inside.get(&path).bearer(&world.inside.admin).await;
    let rows = rows.expect(200).json;
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    let text = &rows[0]["request_body"]["params"]["message"]["parts"][0]["text"];
    assert_eq!(text, "Do Fetched");
}

//! `POST /workspaces/{id}/delegate` and what follows from it

use std::{sync::Arc, time::Duration};

use e2e::{Script, Workspace, World, until};
use serde_json::{Value, json};
use tokio::sync::Barrier;

async fn delegate(world: &World, from: &Workspace, body: Value) -> e2e::Answer {
    let path = format!("/workspaces/{}/delegate", from.id);
    world.post(&path).bearer(&from.token).json(&body).await
}

/// The delegation's `delegate_result` row once it says `status`.
async fn result(world: &World, of: &Workspace, id: &str, status: &str) -> Value {
    until(30, &format!("delegation {status}"), || async {
        let rows = world.delegations(of).await;
        let row = rows.iter().find(|row| {
            let answer = row["summary"].as_str().unwrap_or_default();
            row["delegation_id"]
                .as_str()
                .is_none_or(|named| named == id)
                && row["status"] == status
                && !answer.starts_with("Delegating")
        });
        row.cloned()
    })
    .await
}

#[tokio::test]
async fn a_delegation_is_answered_at_once_and_tracked_to_its_result() {
    let world = World::new();
    let (lead, _) = world.online("Lead").await;
    let (worker, agent) = world.online("Worker").await;

    let body = json!({"target_id": worker.id, "task": "write a haiku", "idempotency_key": "k1"});
    let told = delegate(&world, &lead, body.clone()).await.expect(202);
    let id = told.text("delegation_id");
    assert_eq!(told.json["status"], "delegated");
    assert_eq!(told.json["target_id"], worker.id);

    let done = result(&world, &lead, &id, "completed").await;
    assert_eq!(done["response_preview"], "echo: write a haiku");
    assert_eq!(done["target_id"], worker.id);
    let rows = world.delegations(&lead).await;
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter()
            .all(|row| row["status"] == "completed" && row["type"] == "delegation")
    );
    let sent = &agent.received()[0].body["params"]["message"];
    assert_eq!(sent["messageId"], id);
    assert_eq!(sent["metadata"]["delegation_id"], id);
    assert_eq!(
        world.event_names(&lead.id).await[..3],
        [
            "DELEGATION_COMPLETE",
            "DELEGATION_STATUS",
            "DELEGATION_SENT"
        ]
    );

    // The same key is the same delegation, done or not.
    let again = delegate(&world, &lead, body).await.expect(200);
    assert_eq!(again.json["idempotent_hit"], true);
    assert_eq!(again.json["delegation_id"], id);
    assert_eq!(again.json["status"], "completed");
    assert_eq!(agent.texts().len(), 1);
}

#[tokio::test]
async fn the_first_row_of_a_delegation_says_its_result_however_many_are_newer() {
    let world = World::new();
    let (lead, _) = world.online("Lead").await;
    let (worker, agent) = world.online("Worker").await;
    let barrier = Arc::new(Barrier::new(2));
    agent.next(Script::Meet(barrier.clone()));
    let slow = world.delegate(&lead, &worker.id, "slow").await.expect(202);
    let slow = slow.text("delegation_id");
    until(10, "it arrives", || async {
        (agent.texts() == ["slow"]).then_some(())
    })
    .await;

    // 30 newer ones end before it, to nobody: more rows than a list shows.
    let nobody = uuid::Uuid::new_v4().to_string();
    for n in 0..30 {
        let told = world.delegate(&lead, &nobody, &n.to_string()).await;
        told.expect(202);
    }
    until(30, "the others fail", || async {
        let rows = world.activity(&lead.id, "type=delegation&limit=500").await;
        let failed = |row: &&Value| row["method"] == "delegate_result" && row["status"] == "failed";
        (rows.iter().filter(failed).count() == 30).then_some(())
    })
    .await;
    barrier.wait().await;

    let done = result(&world, &lead, &slow, "completed").await;
    assert_eq!(done["response_preview"], "echo: slow");
    let rows = world.delegations(&lead).await;
    assert_eq!(rows.len(), 50);
    assert_eq!(rows[0], done, "what ended last is first");
    let times: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["created_at"].as_str())
        .collect();
    assert!(
        times.is_sorted_by_key(|at| std::cmp::Reverse(
            at.parse::<jiff::Timestamp>().expect("a time")
        )),
        "{times:?}"
    );

    // Half of all ids made at random would be odd.
    for n in 0..8 {
        let task = format!("quick {n}");
        let told = world.delegate(&lead, &worker.id, &task).await.expect(202);
        let id = told.text("delegation_id");
        let answer = result(&world, &lead, &id, "completed").await;
        let rows = world.delegations(&lead).await;
        let first = rows.iter().find(|row| row["delegation_id"] == *id);
        assert_eq!(first, Some(&answer));
        assert_eq!(answer["response_preview"], format!("echo: {task}"));
    }
}

#[tokio::test]
async fn a_delegation_to_a_busy_worker_is_queued_then_completed() {
    let world = World::new();
    let (lead, _) = world.online("Lead").await;
    let (worker, agent) = world.online("Worker").await;
    agent.next(Script::Slow(Duration::from_secs(3)));
    let task = |text: &str| json!({"target_id": worker.id, "task": text});

    delegate(&world, &lead, task("one")).await.expect(202);
    until(10, "the first arrives", || async {
        (agent.texts() == ["one"]).then_some(())
    })
    .await;
    let second = delegate(&world, &lead, task("two"))
        .await
        .expect(202)
        .text("delegation_id");
    let queued = result(&world, &lead, &second, "queued").await;
    assert_eq!(queued["delegation_id"], second);
    let done = result(&world, &lead, &second, "completed").await;
    assert_eq!(done["response_preview"], "echo: two");
    assert_eq!(agent.texts(), ["one", "two"]);

    let path = format!("/events/{}", lead.id);
    let events = world.get(&path).bearer(&world.admin).await.expect(200).json;
    let complete = events.as_array().expect("a list").iter().find(|event| {
        event["event_type"] == "DELEGATION_COMPLETE" && event["payload"]["delegation_id"] == second
    });
    let payload = &complete.expect("told")["payload"];
    assert_eq!(payload["via"], "queue_drain");
    assert_eq!(payload["target_id"], worker.id);
    // The activity of who delegated shows the task, its result, and no more.
    let rows = world.activity(&lead.id, "type=delegation").await;
    let mine = |row: &&Value| {
        row["request_body"]["delegation_id"] == second
            || row["response_body"]["delegation_id"] == second
    };
    let mine: Vec<&Value> = rows.iter().filter(mine).collect();
    assert_eq!(mine.len(), 2, "{rows:?}");
    assert!(mine.iter().all(|row| row["status"] == "completed"));
    let answer = mine.iter().find(|row| row["method"] == "delegate_result");
    assert_eq!(
        answer.expect("a result")["response_body"],
        json!({"text": "echo: two", "delegation_id": second})
    );
}

#[tokio::test]
async fn what_cannot_be_delegated_is_refused_at_once_or_fails_with_its_reason() {
    let world = World::new();
    let lead = world.workspace("Lead").await;
    let stranger = uuid::Uuid::new_v4().to_string();
    for (body, expected) in [
        (json!({}), "invalid delegation request"),
        (json!({"target_id": stranger}), "invalid delegation request"),
        (
            json!({"target_id": stranger, "task": " "}),
            "invalid delegation request",
        ),
        (
            json!({"target_id": "x", "task": "t"}),
            "target_id must be a valid UUID",
        ),
        (
            json!({"target_id": lead.id, "task": "t"}),
            "self-delegation not permitted",
        ),
    ] {
        assert_eq!(delegate(&world, &lead, body).await.error(), (400, expected));
    }
    assert!(world.delegations(&lead).await.is_empty());
    let rows = world.activity(&lead.id, "").await;
    assert!(rows.is_empty(), "nothing is kept of them: {rows:?}");
    let told = world.event_names(&lead.id).await;
    assert!(told.iter().all(|name| !name.starts_with("DELEGATION")));

    let told = delegate(&world, &lead, json!({"target_id": stranger, "task": "t"})).await;
    let id = told.expect(202).text("delegation_id");
    let failed = result(&world, &lead, &id, "failed").await;
    assert_eq!(
        failed["error"],
        "access denied: workspaces cannot communicate per hierarchy rules"
    );
    assert_eq!(world.event_names(&lead.id).await[0], "DELEGATION_FAILED");
}

#[tokio::test]
async fn an_agent_that_fails_with_very_many_words_ends_its_delegation() {
    let world = World::new();
    let (lead, _) = world.online("Lead").await;
    let (worker, agent) = world.online("Worker").await;
    // More than an item of the table may have.
    let why = "no ".repeat(300_000);
    agent.next(Script::Status(500, json!({"error": why})));

    let told = delegate(&world, &lead, json!({"target_id": worker.id, "task": "t"})).await;
    let id = told.expect(202).text("delegation_id");
    let failed = result(&world, &lead, &id, "failed").await;
    assert_eq!(failed["error"], format!("{}...", &why[..4096]));
}

#[tokio::test]
async fn an_agent_may_record_and_update_what_it_delegates_itself() {
    let world = World::new();
    let (lead, worker) = (
        world.workspace("Lead").await,
        world.workspace("Worker").await,
    );
    let base = format!("/workspaces/{}/delegations", lead.id);
    let post = |path: String, body: Value| world.post(&path).bearer(&lead.token).json(&body);

    let body = json!({"target_id": worker.id, "task": "t", "delegation_id": "mine-1"});
    let recorded = post(format!("{base}/record"), body).await.expect(202);
    assert_eq!(
        recorded.json,
        json!({"delegation_id": "mine-1", "status": "recorded"})
    );
    assert_eq!(world.delegations(&lead).await[0]["status"], "dispatched");

    let wrong = post(format!("{base}/mine-1/update"), json!({"status": "queued"})).await;
    assert_eq!(
        wrong.error(),
        (400, "status must be 'completed' or 'failed'")
    );
    let done = json!({"status": "completed", "response_preview": "all done"});
    post(format!("{base}/mine-1/update"), done)
        .await
        .expect(200);
    let rows = world.delegations(&lead).await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["status"] == "completed"));
    assert!(rows.iter().any(|row| row["response_preview"] == "all done"));
    assert_eq!(
        world.event_names(&lead.id).await[..2],
        ["DELEGATION_COMPLETE", "DELEGATION_SENT"]
    );
}

#[tokio::test]
async fn an_update_of_a_delegation_nobody_recorded_keeps_the_order_of_the_log() {
    let world = World::new();
    let lead = world.workspace("Lead").await;
    let (worker, agent) = world.online("Worker").await;
    agent.next(Script::Slow(Duration::from_secs(5)));
    // As a v7 id it would be of the year 10889.
    let strange = "ffffffff-ffff-4fff-bfff-fffffffffffe";
    let path = format!("/workspaces/{}/delegations/{strange}/update", lead.id);
    let done = json!({"status": "completed", "response_preview": "all done"});
    let told = world.post(&path).bearer(&lead.token).json(&done).await;
    assert_eq!(
        told.expect(200).json,
        json!({"delegation_id": strange, "status": "completed"})
    );

    let rows = world.delegations(&lead).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["delegation_id"], strange);
    assert_eq!(rows[0]["response_preview"], "all done");
    let (name, payload) = world.events(&lead.id).await[0].clone();
    assert_eq!(name, "DELEGATION_COMPLETE");
    assert_eq!(payload["delegation_id"], strange);

    // What comes later is above it: for who goes on from the newest row as well.
    let newest = world.activity(&lead.id, "limit=1").await[0]["id"].clone();
    let newest = newest.as_str().expect("an id").to_owned();
    assert!(newest.starts_with('0'), "an id of now: {newest}");
    let report = json!({"activity_type": "agent_log", "summary": "later"});
    world.report(&lead, &report).await.expect(200);
    let since = world
        .activity(&lead.id, &format!("since_id={newest}"))
        .await;
    assert_eq!(since.len(), 1, "{since:?}");
    assert_eq!(since[0]["summary"], "later");
    let told = world.delegate(&lead, &worker.id, "t").await.expect(202);
    assert!(told.text("delegation_id") > newest);
    assert_eq!(
        world.activity(&lead.id, "limit=1").await[0]["method"],
        "delegate"
    );

    // One that was delegated is known by its id: while it is under way its agent may say how it ended.
    let id = told.text("delegation_id");
    let path = format!("/workspaces/{}/delegations/{id}/update", lead.id);
    world
        .post(&path)
        .bearer(&lead.token)
        .json(&done)
        .await
        .expect(200);
    let rows = world.delegations(&lead).await;
    let first = rows.iter().find(|row| row["delegation_id"] == *id);
    let first = first.expect("listed");
    assert_eq!(first["response_preview"], "all done", "{rows:?}");
    let mine = rows.iter().filter(|row| row["delegation_id"] == *id);
    assert_eq!(mine.count(), 2, "{rows:?}");
}

//! `GET /admin/a2a-queue`, `POST /admin/a2a-queue/redrive`, `POST /admin/a2a-queue/drop-stale`

use domain::job::Job;
use e2e::{Agent, Backstage, Call, STRANGER, Workspace, World, until};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const QUEUE: &str = "/admin/a2a-queue";

fn drop_stale(world: &World, query: &str) -> Call {
    let path = format!("{QUEUE}/drop-stale{query}");
    world.post(&path).bearer(&world.admin)
}

/// A message that is 2nd in line or later, so that its call ends at once.
async fn behind(world: &World, to: &Workspace, text: &str) -> String {
    let answer = world.message(&to.id, text).await.expect(202);
    answer.text("queue_id")
}

#[tokio::test]
async fn only_operators_look_at_queues_and_change_them() {
    let world = World::new();
    let (workspace, agent) = world.online("Closed").await;
    for (method, path) in [
        (Method::GET, QUEUE.to_owned()),
        (Method::POST, format!("{QUEUE}/redrive")),
        (
            Method::POST,
            format!("{QUEUE}/drop-stale?workspace_id={}", workspace.id),
        ),
    ] {
        let call = || world.call(method.clone(), &path);
        assert_eq!(call().await.error(), (401, "admin auth required"), "{path}");
        for bearer in [&workspace.token, "nonsense"] {
            let refused = call().bearer(bearer).await;
            assert_eq!(refused.error(), (401, "invalid admin auth token"), "{path}");
        }
    }
    assert!(agent.received().is_empty());
}

#[tokio::test]
async fn it_shows_who_waits_and_runs_and_since_when() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let (workspace, agent) = world.online("Shown").await;
    assert_eq!(world.queue_of(&workspace.id).await, None);

    let held = world.hold(&workspace, &agent, "running").await;
    let row = |waiting: usize, oldest: Value| {
        json!({"workspace_id": workspace.id, "waiting": waiting, "running": 1,
            "oldest_at": oldest, "drift": 0})
    };
    let shown = world.queue_of(&workspace.id).await;
    assert_eq!(shown, Some(row(0, json!(null))));
    let head = tokio::spawn(world.message(&workspace.id, "head").into_future());
    backstage.until_waiting(&workspace, 1).await;
    let urgent = world.message(&workspace.id, "urgent");
    let urgent = tokio::spawn(urgent.header("X-Priority", "critical").into_future());
    backstage.until_waiting(&workspace, 2).await;
    let last = behind(&world, &workspace, "last").await;

    // The oldest, not the first to go.
    let shown = world.queue_of(&workspace.id).await.expect("shown");
    let oldest = shown["oldest_at"].clone();
    assert_eq!(shown, row(3, oldest.clone()));
    let last = world.request(&workspace.id, &last).await;
    let at = |text: &Value| -> jiff::Timestamp {
        text.as_str().expect("a time").parse().expect("a time")
    };
    assert!(at(&oldest) < at(&last["accepted_at"]));
    let whole = world.get(QUEUE).bearer(&world.admin).await.expect(200);
    assert!(whole.json["dlq"]["depth"].is_i64(), "{}", whole.json);

    held.release().await.expect(200);
    urgent.await.expect("joined").expect(200);
    let head = head.await.expect("joined").expect(200);
    assert_eq!(head.json["result"]["parts"][0]["text"], "echo: head");
    let id = last["id"].as_str().expect("an id");
    world.settled(&workspace.id, id).await;
    assert_eq!(agent.texts(), ["running", "urgent", "head", "last"]);
    assert_eq!(world.queue_of(&workspace.id).await, None);
}

#[tokio::test]
async fn stale_messages_are_dropped_and_young_ones_stay() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let lead = world.workspace("Lead").await;
    let (workspace, agent) = world.online("Stale").await;
    let held = world.hold(&workspace, &agent, "running").await;
    let head = tokio::spawn(world.message(&workspace.id, "old head").into_future());
    backstage.until_waiting(&workspace, 1).await;
    let told = world.delegate(&lead, &workspace.id, "old task").await;
    let delegation = told.expect(202).text("delegation_id");
    world.delegated(&lead, &delegation, "queued").await;
    let young = behind(&world, &workspace, "young").await;
    // An hour is long to wait for.
    let line = backstage.line(&workspace).await;
    for entry in &line[..2] {
        let by = SignedDuration::from_mins(90);
        backstage.age(&workspace, entry, by).await;
    }

    let only = format!("workspace_id={}", workspace.id);
    for (query, dropped) in [
        (format!("?{only}&max_age_minutes=100"), 0),
        (format!("?workspace_id={}", lead.id), 0),
        (format!("?workspace_id={STRANGER}"), 0),
        (format!("?{only}"), 2),
        (format!("?{only}"), 0),
    ] {
        let reply = drop_stale(&world, &query).await.expect(200);
        assert_eq!(reply.json, json!({"dropped": dropped}), "{query}");
    }
    let id = line[0].request_id.to_string();
    let ended = world.request(&workspace.id, &id).await;
    assert_eq!(ended["state"], "dropped");
    let why = ended["error"].as_str().expect("a reason");
    assert!(
        why.contains(
            "[DropStaleQueueItems] auto-dropped: queue item age exceeded the post-incident TTL. \
             Dropped at 20"
        ),
        "{why}"
    );
    let head = head.await.expect("joined");
    assert_eq!(head.status, 503, "{}", head.json);
    let failed = world.delegated(&lead, &delegation, "failed").await;
    let error = failed["error"].as_str().expect("a reason");
    assert!(error.contains("[DropStaleQueueItems]"), "{error}");
    assert_eq!(world.event_names(&lead.id).await[0], "DELEGATION_FAILED");

    // What runs was not touched, and what is young goes on.
    held.release().await.expect(200);
    let ended = world.settled(&workspace.id, &young).await;
    assert_eq!(ended["state"], "completed");
    assert_eq!(agent.texts(), ["running", "young"]);
    let counts = backstage.counts(&workspace).await.expect("counted");
    assert_eq!((counts.done, counts.dropped, counts.drift()), (2, 2, 0));
}

#[tokio::test]
async fn an_age_that_is_no_age_drops_nothing() {
    let world = World::new();
    for age in ["0", "-1", "1.5", "old", "", "99999999999999999999"] {
        let refused = drop_stale(&world, &format!("?max_age_minutes={age}")).await;
        assert_eq!(
            refused.error(),
            (400, "max_age_minutes must be a positive integer"),
            "{age}"
        );
    }
    let refused = drop_stale(&world, "?workspace_id=nonsense").await;
    assert_eq!(refused.error(), (400, "invalid workspace ID"));
}

#[tokio::test]
async fn dead_letters_are_sent_again() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let depth = || async {
        let shown = world.get(QUEUE).bearer(&world.admin).await.expect(200);
        shown.json["dlq"]["depth"].as_i64().expect("a number")
    };
    let workspace = world.workspace("Lead").await;
    let (worker, agent) = world.online("Worker").await;
    // The job of a delegation. Sent twice, as here, it is done once: its id is the message's.
    let told = world.delegate(&workspace, &worker.id, "task").await;
    let id = told.expect(202).text("delegation_id");
    world.delegated(&workspace, &id, "completed").await;
    backstage
        .bury(&Job::DelegateV1 {
            source: workspace.id.parse().expect("an id"),
            delegation_id: id.parse().expect("an id"),
        })
        .await;
    // A nudge that got lost: the held message may go once somebody looks at the line again.
    let waiting = held_back(&world, &worker, &agent).await;
    backstage
        .bury(&Job::OfferV1 {
            workspace_id: worker.id.parse().expect("an id"),
        })
        .await;
    assert_eq!(depth().await, 2);

    let redrive = || world.post(&format!("{QUEUE}/redrive")).bearer(&world.admin);
    let reply = redrive().await.expect(200);
    assert_eq!(reply.json, json!({"redriven": 2}));
    assert_eq!(depth().await, 0);
    let ended = world.settled(&worker.id, &waiting).await;
    assert_eq!(ended["state"], "completed");
    let reply = redrive().await.expect(200);
    assert_eq!(reply.json, json!({"redriven": 0}));
    assert_eq!(agent.texts(), ["task", "later", "later"]);
    let done = world.delegated(&workspace, &id, "completed").await;
    assert_eq!(done["error"], json!(null));
}

/// A message that its agent wants to have in a second: nobody looks at the line by then.
async fn held_back(world: &World, worker: &Workspace, agent: &Agent) -> String {
    agent.next(e2e::Script::Busy(1));
    let answer = world.message(&worker.id, "later").await.expect(202);
    let id = answer.text("queue_id");
    until(20, "its agent may be asked again", || async {
        let found = world.request(&worker.id, &id).await;
        let last = found["timeline"].as_array()?.last()?["at"].clone();
        let at: jiff::Timestamp = last.as_str()?.parse().ok()?;
        let over = at + SignedDuration::from_secs(1) < jiff::Timestamp::now();
        over.then_some(())
    })
    .await;
    id
}

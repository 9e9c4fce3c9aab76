//! Messages to a workspace that sleeps: kept, and it is woken once.

use e2e::{Agent, Answer, Workspace, World, at_once};
use serde_json::json;

/// A workspace that sleeps, and the agent that will come up for it. It has no machine of ours, so
/// the test plays it.
async fn asleep(world: &World, name: &str) -> (Workspace, Agent) {
    let (own, agent) = (world.managed(name).await, Agent::start().await);
    world.register(&own, &agent.url).await.expect(200);
    let slept = world.act(&own.id, "hibernate").bearer(&world.admin).await;
    assert_eq!(slept.expect(200).text("status"), "hibernated");
    (own, agent)
}

fn wakes(answer: &Answer) {
    assert_eq!(answer.json["queued"], true);
    assert_eq!(answer.json["waking"], true);
    assert_eq!(answer.json["retry_after"], 15);
    assert_eq!(answer.headers["retry-after"], "15");
}

async fn starts(world: &World, of: &Workspace) -> usize {
    let names = world.event_names(&of.id).await;
    let starts = names
        .iter()
        .filter(|name| *name == "WORKSPACE_PROVISIONING");
    // The first is its creation.
    starts.count() - 1
}

#[tokio::test]
async fn a_sleeping_target_is_woken_once_and_gets_all_in_order() {
    let world = World::new();
    let (own, agent) = asleep(&world, "Sleeping target").await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        let answer = world.message(&own.id, text).await.expect(202);
        wakes(&answer);
        assert_eq!(answer.json["position"], ids.len() + 1);
        ids.push(answer.text("queue_id"));
        assert_eq!(world.status(&own.id).await, "provisioning");
        assert_eq!(starts(&world, &own).await, 1);
    }
    // It boots, and beats before it has said where it is: nothing is lost of it.
    world.beat(&own, json!({})).await.expect(200);
    for id in &ids {
        assert_eq!(world.request(&own.id, id).await["state"], "queued");
    }
    world.register(&own, &agent.url).await.expect(200);
    for id in &ids {
        let ended = world.settled(&own.id, id).await;
        assert_eq!(ended["state"], "completed", "{ended}");
    }
    assert_eq!(agent.texts(), ["one", "two", "three"]);
    assert_eq!(world.status(&own.id).await, "online");
    assert_eq!(starts(&world, &own).await, 1);
}

#[tokio::test]
async fn many_at_once_wake_it_once() {
    let world = World::new();
    let (own, agent) = asleep(&world, "Popular").await;
    let calls = (0..8).map(|n| world.message(&own.id, &n.to_string()));
    let answers = at_once(calls).await;
    assert!(answers.iter().all(|it| it.status == 202), "{answers:?}");
    assert_eq!(starts(&world, &own).await, 1);
    world.register(&own, &agent.url).await.expect(200);
    for answer in &answers {
        let ended = world.settled(&own.id, &answer.text("queue_id")).await;
        assert_eq!(ended["state"], "completed", "{ended}");
    }
    let mut texts = agent.texts();
    texts.sort();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[tokio::test]
async fn a_delegation_wakes_as_well() {
    let world = World::new();
    let (from, _agent) = world.online("Boss").await;
    let agent = Agent::start().await;
    let own = world.child("Sleeper", &from).await;
    world.register(&own, &agent.url).await.expect(200);
    world
        .act(&own.id, "hibernate")
        .bearer(&world.admin)
        .await
        .expect(200);
    let given = world.delegate(&from, &own.id, "wake up").await.expect(202);
    e2e::until(20, "it is woken", || async {
        (world.status(&own.id).await == "awaiting_agent").then_some(())
    })
    .await;
    world.register(&own, &agent.url).await.expect(200);
    let id = given.text("delegation_id");
    world.delegated(&from, &id, "completed").await;
    assert_eq!(agent.texts(), ["wake up"]);
}

#[tokio::test]
async fn one_that_fetches_its_messages_is_woken_and_finds_them() {
    let world = World::new();
    let own = world.managed("Poller").await;
    world.register_polling(&own).await.expect(200);
    world
        .act(&own.id, "hibernate")
        .bearer(&world.admin)
        .await
        .expect(200);
    for _ in 0..2 {
        let left = world.message(&own.id, "fetch me").await.expect(200);
        assert_eq!(left.json["delivery_mode"], "poll");
        assert_eq!(world.status(&own.id).await, "provisioning");
    }
    world.register_polling(&own).await.expect(200);
    assert_eq!(world.activity(&own.id, "type=a2a_receive").await.len(), 2);
    assert_eq!(starts(&world, &own).await, 1);
}

#[tokio::test]
async fn below_a_paused_one_messages_are_kept_until_it_goes_on() {
    let world = World::new();
    let (top, top_agent) = world.online("Top").await;
    let (own, agent) = (world.child("Own", &top).await, Agent::start().await);
    world.register(&own, &agent.url).await.expect(200);
    world
        .act(&top.id, "pause")
        .bearer(&world.admin)
        .await
        .expect(200);
    // Paused with it: nothing comes in.
    let refused = world.message(&own.id, "early").await;
    assert_eq!(refused.error(), (503, "workspace has no URL"));
    world
        .act(&top.id, "resume")
        .bearer(&world.admin)
        .await
        .expect(200);
    let kept = world.message(&own.id, "late").await.expect(202);
    world.register(&top, &top_agent.url).await.expect(200);
    world.register(&own, &agent.url).await.expect(200);
    let ended = world.settled(&own.id, &kept.text("queue_id")).await;
    assert_eq!(ended["state"], "completed");
    assert_eq!(agent.texts(), ["late"]);
}

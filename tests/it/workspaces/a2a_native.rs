//! `POST /workspaces/{id}/a2a`: agents that queue by themselves (capability `session`).

use std::sync::Arc;

use domain::{Mode, WorkspaceId};
use e2e::{Agent, Backstage, Script, Workspace, World, at_once, counted::InProcess};
use messages::dispatch;
use serde_json::json;
use store::keys;
use tokio::sync::Barrier;

use crate::calls_messages::context;

async fn native(world: &World) -> (Workspace, Agent) {
    let (workspace, agent) = world.online("Native").await;
    let metadata = json!({"runtime_metadata": {"capabilities": {"session": true}}});
    world.beat(&workspace, metadata).await.expect(200);
    (workspace, agent)
}

#[tokio::test]
async fn several_at_once_reach_it_at_once() {
    const COUNT: usize = 4;
    let world = World::new();
    let (workspace, agent) = native(&world).await;
    // None is answered before all are there.
    let barrier = Arc::new(Barrier::new(COUNT));
    for _ in 0..COUNT {
        agent.next(Script::Meet(Arc::clone(&barrier)));
    }
    let calls = (0..COUNT).map(|n| world.message(&workspace.id, &n.to_string()));
    for answer in at_once(calls).await {
        answer.expect(200);
    }
    assert_eq!(agent.texts().len(), COUNT);
}

#[tokio::test]
async fn at_a_hundred_that_run_no_more_are_taken() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Alone").await;
    let id: WorkspaceId = own.id.parse().expect("an id");
    inside
        .scale
        .set_number(&keys::load(id), "running", 100)
        .await;
    let path = format!("/workspaces/{}/a2a", own.id);
    let messages = context(&inside);
    // To itself: that takes no slot.
    let call = inside
        .post(&path)
        .bearer(&own.token)
        .header("X-Workspace-ID", &own.id)
        .json(&e2e::envelope("again"));
    let full = call.to(messages, dispatch::handle).await;
    assert_eq!(full.error(), (429, "queue is full"));
    assert_eq!(full.json["queue_depth"], 100);
}

#[tokio::test]
async fn only_the_agent_says_that_it_is_busy_and_then_nothing_is_queued() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let lead = world.workspace("Lead").await;
    let (workspace, agent) = native(&world).await;
    // What its heartbeat says of tasks is no reason.
    let beat = json!({"active_tasks": 9});
    world.beat(&workspace, beat).await.expect(200);
    world.message(&workspace.id, "welcome").await.expect(200);

    let sentence = "workspace agent busy — adapter handles retry (native_session)";
    for retry_after in [5, 600] {
        agent.next(Script::Busy(retry_after));
        let busy = world.message_from(&lead, &workspace.id, "not now").await;
        assert_eq!(
            busy.json,
            json!({"error": sentence, "busy": true, "retry_after": 30, "native_session": true})
        );
        assert_eq!(busy.status, 503);
        assert_eq!(busy.header("retry-after"), "30");
    }
    agent.next(Script::Busy(5));
    let told = world.delegate(&lead, &workspace.id, "nor this").await;
    let id = told.expect(202).text("delegation_id");
    let failed = world.delegated(&lead, &id, "failed").await;
    assert_eq!(failed["error"], sentence);

    assert!(backstage.line(&workspace).await.is_empty());
    assert_eq!(world.queue_of(&workspace.id).await, None);
    let counts = backstage.counts(&workspace).await.expect("counted");
    assert_eq!(
        (counts.accepted, counts.done, counts.failed, counts.drift()),
        (4, 1, 3, 0)
    );
    // Nothing comes by itself later; the sender may ask again.
    let free = json!({"active_tasks": 0});
    world.beat(&workspace, free).await.expect(200);
    world.message(&workspace.id, "again").await.expect(200);
    assert_eq!(
        agent.texts(),
        ["welcome", "not now", "not now", "nor this", "again"]
    );
}

//! `DELETE /workspaces/{id}` while messages wait for it and one runs

use domain::request::State;
use e2e::{Backstage, Script, World, until};
use reqwest::Method;
use serde_json::json;

const GONE: &str = "message dropped: its target is gone";

#[tokio::test]
async fn what_waits_is_let_go_at_once_and_what_runs_ends() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    for query in ["", "?purge=true"] {
        let lead = world.workspace("Lead").await;
        let (doomed, agent) = world.online("Doomed").await;
        let held = world.hold(&doomed, &agent, "running").await;
        let head = tokio::spawn(world.message(&doomed.id, "head").into_future());
        backstage.until_waiting(&doomed, 1).await;
        let told = world.delegate(&lead, &doomed.id, "task").await.expect(202);
        let delegation = told.text("delegation_id");
        world.delegated(&lead, &delegation, "queued").await;
        let second = world.message_from(&lead, &doomed.id, "second").await;
        let second = second.expect(202).text("queue_id");
        let line = backstage.line(&doomed).await;
        assert_eq!(line.len(), 3);

        let path = format!("/workspaces/{}{query}", doomed.id);
        let delete = world.call(Method::DELETE, &path).bearer(&world.admin);
        delete.await.expect(200);

        // Nobody has to wait for the minute tick: whoever asks is told, whoever delegated sees it.
        let head = head.await.expect("joined");
        assert_eq!(head.error(), (503, GONE), "{query}");
        let failed = world.delegated(&lead, &delegation, "failed").await;
        assert_eq!(failed["error"], GONE, "{query}");
        let told = world.events(&lead.id).await;
        assert_eq!(
            told[0],
            (
                "DELEGATION_FAILED".to_owned(),
                json!({"delegation_id": delegation, "target_id": doomed.id, "error": GONE})
            ),
            "{query}"
        );
        for entry in &line {
            let id = entry.request_id.to_string();
            let ended = world.settled(&doomed.id, &id).await;
            assert_eq!(ended["state"], State::Dropped.wire(), "{query}");
            assert_eq!(ended["error"], "its target is gone", "{query}");
        }
        assert!(line.iter().any(|it| it.request_id.to_string() == second));
        assert!(backstage.line(&doomed).await.is_empty(), "{query}");

        // What its agent has, it may still answer.
        let running = held.release().await.expect(200);
        assert_eq!(running.json["result"]["parts"][0]["text"], "echo: running");
        assert_eq!(agent.texts(), ["running"], "{query}");
        assert_eq!(world.queue_of(&doomed.id).await, None, "{query}");
        let refused = world.message(&doomed.id, "too late").await;
        assert_eq!(refused.error(), (404, "workspace not found"), "{query}");
        let counts = backstage.counts(&doomed).await;
        if query.is_empty() {
            let counts = counts.expect("counted");
            assert_eq!((counts.done, counts.dropped, counts.drift()), (1, 3, 0));
            assert_eq!((counts.waiting, counts.running), (0, 0));
        } else {
            assert_eq!(counts, None);
        }
    }
}

#[tokio::test]
async fn a_long_line_is_let_go_to_the_last() {
    // More than one look at a line moves when there is something to move for.
    const COUNT: usize = 45;
    let (world, backstage) = (World::new(), Backstage::new().await);
    let (doomed, agent) = world.online("Doomed").await;
    let held = world.hold(&doomed, &agent, "running").await;
    let calls: Vec<_> = (0..COUNT)
        .map(|n| world.message(&doomed.id, &n.to_string()))
        .map(|call| tokio::spawn(call.into_future()))
        .collect();
    backstage.until_waiting(&doomed, COUNT).await;
    let line = backstage.line(&doomed).await;
    let path = format!("/workspaces/{}?purge=true", doomed.id);
    let delete = world.call(Method::DELETE, &path).bearer(&world.admin);
    delete.await.expect(200);
    backstage.until_waiting(&doomed, 0).await;
    for entry in [&line[0], &line[COUNT - 1]] {
        let id = entry.request_id.to_string();
        assert_eq!(world.request(&doomed.id, &id).await["state"], "dropped");
    }
    for call in calls {
        let answer = call.await.expect("joined");
        assert!(matches!(answer.status, 202 | 503), "{answer:?}");
    }
    held.release().await.expect(200);
    assert_eq!(agent.texts(), ["running"]);
}

#[tokio::test]
async fn a_delivery_that_goes_wrong_after_the_removal_waits_for_nobody() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    tokio::join!(
        removed_under_way(&world, &backstage, ""),
        removed_under_way(&world, &backstage, "?purge=true"),
    );
}

async fn removed_under_way(world: &World, backstage: &Backstage, query: &str) {
    let (doomed, agent) = world.online("Doomed").await;
    agent.next(Script::Silent);
    // Long enough for the removal to come first, on any machine.
    let call = world
        .message(&doomed.id, "unheard")
        .header("X-Timeout", "8");
    let call = tokio::spawn(call.into_future());
    until(20, "it arrives", || async {
        (agent.texts() == ["unheard"]).then_some(())
    })
    .await;
    let path = format!("/workspaces/{}{query}", doomed.id);
    let delete = world.call(Method::DELETE, &path).bearer(&world.admin);
    delete.await.expect(200);

    let answer = call.await.expect("joined");
    assert_eq!(answer.error(), (503, GONE), "{query}");
    assert!(backstage.line(&doomed).await.is_empty(), "{query}");
    if let Some(counts) = backstage.counts(&doomed).await {
        assert_eq!((counts.accepted, counts.dropped, counts.drift()), (1, 1, 0));
        assert_eq!((counts.waiting, counts.running), (0, 0));
    }
}

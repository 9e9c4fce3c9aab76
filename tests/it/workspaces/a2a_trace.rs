//! `POST /workspaces/{id}/a2a` with a `traceparent`: whoever gets the message is told.

use std::time::Duration;

use e2e::{Agent, Script, World, until};
use serde_json::json;

fn trace(number: u32) -> String {
    format!("00-5759e988bd862e3fe1be46a9{number:08x}-53995c3f42cd8ad8-01")
}

fn traces(agent: &Agent) -> Vec<String> {
    let received = agent.received();
    let headers = received
        .iter()
        .filter_map(|got| got.headers.get("traceparent"));
    headers
        .map(|it| it.to_str().expect("text").to_owned())
        .collect()
}

#[tokio::test]
async fn the_agent_gets_its_callers_trace_at_once_and_out_of_the_line() {
    let world = World::new();
    let (workspace, agent) = world.online("Traced").await;
    agent.next(Script::Slow(Duration::from_secs(4)));
    let first = world.message(&workspace.id, "first");
    let first = tokio::spawn(first.header("traceparent", &trace(1)).into_future());
    until(5, "the first arrives", || async {
        (agent.texts() == ["first"]).then_some(())
    })
    .await;
    let second = world.message(&workspace.id, "second");
    let second = tokio::spawn(second.header("traceparent", &trace(2)).into_future());
    for call in [first, second] {
        call.await.expect("joined").expect(200);
    }
    assert_eq!(agent.texts(), ["first", "second"]);
    assert_eq!(traces(&agent), [trace(1), trace(2)]);
}

#[tokio::test]
async fn what_is_no_trace_is_not_passed_on() {
    let world = World::new();
    let (workspace, agent) = world.online("Untraced").await;
    let nonsense = "00-nonsense";
    let message = world.message(&workspace.id, "hello");
    message.header("traceparent", nonsense).await.expect(200);
    assert!(traces(&agent).iter().all(|it| it != nonsense));
}

#[tokio::test]
async fn a_delegations_task_has_the_trace_of_who_delegated() {
    let world = World::new();
    let (lead, _) = world.online("Lead").await;
    let (worker, agent) = world.online("Worker").await;
    let call = world.post(&format!("/workspaces/{}/delegate", lead.id));
    let call = call.bearer(&lead.token).header("traceparent", &trace(3));
    let task = json!({"target_id": worker.id, "task": "write"});
    call.json(&task).await.expect(202);
    until(30, "the task arrives", || async {
        (traces(&agent) == [trace(3)]).then_some(())
    })
    .await;
}

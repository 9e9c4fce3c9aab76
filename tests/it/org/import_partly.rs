//! `POST /org/import` of a hundred, and of some of which one fails

use std::time::Instant;

use domain::Mode;
use e2e::{
    World,
    counted::{Fault, InProcess, round_trips, show},
};
use serde_json::{Value, json};

use super::import::import;

/// Ten teams of ten.
fn hundred() -> Value {
    let team = |n: usize| {
        let members = (0..9).map(|m| json!({"name": format!("Member {n}.{m}")}));
        json!({"name": format!("Team {n}"), "children": members.collect::<Vec<_>>()})
    };
    let teams = (0..10).map(team).collect::<Vec<_>>();
    json!({"template": {"name": "Hundred", "workspaces": teams}})
}

#[tokio::test]
async fn a_hundred_workspaces_in_one_call() {
    let world = World::new();
    let began = Instant::now();
    let made = import(&world, &hundred()).await.expect(201);
    let took = began.elapsed();
    assert_eq!(made.json["count"], 100);
    show(&format!(
        "an organisation of 100: {:.1} s",
        took.as_secs_f64()
    ));
    assert!(took.as_secs() < 29);
}

#[tokio::test]
async fn three_at_a_time_parents_first() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let call = inside
        .post("/org/import")
        .bearer(&inside.admin)
        .json(&hundred());
    let (answer, calls) = call.counted().await;
    answer.expect(201);
    let writes: Vec<_> = calls
        .iter()
        .filter(|it| it.operation == "TransactWriteItems")
        .collect();
    // A conflict is tried again: as many as workspaces, or a few more.
    assert!(writes.len() >= 100, "{}", writes.len());
    let most = writes.iter().map(|one| {
        writes
            .iter()
            .filter(|other| {
                other.began < one.ended && other.ended > one.began && other.began <= one.began
            })
            .count()
    });
    assert!(most.max() <= Some(3));
    show(&format!(
        "an organisation of 100: {} calls, {} one after the other",
        calls.len(),
        round_trips(&calls)
    ));
}

#[tokio::test]
async fn those_before_a_failure_stay() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let org = json!({"template": {"name": "Partly", "workspaces": [
        {"name": "Root", "children": [{"name": "A", "children": [{"name": "Below A"}]}]}]}});
    let import = || inside.post("/org/import").bearer(&inside.admin).json(&org);
    // The first write is the root's; the second waits for it, and fails.
    let gate = e2e::counted::gate();
    inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Hold(gate.clone()));
    inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Unreachable);
    let (answer, ()) = tokio::join!(import(), async {
        gate.wait().await;
        gate.wait().await;
    });
    let answer = answer.expect(207);
    let unavailable = "platform datastore unavailable — retry shortly";
    let root = answer.json["workspaces"][0]["id"].clone();
    assert_eq!(
        answer.json,
        json!({"org": "Partly", "count": 1, "skipped": [],
            "workspaces": [{"id": root, "name": "Root", "tier": 2}],
            "error": format!("workspace \"A\": {unavailable}"),
            "failed": [{"name": "A", "error": unavailable}], "not_created": ["Below A"]})
    );
    let path = format!("/workspaces/{}", root.as_str().expect("an id"));
    inside.get(&path).bearer(&inside.admin).await.expect(200);
    // Where nothing was created, it is an error like any other.
    inside.wire.mend();
    inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Unreachable);
    let nothing = import().await;
    assert_eq!(nothing.error(), (503, unavailable));
}

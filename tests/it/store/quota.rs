//! How many workspaces there may be: exact, also for those created at once (decision 30).

use domain::Mode;
use e2e::counted::{InCall, InProcess};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::calls_messages::permitted;

fn create(inside: &InProcess) -> InCall {
    let call = inside.post("/workspaces").bearer(&inside.admin);
    call.json(&json!({"name": "One more", "external": true}))
}

fn import(inside: &InProcess, workspaces: &Value) -> InCall {
    let call = inside.post("/org/import").bearer(&inside.admin);
    call.json(&json!({"template": {"name": "Org", "workspaces": workspaces}}))
}

async fn there(inside: &InProcess) -> usize {
    let count = inside.app.store.count_workspaces().await;
    count.expect("counted")
}

#[tokio::test]
async fn no_more_are_created_than_there_may_be() {
    let inside = InProcess::limited(Mode::DevClosed, 2).await;
    let first = create(&inside).await.expect(201).text("id");
    let (second, calls) = create(&inside).counted().await;
    second.expect(201);
    permitted("workspaces.create", &calls);
    let refused = create(&inside).await;
    assert_eq!(refused.error(), (409, "workspace quota reached"));
    assert_eq!(refused.json["max_workspaces"], 2);
    assert_eq!(refused.json["workspaces"], 2);
    assert!(refused.text("hint").contains("MaxWorkspaces"));
    // Who is removed makes room, though its row is still there.
    let path = format!("/workspaces/{first}?confirm=true");
    let delete = inside.call(Method::DELETE, &path).bearer(&inside.admin);
    delete.await.expect(200);
    create(&inside).await.expect(201);
    assert_eq!(create(&inside).await.status, 409);
}

#[tokio::test]
async fn a_repeat_is_no_more_than_there_may_be() {
    let inside = InProcess::limited(Mode::DevClosed, 1).await;
    let once = || create(&inside).header("idempotency-key", "quota");
    let made = once().await.expect(201).text("id");
    assert_eq!(once().await.expect(201).text("id"), made);
}

#[tokio::test]
async fn of_many_at_once_as_many_are_created_as_there_may_be() {
    let inside = InProcess::limited(Mode::DevClosed, 5).await;
    let answers = join_all((0..8).map(|_| create(&inside).into_future())).await;
    let made = answers.iter().filter(|it| it.status == 201).count();
    // One that met others too often is told to try again.
    let odd = answers
        .iter()
        .find(|it| ![201, 409, 503].contains(&it.status));
    assert!(odd.is_none(), "{odd:?}");
    assert!((1..=5).contains(&made), "{made}");
    assert_eq!(there(&inside).await, made);
    while create(&inside).await.status == 201 {}
    assert_eq!(there(&inside).await, 5);
}

#[tokio::test]
async fn an_organisation_fits_whole_or_is_not_begun() {
    let inside = InProcess::limited(Mode::DevClosed, 4).await;
    create(&inside).await.expect(201);
    let four = json!([{"name": "A", "children": [{"name": "B"}, {"name": "C"}]}, {"name": "D"}]);
    let refused = import(&inside, &four).await;
    assert_eq!(refused.error(), (409, "workspace quota reached"));
    assert_eq!(refused.json["planned"], 4);
    assert_eq!(there(&inside).await, 1);
    let three = json!([{"name": "A", "children": [{"name": "B"}, {"name": "C"}]}]);
    let (made, calls) = import(&inside, &three).counted().await;
    assert_eq!(made.expect(201).json["count"], 3);
    permitted("templates.org_import", &calls);
    assert_eq!(there(&inside).await, 4);
}

#[tokio::test]
async fn without_a_quota_nothing_is_counted() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let (made, calls) = create(&inside).counted().await;
    made.expect(201);
    assert!(calls.iter().all(|call| call.operation != "Query"));
}

//! Conflicts and throttling: tried again until they are over, given up before the function is.

use std::time::Duration;

use domain::Mode;
use e2e::{
    Workspace,
    counted::{ALWAYS, Fault, InCall, InProcess, PUBLIC},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

/// A function's time, as the template gives it to most.
const FUNCTION: Duration = Duration::from_secs(10);

/// Every route that writes in a transaction, in an order in which each can.
async fn transactions(inside: &InProcess) -> Vec<InCall> {
    let top = inside.online("Top").await;
    let own = inside.child("Own", &top).await;
    inside.register(&own, PUBLIC).await.expect(200);
    let at = |rest: &str| format!("/workspaces/{}{rest}", own.id);
    let post = |path: &str, body: Value| inside.post(path).bearer(&own.token).json(&body);
    let admin = |method: Method, path: &str, body: Value| {
        let call = inside.call(method, path).bearer(&inside.admin);
        call.json(&body)
    };
    let minted = inside.post(&at("/tokens")).bearer(&inside.admin);
    minted.await.expect(201);
    let tokens = inside.get(&at("/tokens")).bearer(&own.token).await;
    let token = tokens.json["tokens"][0]["id"].as_str().expect("a token");
    let card = json!({"workspace_id": own.id, "agent_card": {}});
    let new = json!({"name": "New", "external": true, "parent_id": own.id});
    vec![
        inside.register(&own, PUBLIC),
        inside.beat(&own, json!({"error_rate": 0.9})),
        post("/registry/update-card", card),
        post(&at("/notify"), json!({"message": "m"})),
        post(&at("/activity"), json!({"activity_type": "agent_log"})),
        admin(Method::POST, &at("/tokens"), json!({})),
        admin(Method::DELETE, &at(&format!("/tokens/{token}")), json!({})),
        post(&at("/secrets"), json!({"key": "K", "value": "v"})),
        admin(Method::DELETE, &at("/secrets/K"), json!({})),
        admin(Method::POST, "/workspaces", new),
        admin(Method::POST, &at("/hibernate"), json!({})),
        post(&at("/restart"), json!({})),
        admin(Method::POST, &at("/pause"), json!({})),
        admin(Method::POST, &at("/resume"), json!({})),
        admin(Method::PATCH, &at(""), json!({"parent_id": null})),
        admin(Method::DELETE, &at("?confirm=true"), json!({})),
    ]
}

#[tokio::test]
async fn a_transaction_that_is_never_taken_is_not_tried_again() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let wrong = Fault::cancelled("ValidationError");
    inside.wire.fail("TransactWriteItems", ALWAYS, wrong);
    let notify = inside.post(&format!("/workspaces/{}/notify", own.id));
    let notify = notify.bearer(&own.token).json(&json!({"message": "m"}));
    let (answer, calls) = notify.counted().await;
    answer.expect(503);
    let tries = calls
        .iter()
        .filter(|call| call.operation == "TransactWriteItems");
    assert_eq!(tries.count(), 1);
}

#[tokio::test]
async fn a_transaction_that_met_another_is_tried_again() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for fault in [
        Fault::conflict(),
        Fault::cancelled("ThrottlingError"),
        Fault::cancelled("ProvisionedThroughputExceeded"),
        Fault::error("TransactionInProgressException", "in progress"),
    ] {
        for call in transactions(&inside).await {
            inside.wire.fail("TransactWriteItems", 2, fault.clone());
            let what = format!("{call} after {fault:?}");
            let (answer, calls) = call.counted().await;
            assert!(answer.status < 300, "{what}: {answer:?}");
            let tries = calls
                .iter()
                .filter(|call| call.operation == "TransactWriteItems");
            assert!(tries.count() >= 3, "{what}");
            inside.wire.mend();
        }
    }
}

/// Single calls, and the operation of each that meets trouble.
fn singles(inside: &InProcess, own: &Workspace) -> Vec<(&'static str, InCall)> {
    let rename = inside.call(Method::PATCH, &format!("/workspaces/{}", own.id));
    let rename = rename
        .bearer(&inside.admin)
        .json(&json!({"name": "Renamed"}));
    let show = inside
        .get(&format!("/workspaces/{}", own.id))
        .bearer(&own.token);
    let list = inside
        .get(&format!("/events/{}", own.id))
        .bearer(&inside.admin);
    vec![
        ("UpdateItem", inside.beat(own, json!({}))),
        ("UpdateItem", rename),
        ("BatchGetItem", show),
        ("Query", list),
    ]
}

#[tokio::test]
async fn throttled_calls_are_tried_again() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    for (operation, call) in singles(&inside, &own) {
        inside.wire.fail(operation, 2, Fault::throttled());
        let (answer, calls) = call.counted().await;
        answer.expect(200);
        let tries = calls.iter().filter(|call| call.operation == operation);
        assert_eq!(tries.count(), 3, "{operation}");
    }
}

#[tokio::test]
async fn a_single_write_that_met_a_transaction_is_tried_again() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let writes = singles(&inside, &own).into_iter();
    for (operation, call) in writes.filter(|(operation, _)| *operation == "UpdateItem") {
        inside.wire.fail(operation, 2, Fault::write_conflict());
        let what = format!("{call}");
        let answer = call.await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
    }
}

/// Gives an operation the same trouble until its caller gives up, in time.
async fn endless(operation: &str, fault: Fault) {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let card = inside.post("/registry/update-card").bearer(&own.token);
    let call = match operation {
        "UpdateItem" => inside.beat(&own, json!({})),
        _ => card.json(&json!({"workspace_id": own.id, "agent_card": {}})),
    };
    inside.wire.fail(operation, ALWAYS, fault);
    let answer = timeout(FUNCTION, call).await;
    let answer = answer.unwrap_or_else(|_| panic!("{operation}: no answer in {FUNCTION:?}"));
    let code = answer.json["code"].as_str();
    assert_eq!((answer.status, code), (503, Some("platform_unavailable")));
}

#[tokio::test]
async fn conflicts_without_end_are_told_before_the_function_ends() {
    endless("TransactWriteItems", Fault::conflict()).await;
}

#[tokio::test]
async fn throttling_without_end_is_told_before_the_function_ends() {
    tokio::join!(
        endless("UpdateItem", Fault::throttled()),
        endless("BatchGetItem", Fault::throttled()),
    );
}

#[tokio::test]
async fn throttled_transactions_without_end_are_told_before_the_function_ends() {
    endless("TransactWriteItems", Fault::throttled()).await;
}

#[tokio::test]
async fn silence_is_told_before_the_function_ends() {
    tokio::join!(
        endless("TransactWriteItems", Fault::Silent),
        endless("UpdateItem", Fault::Silent),
        endless("BatchGetItem", Fault::Silent),
    );
}

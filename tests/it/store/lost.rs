//! Answers that get lost: the call was carried out, and is made again.

use domain::Mode;
use e2e::counted::{Fault, InProcess, PUBLIC};
use serde_json::json;

use super::{events, marks};

#[tokio::test]
async fn a_lost_answer_does_not_make_two_of_one() {
    let inside = InProcess::new(Mode::Dev).await;
    let made = json!({"name": "Tokenless", "runtime": "langgraph"});
    let made = inside.post("/workspaces").json(&made).await.expect(201);
    let mut own = e2e::Workspace {
        id: made.text("id"),
        token: String::new(),
    };

    inside.wire.fail("TransactWriteItems", 1, Fault::AnswerLost);
    let registered = inside.register(&own, PUBLIC).await.expect(200);
    own.token = registered.text("auth_token");
    assert_eq!(marks(&inside, &own).await.len(), 1);
    let found = inside
        .app
        .store
        .tokens(super::id(&own))
        .await
        .expect("tokens");
    assert_eq!(found.len(), 1);
    inside.beat(&own, json!({})).await.expect(200);

    inside.wire.fail("TransactWriteItems", 1, Fault::AnswerLost);
    inside
        .beat(&own, json!({"error_rate": 1}))
        .await
        .expect(200);
    inside.wire.fail("UpdateItem", 1, Fault::AnswerLost);
    inside
        .beat(&own, json!({"error_rate": 0}))
        .await
        .expect(200);
    let expected = [
        "WORKSPACE_ONLINE",
        "WORKSPACE_DEGRADED",
        "WORKSPACE_ONLINE",
        "WORKSPACE_PROVISIONING",
    ];
    assert_eq!(events(&inside, &own).await, expected);

    inside.wire.fail("TransactWriteItems", 1, Fault::AnswerLost);
    let notify = inside.post(&format!("/workspaces/{}/notify", own.id));
    let notify = notify.bearer(&own.token).json(&json!({"message": "once"}));
    notify.await.expect(200);
    let list = inside.get(&format!("/workspaces/{}/activity", own.id));
    let rows = list.bearer(&own.token).await.expect(200).json;
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
}

//! Limits of DynamoDB's calls: keys that a batch get left for later.

use std::time::Duration;

use domain::Mode;
use e2e::counted::{ALWAYS, Fault, InProcess};
use serde_json::{Value, json};
use store::{keys, workspaces::Parts};
use tokio::time::timeout;

fn unprocessed(inside: &InProcess, keys: &[keys::Key]) -> Fault {
    let table = &inside.app.settings.table;
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| json!({"pk": {"S": key.pk}, "sk": {"S": key.sk}}))
        .collect();
    let left = json!({ table: {"Keys": keys, "ConsistentRead": true} });
    Fault::Answer(
        200,
        json!({"Responses": { table: [] }, "UnprocessedKeys": left}),
    )
}

#[tokio::test]
async fn keys_left_for_later_are_asked_for_again() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let id = super::id(&own);
    let left = unprocessed(&inside, &Parts::Core.keys(id));
    inside.wire.fail("BatchGetItem", 2, left);
    inside.wire.take();
    let found = inside.app.store.workspace(id, Parts::Core).await;
    assert!(
        found
            .expect("an answer")
            .is_some_and(|it| it.beat.is_some())
    );
    let calls = inside.wire.take();
    assert_eq!(calls.len(), 3);
    assert_eq!(
        calls[2].request["RequestItems"][&inside.app.settings.table]["ConsistentRead"],
        true
    );
}

#[tokio::test]
async fn keys_left_for_ever_are_an_outage() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let id = super::id(&own);
    let left = unprocessed(&inside, &Parts::Core.keys(id));
    inside.wire.fail("BatchGetItem", ALWAYS, left);
    let found = inside.app.store.workspace(id, Parts::Core);
    let found = timeout(Duration::from_secs(8), found).await;
    let error = found.expect("an answer in time").expect_err("an outage");
    assert_eq!(error.kind(), domain::Kind::PlatformUnavailable);
}

#[tokio::test]
async fn prompts_that_one_answer_cannot_carry_are_cut_and_it_says_so() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let path = format!("/workspaces/{}/schedules", own.id);
    // Each quote takes four bytes of an answer: text in a text.
    let prompt = "\"".repeat(64 * 1024);
    for n in 0..25 {
        let body = json!({"name": n.to_string(), "cron_expr": "0 9 * * *", "prompt": prompt});
        let made = inside.post(&path).bearer(&own.token).json(&body);
        made.await.expect(201);
        if ![0, 24].contains(&n) {
            continue;
        }
        let listed = inside.get(&path).bearer(&own.token).await.expect(200);
        let rows = listed.json.as_array().expect("a list");
        assert_eq!(rows.len(), n + 1);
        assert_eq!(rows[0]["prompt"], prompt);
        let said = listed.header("x-prompts-truncated");
        assert_eq!(said, if n == 24 { "true" } else { "" });
        let last = rows[n]["prompt"].as_str().expect("a text");
        assert_eq!(last.len() < 300, n == 24, "{}", last.len());
    }
}

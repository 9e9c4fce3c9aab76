//! A bus that takes a part of a batch.

use domain::{Mode, WorkspaceId};
use e2e::counted::{AwsCall, Fault, InProcess};
use events::relay;
use serde_json::{Value, json};

use super::gateway;

/// What the bus answers when it takes those of which this is true.
fn taking(those: &[bool]) -> Fault {
    let entries = those.iter().map(|taken| match taken {
        true => json!({"EventId": "e"}),
        false => json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "slowly"}),
    });
    let entries: Vec<Value> = entries.collect();
    let failed = those.iter().filter(|taken| !**taken).count();
    Fault::Answer(200, json!({"FailedEntryCount": failed, "Entries": entries}))
}

/// The ids of what a call offered the bus, each with whether it was taken.
fn offered(call: &AwsCall) -> Vec<(Value, bool)> {
    let offered = call.request["Entries"].as_array().expect("entries").iter();
    let answers = call.response["Entries"].as_array().expect("answers").iter();
    assert_eq!(offered.len(), answers.len(), "{call:?}");
    let id = |entry: &Value| {
        let detail = entry["Detail"].as_str().expect("a detail");
        serde_json::from_str::<Value>(detail).expect("JSON")["id"].clone()
    };
    let each = offered.zip(answers);
    each.map(|(entry, answer)| (id(entry), answer["ErrorCode"].is_null()))
        .collect()
}

#[tokio::test]
async fn from_the_first_that_the_bus_refuses_a_batch_comes_again_with_the_same_ids() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (address, told) = gateway::gateway().await;
    let relay = gateway::relay(&inside, address);
    gateway::long_open(&inside, "well-1").await;
    let batch = gateway::batch(WorkspaceId::random(), 20);
    let records = batch["Records"].as_array().expect("records").clone();
    let all: Vec<_> = records
        .iter()
        .map(|it| it["dynamodb"]["NewImage"]["id"]["S"].clone())
        .collect();
    // Ten, and all of the next ten but the fourth, which it refuses again and again.
    let mut second = [true; 10];
    second[3] = false;
    inside.wire.fail("PutEvents", 1, taking(&[true; 10]));
    inside.wire.fail("PutEvents", 1, taking(&second));
    inside.wire.fail("PutEvents", 3, taking(&[false]));
    inside.wire.take();
    let first = serde_json::from_value(batch).expect("a batch");
    let answer = relay::handle(relay, first).await.expect("a part");
    assert_eq!(
        answer,
        json!({"batchItemFailures": [{"itemIdentifier": "13"}]})
    );
    // Lambda sends that record and all behind it once more.
    let rest = json!({"Records": records[13..]});
    let rest = serde_json::from_value(rest).expect("a batch");
    let answer = relay::handle(relay, rest).await.expect("told");
    assert_eq!(answer, json!({"batchItemFailures": []}));

    let calls = inside.wire.take();
    let calls = calls.iter().filter(|it| it.operation == "PutEvents");
    let offers: Vec<_> = calls.flat_map(offered).collect();
    let times = |id: &Value, taken: bool| {
        let same = offers.iter().filter(|it| it.0 == *id && it.1 == taken);
        same.count()
    };
    for (n, id) in all.iter().enumerate() {
        let expected = match n {
            13 => (1, 4),
            14.. => (2, 0),
            _ => (1, 0),
        };
        assert_eq!((times(id, true), times(id, false)), expected, "{n}");
    }
    let told = told.lock().expect("no panic");
    let frames = told["well-1"].iter().map(|frame| frame["id"].clone());
    let expected: Vec<_> = all.iter().chain(&all[13..]).cloned().collect();
    assert_eq!(frames.collect::<Vec<_>>(), expected);
}

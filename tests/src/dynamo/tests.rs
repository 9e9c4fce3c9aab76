//! What DynamoDB refuses and the emulator takes.

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use domain::{WorkspaceId, workspace::Status};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    Store,
    beats::Beat,
    ledger::Gate,
    workspaces::{DeliveryMode, Registered, Registration},
};

use super::{Dynamo, Fair, Line, Refusal, unsigned};

fn update(expression: &str, names: Value) -> Result<Value, Refusal> {
    let request = json!({
        "TableName": "t", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}},
        "UpdateExpression": expression, "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":v": {"N": "1"}},
    });
    Dynamo::default().call("UpdateItem", &request, 0)
}

fn refused(outcome: &Result<Value, Refusal>, why: &str) -> bool {
    matches!(outcome, Err(Refusal::Validation(text)) if text.contains(why))
}

#[test]
fn no_two_clauses_may_touch_one_place() {
    let names = json!({"#a": "a", "#b": "b"});
    for overlap in [
        "SET #a = :v, #b = :v, #a = :v",
        "SET #a = :v, #b = :v REMOVE #a",
        "SET #b = :v, #a.#b = :v REMOVE #a",
    ] {
        assert!(
            refused(&update(overlap, names.clone()), "overlap"),
            "{overlap}"
        );
    }
    assert!(update("SET #a = :v, #b = :v", names).is_ok());
}

#[test]
fn names_and_values_that_nothing_uses_are_refused() {
    let unused = update("SET #a = :v", json!({"#a": "a", "#b": "b"}));
    assert!(refused(&unused, "unused"));
    let undefined = update("SET #a = :v, #b = :v", json!({"#a": "a"}));
    assert!(refused(&undefined, "undefined"));
    let reserved = update("SET #a = :v, status = :v", json!({"#a": "a"}));
    assert!(refused(&reserved, "reserved"));
}

#[test]
fn a_transaction_writes_no_item_twice() {
    let write = json!({"Delete": {"TableName": "t", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}});
    let twice = json!({"TransactItems": [write, write]});
    let outcome = Dynamo::default().call("TransactWriteItems", &twice, 0);
    assert!(refused(&outcome, "multiple operations"));
}

#[test]
fn index_keys_are_texts() {
    for (name, value) in [("due_at", json!({"S": ""})), ("tree_pk", json!({"N": "1"}))] {
        let item = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, name: value});
        let put = json!({"TableName": "t", "Item": item});
        let outcome = Dynamo::default().call("PutItem", &put, 0);
        assert!(refused(&outcome, "index"), "{name}");
    }
}

#[test]
#[should_panic(expected = "not known")]
fn what_it_does_not_know_it_does_not_pretend() {
    let _ = update("SET #a = :v + :v", json!({"#a": "a"}));
}

#[test]
#[should_panic(expected = "not known")]
fn nor_fields_of_a_request() {
    let query = json!({"TableName": "t", "FilterExpression": "x"});
    let _ = Dynamo::default().call("Query", &query, 0);
}

#[test]
fn late_readers_see_what_was() {
    let dynamo = Dynamo::default();
    let key = json!({"pk": {"S": "a"}, "sk": {"S": "b"}});
    for n in ["1", "2"] {
        let item = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "n": {"N": n}});
        let put = json!({"TableName": "t", "Item": item});
        dynamo.call("PutItem", &put, 0).expect("put");
    }
    let read = |late, consistent: bool| {
        let get = json!({"TableName": "t", "Key": key, "ConsistentRead": consistent});
        let found = dynamo.call("GetItem", &get, late).expect("an answer");
        found["Item"]["n"]["N"].as_str().map(str::to_owned)
    };
    assert_eq!(read(0, false).as_deref(), Some("2"));
    assert_eq!(read(1, false).as_deref(), Some("1"));
    assert_eq!(read(2, false), None);
    assert_eq!(read(2, true).as_deref(), Some("2"));
}

/// A transaction that DynamoDB takes is broken only by its conditions: nobody is there to register.
#[tokio::test]
async fn registering_is_a_request_that_makes_sense() {
    let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
    let s3 = aws_sdk_s3::Client::new(&sdk.build());
    let line = Line::new(Dynamo::default(), Arc::new(Fair));
    let store = Store::new(unsigned(line), s3, "table", "bucket");
    let registration = Registration {
        id: WorkspaceId::random(),
        url: "https://8.8.8.8/",
        delivery_mode: DeliveryMode::Push,
        agent_card: &json!({}),
        token: None,
    };
    for status in Status::ALL {
        let before = Beat::new(status, None, 1);
        let done = store
            .register(&registration, &before, Gate::Wake, Timestamp::UNIX_EPOCH)
            .await;
        assert_eq!(done.expect("an answer"), Registered::Raced, "{status}");
    }
}

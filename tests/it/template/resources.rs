//! Everything that is no function: the table, the queues, and how much of it there is.

use std::collections::BTreeSet;

use e2e::{counted::show, template::Template};
use serde_json::{Value, json};
use store::keys::{DUE, EXPIRES_AT, LOG, PK, SK, TREE};

/// CloudFormation takes 500; from here on families of routes share functions.
const MOST_RESOURCES: usize = 450;

/// How many resources SAM makes of each of ours. Approximate where a resource may be made once and
/// shared: then it counts too much, never too little.
///
/// | here | there |
/// |---|---|
/// | function | function, role |
/// | its route, its topic | permission |
/// | its queue, its stream | event source mapping |
/// | its URL | URL, two permissions |
/// | its rule, its schedule | rule and permission, schedule and role |
/// | HTTP API | API, stage |
/// | anything else | itself |
fn expanded(resource: &Value) -> usize {
    match resource["Type"].as_str().unwrap_or_default() {
        "AWS::Serverless::Function" => {
            let events = resource["Properties"]["Events"].as_object();
            let kinds = events.into_iter().flatten().map(|(_, it)| &it["Type"]);
            let each = kinds.map(|kind| match kind.as_str().unwrap_or_default() {
                "HttpApi" | "SQS" | "DynamoDB" | "SNS" => 1,
                _ => 2,
            });
            let url = &resource["Properties"]["FunctionUrlConfig"];
            2 + each.sum::<usize>() + if url.is_null() { 0 } else { 3 }
        }
        "AWS::Serverless::HttpApi" => 2,
        _ => 1,
    }
}

#[test]
fn there_is_room_below_cloudformations_limit() {
    let template = Template::ours();
    let resources: usize = template.resources().map(|(_, it)| expanded(it)).sum();
    let functions = template.functions().count();
    show(&format!(
        "template: {functions} functions, {} routes, {resources} resources of at most {MOST_RESOURCES}",
        template.routes().len()
    ));
    assert!(resources < MOST_RESOURCES, "{resources}");
}

#[test]
fn every_queue_gives_up_into_another_one() {
    let template = Template::ours();
    let queues: Vec<_> = template.of_type("AWS::SQS::Queue").collect();
    let redrive = |queue: &Value| queue["Properties"]["RedrivePolicy"].clone();
    let dead: BTreeSet<String> = queues
        .iter()
        .filter_map(|(_, queue)| {
            let to = &redrive(queue)["deadLetterTargetArn"]["Fn::GetAtt"][0];
            to.as_str().map(str::to_owned)
        })
        .collect();
    // What streams give up ends there, too.
    let streams = template.functions().flat_map(|it| it.events("DynamoDB"));
    let given_up = streams.filter_map(|event| {
        let to = &event["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0];
        to.as_str().map(str::to_owned)
    });
    let dead: BTreeSet<String> = dead.into_iter().chain(given_up).collect();
    for (id, queue) in queues {
        let properties = &queue["Properties"];
        if dead.contains(id) {
            assert!(redrive(queue).is_null(), "{id} is the end, and leads on");
            let kept = properties["MessageRetentionPeriod"].as_u64();
            assert_eq!(kept, Some(14 * 24 * 3600), "{id} forgets too soon");
            continue;
        }
        let policy = redrive(queue);
        assert!(!policy.is_null(), "{id} has no dead letter queue");
        assert!(policy["maxReceiveCount"].as_u64() >= Some(2), "{id}");
        // A message must not come back while the function that has it may still run.
        let consumers = template.functions().filter(|function| {
            let queues = function.events("SQS");
            queues
                .iter()
                .any(|event| event["Queue"] == json!({"Fn::GetAtt": [id, "Arn"]}))
        });
        for consumer in consumers {
            let timeout = consumer.property("Timeout").as_u64();
            let hidden = properties["VisibilityTimeout"].as_u64();
            assert!(hidden > timeout, "{id}: {hidden:?} s for {}", consumer.id);
        }
    }
}

#[test]
fn the_table_is_what_the_store_needs() {
    let template = Template::ours();
    let tables: Vec<_> = template.of_type("AWS::DynamoDB::Table").collect();
    let [(_, table)] = tables[..] else {
        panic!("one table, not {}", tables.len());
    };
    let properties = &table["Properties"];
    let stream = &properties["StreamSpecification"]["StreamViewType"];
    assert_eq!(stream, "NEW_AND_OLD_IMAGES");
    let recovery = &properties["PointInTimeRecoverySpecification"];
    assert_eq!(recovery["PointInTimeRecoveryEnabled"], true);
    let ttl = &properties["TimeToLiveSpecification"];
    assert_eq!(*ttl, json!({"AttributeName": EXPIRES_AT, "Enabled": true}));
    assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST");

    let schema = |pk: &str, sk: &str| {
        json!([
            {"AttributeName": pk, "KeyType": "HASH"},
            {"AttributeName": sk, "KeyType": "RANGE"},
        ])
    };
    assert_eq!(properties["KeySchema"], schema(PK, SK));
    let indexes: Vec<Value> = [TREE, LOG, DUE]
        .map(|index| {
            json!({
                "IndexName": index.name,
                "KeySchema": schema(index.pk, index.sk),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            })
        })
        .into();
    assert_eq!(properties["GlobalSecondaryIndexes"], Value::Array(indexes));
}

#[test]
fn what_holds_data_outlives_the_stack() {
    // Without its key the table's secrets are lost.
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"] {
        for (id, resource) in Template::ours().of_type(kind) {
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                assert_eq!(resource[policy], "Retain", "{policy} of {id}");
            }
        }
    }
}

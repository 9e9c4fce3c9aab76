//! Alarms: each watches something that is there, and says what to do.

use std::collections::BTreeSet;

use e2e::template::Template;
use edge::metrics::{DIMENSION, Metric, NAMESPACE};
use serde_json::{Value, json};

/// They cost $0.10 a month each, as the README says.
const MOST: usize = 8;

fn alarms() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let alarms = Template::ours().of_type("AWS::CloudWatch::Alarm");
    alarms.map(|(id, alarm)| (id, &alarm["Properties"]))
}

#[test]
fn every_alarm_watches_what_is_written() {
    let template = Template::ours();
    let ours: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    let queues: BTreeSet<&str> = template
        .of_type("AWS::SQS::Queue")
        .map(|(id, _)| id)
        .collect();
    let functions: BTreeSet<&str> = template.functions().map(|function| function.id).collect();
    for (id, alarm) in alarms() {
        let text = |key: &str| alarm[key].as_str().unwrap_or_default();
        let [dimension] = alarm["Dimensions"].as_array().expect("a list").as_slice() else {
            panic!("{id}: one dimension, or it watches another metric");
        };
        let (name, of) = (&dimension["Name"], &dimension["Value"]);
        match (text("Namespace"), text("MetricName")) {
            (NAMESPACE, metric) => {
                assert!(ours.contains(metric), "{id}: nobody writes {metric}");
                assert_eq!((name, of), (&json!(DIMENSION), &stack()), "{id}");
            }
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible") => {
                assert_eq!(name, "QueueName", "{id}");
                let queue = of["Fn::GetAtt"][0].as_str().unwrap_or_default();
                assert!(queues.contains(queue), "{id}: no queue {of}");
                assert_eq!(of["Fn::GetAtt"][1], "QueueName", "{id}");
            }
            ("AWS/Lambda", "Errors" | "Invocations") => {
                assert_eq!(name, "FunctionName", "{id}");
                let function = of["Ref"].as_str().unwrap_or_default();
                assert!(functions.contains(function), "{id}: no function {of}");
            }
            other => panic!("{id} watches {other:?}, which no test knows"),
        }
    }
}

#[test]
fn metrics_are_written_under_the_name_that_alarms_look_for() {
    let writers: Vec<_> = Template::ours()
        .functions()
        .filter(|function| function.variables().contains_key("STACK_NAME"))
        .collect();
    assert!(!writers.is_empty());
    for writer in writers {
        assert_eq!(writer.variables()["STACK_NAME"], stack(), "{}", writer.id);
    }
}

#[test]
fn alarms_are_few_and_told_to_whom_the_parameter_says() {
    let topic = json!({"Fn::If": [
        "HasAlarmTopic",
        [{"Ref": "AlarmTopicArn"}],
        {"Ref": "AWS::NoValue"},
    ]});
    let readme = include_str!("../../../README.md");
    for (id, alarm) in alarms() {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], topic, "{actions} of {id}");
        }
        assert!(readme.contains(&format!("`{id}`")), "{id}: what to do?");
        // Metrics of our own are only written when something is wrong. The tick's errors are
        // counted at each run, and no runs are what two alarms are there for.
        let expected = match id {
            "TickDownAlarm" | "SweepsDownAlarm" => "breaching",
            _ => "notBreaching",
        };
        assert_eq!(alarm["TreatMissingData"], expected, "{id}");
    }
    assert!(alarms().count() <= MOST, "{}", alarms().count());
}

#[test]
fn dead_letters_of_every_stack_ring() {
    let template = Template::ours();
    let watched: BTreeSet<&str> = alarms()
        .filter_map(|(_, alarm)| alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0].as_str())
        .collect();
    // Queues under a condition belong to the VPC, where nothing is sent yet.
    let dead = template.of_type("AWS::SQS::Queue").filter_map(|(_, it)| {
        let to = it["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str();
        to.filter(|_| it["Condition"].is_null())
    });
    assert_eq!(watched, dead.collect());
}

fn stack() -> Value {
    json!({"Ref": "AWS::StackName"})
}

//! Alarms: each watches something that is there, and says what to do.

use std::collections::BTreeSet;

use e2e::template::Template;
use edge::metrics::{DIMENSION, Metric, NAMESPACE};
use serde_json::{Value, json};

/// They cost $0.10 a month each, as the README says.
const MOST: usize = 15;

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
        // Of one metric, or calculated of some.
        let sources: Vec<&Value> = match alarm["Metrics"].as_array() {
            Some(metrics) => metrics
                .iter()
                .map(|it| &it["MetricStat"]["Metric"])
                .filter(|it| !it.is_null())
                .collect(),
            None => vec![alarm],
        };
        assert!(!sources.is_empty(), "{id} watches nothing");
        for source in sources {
            is_written(id, source, &ours, &queues, &functions);
        }
    }
}

/// Panics when nobody writes what an alarm looks at.
fn is_written(
    id: &str,
    source: &Value,
    ours: &BTreeSet<&str>,
    queues: &BTreeSet<&str>,
    functions: &BTreeSet<&str>,
) {
    let text = |key: &str| source[key].as_str().unwrap_or_default();
    // Of the account: its concurrency is what functions are refused for.
    if (text("Namespace"), text("MetricName")) == ("AWS/Lambda", "Throttles") {
        assert!(source["Dimensions"].is_null(), "{id}");
        return;
    }
    let [dimension] = source["Dimensions"].as_array().expect("a list").as_slice() else {
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
        ("AWS/ApiGateway", "5xx") => {
            let api = json!({"Ref": "Api"});
            assert_eq!((name, of), (&json!("ApiId"), &api), "{id}");
        }
        ("AWS/Lambda", "Errors" | "Invocations") => {
            assert_eq!(name, "FunctionName", "{id}");
            let function = of["Ref"].as_str().unwrap_or_default();
            assert!(functions.contains(function), "{id}: no function {of}");
        }
        other => panic!("{id} watches {other:?}, which no test knows"),
    }
}

#[test]
fn the_apis_failures_are_counted_without_agents() {
    let (_, alarm) = alarms()
        .find(|(id, _)| *id == "ApiFailuresAlarm")
        .expect("there");
    let metrics = alarm["Metrics"].as_array().expect("calculated");
    let shown: Vec<_> = metrics
        .iter()
        .filter(|it| it["ReturnData"] != false)
        .collect();
    let [shown] = shown.as_slice() else {
        panic!("an alarm has one value, not {}", shown.len());
    };
    // Where no agent has failed, nothing was written of it.
    assert_eq!(shown["Expression"], "api - FILL(agents, 0)");
    let of = |id: &str| {
        let found = metrics.iter().find(|it| it["Id"] == id).expect("named");
        let stat = &found["MetricStat"];
        assert_eq!(
            (&stat["Stat"], &stat["Period"]),
            (&json!("Sum"), &json!(300)),
            "{id}"
        );
        stat["Metric"]["MetricName"].clone()
    };
    assert_eq!(
        (of("api"), of("agents")),
        (json!("5xx"), json!("AgentsFailed"))
    );
    // One answer may be counted on both sides of a period's edge, and the agents' count comes late.
    let twice = (&alarm["EvaluationPeriods"], &alarm["DatapointsToAlarm"]);
    assert_eq!(twice, (&json!(2), &json!(2)));
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
    for (id, alarm) in alarms() {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], topic, "{actions} of {id}");
        }
        // Metrics of our own are only written when something is wrong. The tick's errors are
        // counted at each run, and no runs are what these alarms are there for.
        let expected = if id.ends_with("DownAlarm") {
            "breaching"
        } else {
            "notBreaching"
        };
        assert_eq!(alarm["TreatMissingData"], expected, "{id}");
    }
    assert!(alarms().count() <= MOST, "{}", alarms().count());
}

/// Whatever the clock wakes each minute must be missed when it fails at once or never runs: it has
/// then nothing to tell, and metrics of our own stay unwritten.
#[test]
fn every_minute_tick_is_missed_when_it_does_not_come_to_its_end() {
    let each_minute = Template::ours().functions().filter(|function| {
        let schedules = function.events("Schedule");
        schedules
            .iter()
            .any(|it| it["Schedule"] == "rate(1 minute)")
    });
    let ticks: BTreeSet<&str> = each_minute.map(|function| function.id).collect();
    let down = alarms().filter(|(id, alarm)| {
        id.ends_with("DownAlarm")
            && alarm["MetricName"] == "Errors"
            && alarm["Statistic"] == "Average"
    });
    let watched: BTreeSet<&str> = down
        .filter_map(|(_, alarm)| alarm["Dimensions"][0]["Value"]["Ref"].as_str())
        .collect();
    assert_eq!(watched, ticks);
}

#[test]
fn every_alarm_has_its_heading_in_the_runbook_and_every_heading_its_alarm() {
    let runbook = include_str!("../../../infra/RUNBOOK.md");
    let (_, rest) = runbook.split_once("\n## Alarms\n").expect("the chapter");
    let chapter = rest.split("\n## ").next().unwrap_or_default();
    let headings: BTreeSet<&str> = chapter
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let ids: BTreeSet<&str> = alarms().map(|(id, _)| id).collect();
    assert_eq!(headings, ids);
    for section in chapter.split("\n### ").skip(1) {
        let id = section.lines().next().unwrap_or_default();
        for word in ["**Means**", "**Look**"] {
            assert!(section.contains(word), "{id}: {word}?");
        }
    }
    for (id, alarm) in alarms() {
        let said = alarm["AlarmDescription"].as_str().unwrap_or_default();
        assert!(said.ends_with("infra/RUNBOOK.md."), "{id}: where to look?");
    }
}

#[test]
fn dead_letters_of_every_stack_ring() {
    let template = Template::ours();
    let watched: BTreeSet<&str> = alarms()
        .filter_map(|(_, alarm)| alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0].as_str())
        .collect();
    // Those of queues, and those of mappings. Queues under a condition belong to a VPC: each stack has the others.
    let queues = template.of_type("AWS::SQS::Queue").filter_map(|(_, it)| {
        let to = it["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str();
        to.filter(|_| it["Condition"].is_null())
    });
    let functions = template.of_type("AWS::Serverless::Function");
    let events = functions.filter_map(|(_, it)| it["Properties"]["Events"].as_object());
    let mappings = events.flat_map(|events| events.values()).filter_map(|it| {
        it["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0].as_str()
    });
    assert_eq!(watched, queues.chain(mappings).collect());
}

fn stack() -> Value {
    json!({"Ref": "AWS::StackName"})
}

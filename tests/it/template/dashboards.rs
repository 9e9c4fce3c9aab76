//! What operators look at: saved queries, the dashboard, the runbook's commands. All name what is there.

use std::collections::BTreeSet;

use e2e::template::Template;
use edge::metrics::{Metric, NAMESPACE};
use serde_json::Value;

#[test]
fn the_runbook_and_saved_queries_name_what_is_there() {
    let template = Template::ours();
    let ids: BTreeSet<&str> = template.resources().map(|(id, _)| id).collect();
    let runbook = include_str!("../../../infra/RUNBOOK.md");
    let named = |before: &str| {
        let after = runbook.split(before).skip(1);
        let names = after.map(|rest| {
            let end = |it: char| !it.is_ascii_alphanumeric();
            rest.split(end).next().unwrap_or_default()
        });
        names
            .filter(|name| name.starts_with(char::is_uppercase))
            .collect::<Vec<_>>()
    };
    for name in named("$(fn ") {
        assert!(ids.contains(name), "the runbook looks for {name}");
    }
    for name in named("logs ") {
        let group = format!("{name}Logs");
        assert!(ids.contains(group.as_str()), "the runbook reads {group}");
    }
    for (id, query) in template.of_type("AWS::Logs::QueryDefinition") {
        let groups = query["Properties"]["LogGroupNames"].as_array();
        assert!(groups.is_some_and(|groups| !groups.is_empty()), "{id}");
        for group in groups.into_iter().flatten() {
            let group = group["Ref"].as_str().unwrap_or_default();
            let there = &template.body["Resources"][group];
            assert_eq!(there["Type"], "AWS::Logs::LogGroup", "{id}: {group}");
            assert!(
                there["Condition"].is_null(),
                "{id}: {group} may not be there"
            );
        }
    }
}

/// What may be in one query: CloudWatch's limit.
const MOST_GROUPS: usize = 50;

#[test]
fn the_failures_of_every_function_are_in_a_saved_query() {
    let template = Template::ours();
    let queries = template.of_type("AWS::Logs::QueryDefinition");
    let failures = queries.filter(|(id, _)| id.ends_with("FailuresQuery"));
    let mut looked_at = BTreeSet::new();
    for (id, query) in failures {
        let groups = query["Properties"]["LogGroupNames"].as_array();
        let groups = groups.expect("groups");
        assert!(groups.len() <= MOST_GROUPS, "{id}: {}", groups.len());
        looked_at.extend(groups.iter().filter_map(|group| group["Ref"].as_str()));
    }
    // A query that names a group that is not there does not deploy.
    let always = template
        .functions()
        .filter(|it| it.resource["Condition"].is_null());
    let groups: Vec<Value> = always
        .map(|it| it.property("LoggingConfig")["LogGroup"]["Ref"].clone())
        .collect();
    let groups: BTreeSet<&str> = groups.iter().filter_map(Value::as_str).collect();
    assert_eq!(looked_at, groups);
}

fn widgets(template: &Template) -> Vec<Value> {
    let body = &template.body["Resources"]["Dashboard"]["Properties"]["DashboardBody"];
    let body = body["Fn::Sub"].as_str().expect("text");
    let mut body: Value = serde_json::from_str(body).expect("JSON");
    serde_json::from_value(body["widgets"].take()).expect("widgets")
}

/// In quotes a search finds what is named just so, and no function is named as its stack.
#[test]
fn the_dashboard_searches_for_all_functions_of_the_stack() {
    let widgets = widgets(Template::ours());
    let searches: Vec<&str> = widgets
        .iter()
        .filter_map(|it| it["properties"]["metrics"][0][0]["expression"].as_str())
        .collect();
    assert_eq!(searches.len(), 3);
    for search in searches {
        let whose = search.split(" FunctionName=").nth(1).expect(search);
        assert!(whose.starts_with("${AWS::StackName}',"), "{search}");
        assert_eq!(search.matches('"').count(), 2, "{search}");
    }
}

#[test]
fn the_dashboard_shows_metrics_that_are_written() {
    let template = Template::ours();
    let widgets = widgets(template);
    let lines = widgets.iter().flat_map(|it| {
        let metrics = it["properties"]["metrics"].as_array();
        metrics.expect("metrics").iter()
    });
    let mut shown = BTreeSet::new();
    let mut namespace = "";
    for line in lines {
        match line[0].as_str().unwrap_or_default() {
            "." | "..." => {}
            other => namespace = other,
        }
        if namespace == NAMESPACE {
            shown.insert(line[1].as_str().unwrap_or_default());
        }
    }
    let written = Metric::ALL.iter().map(|metric| metric.name()).collect();
    assert_eq!(shown, written);
}

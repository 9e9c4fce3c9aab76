//! What no function may do, whatever policies SAM attaches to it beside its own.

use std::collections::BTreeSet;

use e2e::template::{Template, there};
use serde_json::{Value, json};

/// The statement of this name.
fn statement(name: &str) -> Value {
    let boundary = Template::ours()
        .resources()
        .find(|(id, _)| *id == "Boundary");
    let (_, boundary) = boundary.expect("a boundary");
    let statements = &boundary["Properties"]["PolicyDocument"]["Statement"];
    let statements = statements.as_array().expect("statements");
    let found = statements.iter().find(|it| it["Sid"] == name);
    found.expect("a statement").clone()
}

fn text(resource: &Value) -> &str {
    resource["Fn::Sub"].as_str().expect("a pattern")
}

#[test]
fn every_function_has_it() {
    let template = Template::ours();
    let boundary = &template.globals()["PermissionsBoundary"];
    assert_eq!(*boundary, json!({"Ref": "Boundary"}));
    for function in template.functions() {
        let own = &function.resource["Properties"];
        // A role of somebody else's would have none.
        let there = [&own["Role"], &own["PermissionsBoundary"]];
        assert!(there.iter().all(|it| it.is_null()), "{}", function.id);
    }
}

#[test]
fn queues_and_streams_and_logs_are_of_this_stack() {
    let all = Template::ours().of_type("AWS::SQS::Queue");
    let all: BTreeSet<String> = all.map(|(id, _)| format!("{id}.Arn")).collect();
    let others = statement("QueuesOfOthers");
    assert_eq!(
        (&others["Effect"], &others["Action"]),
        (&json!("Deny"), &json!("sqs:*"))
    );
    let but = others["NotResource"].as_array().expect("queues");
    let arn = |it| {
        let of = there(it)["Fn::GetAtt"].as_array().expect("an ARN");
        let names: Vec<_> = of.iter().filter_map(Value::as_str).collect();
        names.join(".")
    };
    let but: BTreeSet<String> = but.iter().map(arn).collect();
    assert_eq!(but, all);

    let others = statement("StreamsOfOthers");
    assert_eq!(others["Effect"], "Deny");
    assert_eq!(text(&others["NotResource"]), "${Table.Arn}/stream/*");
    let others = statement("LogsOfOthers");
    assert_eq!(others["Effect"], "Deny");
    assert!(text(&others["NotResource"]).ends_with(":log-group:${AWS::StackName}-*"));
    for (id, group) in Template::ours().of_type("AWS::Logs::LogGroup") {
        assert!(
            group["Properties"]["LogGroupName"].is_null(),
            "{id} has a name"
        );
    }
}

#[test]
fn what_lambda_does_to_networks_no_code_in_a_function_does() {
    let denied = statement("NoInterfaces");
    assert_eq!(denied["Effect"], "Deny");
    let only = &denied["Condition"]["ArnLike"]["lambda:SourceFunctionArn"];
    assert!(text(only).ends_with(":function:${AWS::StackName}-*"));
    // None of ours asks for networks: the fleet is told which by its launch template.
    let denied = denied["Action"].as_array().expect("actions");
    for function in Template::ours().functions() {
        for (action, _) in function.grants() {
            assert!(
                !denied.contains(&json!(action)),
                "{} needs {action}",
                function.id
            );
        }
    }
}

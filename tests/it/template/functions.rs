//! Functions and routes.

use std::{collections::BTreeSet, path::Path};

use e2e::{
    counted::IN_PROCESS,
    template::{Function, Template},
};

/// Every handler of the code, by the name the template gives it.
fn handlers() -> BTreeSet<&'static str> {
    fn names<H>(all: &'static [(&'static str, H)]) -> impl Iterator<Item = &'static str> {
        all.iter().map(|(name, _)| *name)
    }
    names(registry::Handler::ALL)
        .chain(names(messages::Handler::ALL))
        .chain(names(activity::Handler::ALL))
        .chain(names(events::Handler::ALL))
        .chain(names(workspaces::Handler::ALL))
        .chain(names(templates::Handler::ALL))
        .chain(names(schedules::Handler::ALL))
        .chain(names(fleet::Handler::ALL))
        .collect()
}

fn parses(function: &Function<'_>) -> bool {
    let name = function.handler();
    match function.domain() {
        "registry" => name.parse::<registry::Handler>().is_ok(),
        "messages" => name.parse::<messages::Handler>().is_ok(),
        "activity" => name.parse::<activity::Handler>().is_ok(),
        "events" => name.parse::<events::Handler>().is_ok(),
        "workspaces" => name.parse::<workspaces::Handler>().is_ok(),
        "templates" => name.parse::<templates::Handler>().is_ok(),
        "schedules" => name.parse::<schedules::Handler>().is_ok(),
        "fleet" => name.parse::<fleet::Handler>().is_ok(),
        _ => false,
    }
}

#[test]
fn every_handler_is_a_function_and_every_function_a_handler() {
    let template = Template::ours();
    let mut declared = BTreeSet::new();
    for function in template.functions() {
        let name = function.handler();
        assert!(parses(&function), "no code for {name}");
        assert!(declared.insert(name), "two functions for {name}");
        let code = format!("target/lambda/{}/", function.domain());
        assert_eq!(function.property("CodeUri"), code, "{name}");
    }
    assert_eq!(declared, handlers());

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let crates = root.read_dir().expect("functions/").flatten();
    // A crate without a binary is one that no function uses yet.
    let crates: BTreeSet<String> = crates
        .filter(|entry| entry.path().join("src/main.rs").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let domains: BTreeSet<String> = template
        .functions()
        .map(|function| function.domain().to_owned())
        .collect();
    assert_eq!(domains, crates, "domains of the template, and functions/*");
}

#[test]
fn every_function_has_bounds_and_a_log_group_of_its_own() {
    let template = Template::ours();
    let resource = |id: &str| template.body["Resources"][id].clone();
    let mut groups = BTreeSet::new();
    for function in template.functions() {
        let (name, number) = (function.handler(), |key| function.property(key).as_u64());
        let memory = number("MemorySize").unwrap_or_default();
        assert!((128..=10_240).contains(&memory), "{name}: {memory} MB");
        let longest = match function.events("HttpApi").len() {
            0 => 900,
            _ => 30, // an HTTP API waits no longer
        };
        let timeout = number("Timeout").unwrap_or_default();
        assert!((1..=longest).contains(&timeout), "{name}: {timeout} s");

        let logging = function.property("LoggingConfig");
        let group = logging["LogGroup"]["Ref"].as_str().unwrap_or_default();
        assert!(groups.insert(group.to_owned()), "{name} shares {group}");
        assert_eq!(resource(group)["Type"], "AWS::Logs::LogGroup", "{name}");
        assert!(!resource(group)["Properties"]["RetentionInDays"].is_null());
        let condition = |id: &str| resource(id)["Condition"].clone();
        assert_eq!(condition(group), condition(function.id), "{name}");
        // Quiet: START, END and REPORT of a heartbeat would cost more than its write.
        assert_eq!(logging["SystemLogLevel"], "WARN", "{name}");
    }
    let all = template.of_type("AWS::Logs::LogGroup").map(|(id, _)| id);
    let all: BTreeSet<String> = all.map(str::to_owned).collect();
    assert_eq!(groups, all, "log groups that no function writes to");
}

#[test]
fn every_route_is_there_once_and_callable_in_process() {
    let template = Template::ours();
    let mut seen = BTreeSet::new();
    for route in template.routes() {
        let key = format!("{} {}", route.method, route.path);
        assert!(seen.insert(key.clone()), "{key} is declared twice");
        assert!(!route.path.ends_with('/'), "{key} ends in a slash");
    }
    assert!(seen.contains("ANY $default"), "nothing answers the rest");
    assert!(seen.len() <= 300, "an HTTP API has at most 300 routes");

    let serving: BTreeSet<String> = template.routes().into_iter().map(|it| it.handler).collect();
    let callable: BTreeSet<String> = IN_PROCESS.iter().map(|&name| name.to_owned()).collect();
    let unknown: Vec<_> = callable.difference(&serving).collect();
    assert!(unknown.is_empty(), "not in the template: {unknown:?}");
    let missing: Vec<_> = serving.difference(&callable).collect();
    assert!(
        missing.is_empty(),
        "missing in counted/route.rs: {missing:?}"
    );
}

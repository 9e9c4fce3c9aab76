//! EC2's side of the wire: the XML it answers with.

use std::fmt::Write as _;

use crate::{
    machines::{Machine, State, tags},
    wire::Answer,
};

/// A response of this action.
pub(super) fn response(action: &str, inner: &str) -> Answer {
    let space = "http://ec2.amazonaws.com/doc/2016-11-15/";
    let body = format!(
        r#"<{action}Response xmlns="{space}"><requestId>r-1</requestId>{inner}</{action}Response>"#
    );
    Answer::Body(200, body)
}

/// A refusal.
pub(super) fn refusal(status: u16, code: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    let body = format!("<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>");
    Answer::Body(status, body)
}

/// A page of machines with this token for the next.
pub(super) fn page(instances: &[String], next: Option<&str>) -> Answer {
    let mut inner = "<reservationSet>".to_owned();
    for instance in instances {
        let set = format!("<instancesSet><item>{instance}</item></instancesSet>");
        write!(inner, "<item>{set}</item>").expect("a string takes all");
    }
    inner.push_str("</reservationSet>");
    if let Some(next) = next {
        write!(inner, "<nextToken>{next}</nextToken>").expect("a string takes all");
    }
    response("DescribeInstances", &inner)
}

/// A machine.
pub(super) fn instance(machine: &Machine, stack: &str) -> String {
    let mut tags = vec![
        (tags::MANAGED, "true".to_owned()),
        (tags::STAGE, stack.to_owned()),
    ];
    if let Some(owner) = machine.owner {
        tags.push((tags::WORKSPACE, owner.workspace_id.to_string()));
        tags.push((tags::GENERATION, owner.generation.to_string()));
    }
    let tags: String = tags
        .iter()
        .map(|(key, value)| format!("<item><key>{key}</key><value>{value}</value></item>"))
        .collect();
    let launched = machine
        .launched_at
        .map_or_else(String::new, |at| format!("<launchTime>{at}</launchTime>"));
    let Machine {
        id,
        client_token,
        instance_type,
        private_ip,
        ..
    } = machine;
    let ip = private_ip.as_deref().unwrap_or_default();
    format!(
        "<instanceId>{id}</instanceId><instanceState>{}</instanceState>\
         <clientToken>{client_token}</clientToken><instanceType>{instance_type}</instanceType>\
         {launched}<privateIpAddress>{ip}</privateIpAddress><tagSet>{tags}</tagSet>",
        state(machine.state)
    )
}

/// A state.
pub(super) fn state(state: State) -> String {
    let (code, name) = match state {
        State::Pending => (0, "pending"),
        State::Running => (16, "running"),
        State::ShuttingDown => (32, "shutting-down"),
        State::Terminated => (48, "terminated"),
        State::Stopping => (64, "stopping"),
        State::Stopped => (80, "stopped"),
        State::Other => (96, "evaporating"),
    };
    format!("<code>{code}</code><name>{name}</name>")
}

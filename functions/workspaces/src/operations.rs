//! `GET /admin/liveness`: when each sweep last ran (contract: lifecycle-and-sweepers 8).
//! `GET /metrics`: how the organisation stands, for Prometheus (contract: extended-surface 18).
//!
//! Prices. Liveness: one read unit. Metrics: all beats and open connections, so 40 read units for
//! 1,000 workspaces: read once a minute that is $0.22 a month, every 15 s $0.88.
//!
//! The contract's two series of requests by route are not here, and the answer says so. No process
//! sees all requests; a line of metrics for each would cost more than a heartbeat's write; and AWS
//! counts them by function for nothing, one function being one route. To ask CloudWatch with each
//! reading would cost a cent per thousand series: $4 a month at one reading a minute.

use std::{collections::BTreeMap, fmt::Write as _};

use domain::{Result, time::wire};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::{lifecycle::Pulse, sweeps::Run};

/// The format of Prometheus' text.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Where the contract's other series are: comments, which Prometheus passes over.
const ELSEWHERE: &str = "\
# molecule_http_requests_total and molecule_http_request_duration_seconds_total are not served here.
# CloudWatch has them for every route, as one function is one route: namespace AWS/Lambda, metrics
# Invocations, Errors, Throttles and Duration, by FunctionName; answers by class are in AWS/ApiGateway
# (Count, 4xx, 5xx, Latency), by ApiId. Exporters of CloudWatch bring both to Prometheus.
";
/// What the reference calls the sweep that hibernates; ours has other work beside.
const HIBERNATION: (&str, &str) = ("silent", "hibernation-monitor");

/// When a sweep last ran, on the wire.
#[derive(Debug, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "SweepRun")]
struct Tick {
    last_tick_at: String,
    seconds_ago: i64,
}

/// All sweeps.
#[derive(Debug, Serialize, JsonSchema)]
struct Liveness<'a> {
    subsystems: BTreeMap<&'a str, Tick>,
}

impl Tick {
    fn of(run: &Run, now: Timestamp) -> Self {
        Self {
            last_tick_at: wire(run.last_run_at),
            seconds_ago: now.duration_since(run.last_run_at).as_secs().max(0),
        }
    }
}

/// Answers both.
///
/// # Errors
/// 401.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    app.admin(&caller).await?;
    let runs = app.store.sweep_runs().await?;
    if input.path == "/metrics" {
        let pulses = app.store.pulses().await?.all;
        let listeners = app.store.connections(input.now).await?.len();
        let text = exposition(&runs, &pulses, listeners);
        return Ok(Reply::text(StatusCode::OK, &text).of_type(CONTENT_TYPE));
    }
    let subsystems = subsystems(&runs, input.now);
    Ok(Reply::ok(&Liveness { subsystems }))
}

/// Each sweep by its name, and one by the reference's name as well.
fn subsystems(runs: &[(String, Run)], now: Timestamp) -> BTreeMap<&str, Tick> {
    let mut ticks = BTreeMap::new();
    for (name, run) in runs {
        ticks.insert(name.as_str(), Tick::of(run, now));
        if name == HIBERNATION.0 {
            ticks.insert(HIBERNATION.1, Tick::of(run, now));
        }
    }
    ticks
}

/// The text that Prometheus reads.
fn exposition(runs: &[(String, Run)], pulses: &[Pulse], listeners: usize) -> String {
    let mut by_status: BTreeMap<&str, usize> = BTreeMap::new();
    for pulse in pulses {
        *by_status.entry(pulse.status.as_str()).or_default() += 1;
    }
    let statuses = by_status
        .iter()
        .map(|(status, count)| (format!("{{status=\"{status}\"}}"), count.to_string()));
    let tasks: i64 = pulses.iter().map(|pulse| pulse.active_tasks).sum();
    let sweeps = runs.iter().map(|(name, run)| {
        let seconds = run.last_run_at.as_second();
        (format!("{{sweep=\"{name}\"}}"), seconds.to_string())
    });
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, series: Vec<(String, String)>| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in series {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    gauge(
        "molecule_workspaces",
        "Workspaces by status.",
        statuses.collect(),
    );
    gauge(
        "molecule_active_tasks",
        "Tasks that agents said they work on.",
        vec![(String::new(), tasks.to_string())],
    );
    gauge(
        "molecule_websocket_connections_active",
        "WebSockets that are told of events.",
        vec![(String::new(), listeners.to_string())],
    );
    gauge(
        "molecule_sweep_last_run_timestamp_seconds",
        "When each sweep last came to its end.",
        sweeps.collect(),
    );
    text.push_str(ELSEWHERE);
    text
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    api.route(
        "liveness",
        "GET /admin/liveness",
        Who::Operator,
        "When each sweep last ran",
    )
    .ok::<Liveness<'_>>("By the sweep's name.")
    .fails(&[]);
    let summary = "How the organisation stands, for Prometheus";
    api.route("metrics", "GET /metrics", Who::Operator, summary)
        .answers_with(
            200,
            "The text format, version 0.0.4.",
            "text/plain",
            json!({"type": "string"}),
        )
        .fails(&[]);
}

#[cfg(test)]
mod tests {
    use domain::{WorkspaceId, workspace::Status};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn runs() -> Vec<(String, Run)> {
        let run = |seconds: i64| Run::at(Timestamp::constant(1_800_000_000 - seconds, 0));
        vec![
            ("messages".to_owned(), run(10)),
            ("silent".to_owned(), run(70)),
        ]
    }

    #[test]
    fn a_sweep_says_when_it_ran_under_its_name_and_the_references() {
        let shown = json!(subsystems(&runs(), NOW));
        let silent = json!({"last_tick_at": "2027-01-15T07:58:50Z", "seconds_ago": 70});
        let messages = json!({"last_tick_at": "2027-01-15T07:59:50Z", "seconds_ago": 10});
        let expected =
            json!({"hibernation-monitor": silent, "messages": messages, "silent": silent});
        assert_eq!(shown, expected);
    }

    #[test]
    fn metrics_are_one_line_for_each_value() {
        let pulse = |status, active_tasks| Pulse {
            id: WorkspaceId::random(),
            status,
            beat_at: None,
            active_at: None,
            active_tasks,
            sleeps_after: None,
        };
        let pulses = [
            pulse(Status::Online, 2),
            pulse(Status::Online, 1),
            pulse(Status::AwaitingAgent, 0),
        ];
        let text = exposition(&runs(), &pulses, 3);
        let values: Vec<&str> = text.lines().filter(|it| !it.starts_with('#')).collect();
        let expected = [
            "molecule_workspaces{status=\"awaiting_agent\"} 1",
            "molecule_workspaces{status=\"online\"} 2",
            "molecule_active_tasks 3",
            "molecule_websocket_connections_active 3",
            "molecule_sweep_last_run_timestamp_seconds{sweep=\"messages\"} 1799999990",
            "molecule_sweep_last_run_timestamp_seconds{sweep=\"silent\"} 1799999930",
        ];
        assert_eq!(values, expected);
        assert!(text.ends_with('\n'));
        // What is not here says where it is.
        let said = |line: &str| line.starts_with("# ") && line.contains("AWS/Lambda");
        assert!(text.lines().any(said), "{text}");
    }
}

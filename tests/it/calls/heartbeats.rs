//! A month of heartbeats: the item they write, what is written beside it, and the price.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use domain::{Mode, WorkspaceId, token::MAX_LIVE_TOKENS};
use e2e::{
    Workspace,
    cost::prices as price,
    counted::{InProcess, item_bytes, show},
    template::Template,
};
use serde_json::{Value, json};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

use super::Count;

/// A beat with everything agents usually report.
fn usual(uptime_seconds: u64) -> Value {
    json!({
        "error_rate": 0.0125,
        "active_tasks": 1,
        "uptime_seconds": uptime_seconds,
        "current_task": "summarising the quarterly report",
        "monthly_spend": 1234,
        "runtime_metadata": {
            "capabilities": {"session": true, "status_mgmt": true},
            "idle_timeout_seconds": 600,
        },
    })
}

async fn beat_bytes(inside: &InProcess, workspace: &Workspace) -> usize {
    let id: WorkspaceId = workspace.id.parse().expect("an id");
    let item = inside.scale.item_at(&store::keys::beat(id)).await;
    item_bytes(&item.expect("a beat item"))
}

#[tokio::test]
async fn the_item_of_a_heartbeat_stays_small() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let (plain, usual_one) = (inside.online("Plain").await, inside.online("Usual").await);
    inside.beat(&plain, json!({})).await.expect(200);
    inside.beat(&usual_one, usual(86_400)).await.expect(200);
    let bytes = [
        beat_bytes(&inside, &plain).await,
        beat_bytes(&inside, &usual_one).await,
    ];
    let average = bytes.iter().sum::<usize>() / bytes.len();
    assert!(average <= 320, "{bytes:?}");

    let path = format!("/workspaces/{}/tokens", usual_one.id);
    for _ in 1..MAX_LIVE_TOKENS {
        let mint = inside.post(&path).bearer(&inside.admin);
        mint.await.expect(201);
    }
    let one_more = inside.post(&path).bearer(&inside.admin).await;
    assert_eq!(one_more.status, 429);
    let full = beat_bytes(&inside, &usual_one).await;
    assert!(full < 1024, "{full} bytes with {MAX_LIVE_TOKENS} tokens");
    show(&format!(
        "beat item: {} bytes plain, {} usual, {full} with {MAX_LIVE_TOKENS} tokens",
        bytes[0], bytes[1]
    ));
}

/// A beat every 30 s for 30 days.
const BEATS: f64 = 86_400.0;
/// What a log line is at least, with its envelope.
const LINE_BYTES: f64 = 300.0;

#[tokio::test]
async fn a_month_of_heartbeats_costs_at_most_18_cents() {
    let inside = InProcess::weighing(Mode::Strict).await;
    let workspace = inside.online("Steady").await;
    inside.beat(&workspace, usual(30)).await.expect(200);

    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    // Other tests' threads may have had this log's lines switched off for good.
    tracing::callsite::rebuild_interest_cache();
    let (answer, calls) = inside.beat(&workspace, usual(60)).counted().await;
    drop(guard);
    answer.expect(200);
    let count = Count::of(calls);
    assert_eq!(count.calls, "UpdateItem");
    assert_eq!(count.others, "");
    assert_eq!(lines.0.load(Ordering::Relaxed), 0, "a beat is logged");

    let template = Template::ours();
    let mut functions = template.functions();
    let function = functions.find(|it| it.handler() == "registry.heartbeat");
    let function = function.expect("the heartbeat function");
    let memory = function.property("MemorySize").as_f64().expect("a number");
    let gateway = price::HTTP_API;
    let lambda = price::LAMBDA_REQUEST
        + price::LAMBDA_GB_SECOND * price::ROUND_TRIP_SECONDS * memory / 1024.0;
    #[expect(clippy::cast_precision_loss, reason = "a few units")]
    let units = (count.write_units + count.index_units) as f64;
    let table = units * price::WRITE_UNIT + count.read_units * price::READ_UNIT;
    let logs = system_lines(&function.property("LoggingConfig")) * LINE_BYTES * price::LOG_BYTE;
    let stream = stream_readers(template) * price::LAMBDA_REQUEST;
    let month = (gateway + lambda + table + logs + stream) * BEATS / 1e6;
    show(&format!(
        "one agent's heartbeats: ${month:.3} a month (per million: gateway {gateway:.2}, \
         function {lambda:.3}, table {table:.3}, stream {stream:.3}, logs {logs:.3})"
    ));
    assert!(month <= 0.18, "${month:.3} a month");
}

/// The lines Lambda itself writes for an invocation: START, END and REPORT, unless told not to.
fn system_lines(logging: &Value) -> f64 {
    let quiet = logging["SystemLogLevel"] == "WARN" && logging["LogFormat"] == "JSON";
    if quiet { 0.0 } else { 3.0 }
}

/// Functions that are invoked for every change of every item: reading the stream is free to Lambda,
/// and so is what a filter turns away. One that takes beats waits for company.
fn stream_readers(template: &Template) -> f64 {
    let events = template.functions().flat_map(|it| it.events("DynamoDB"));
    let all = events.filter(|event| {
        event["FilterCriteria"].is_null() && event["MaximumBatchingWindowInSeconds"].is_null()
    });
    all.fold(0.0, |readers, _| readers + 1.0)
}

/// Counts log lines of the thread it is set for.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<AtomicUsize>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // As the functions' application log level in the template.
        metadata.is_event() && *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

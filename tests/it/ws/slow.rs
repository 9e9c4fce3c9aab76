//! A gateway of our own: connections that do not read hold nobody up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use domain::{Mode, WorkspaceId};
use e2e::counted::InProcess;
use events::{relay, relay::Relay, sockets::Sockets};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::connections::Connection;
use tokio::net::TcpListener;

type Told = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

/// What a connection's name says it is like.
async fn posted(State(told): State<Told>, Path(id): Path<String>, frame: String) -> StatusCode {
    match id.split('-').next() {
        Some("silent") => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::OK
        }
        Some("gone") => StatusCode::GONE,
        _ => {
            let frame = serde_json::from_str(&frame).expect("JSON");
            let mut told = told.lock().expect("no panic");
            told.entry(id).or_default().push(frame);
            StatusCode::OK
        }
    }
}

async fn gateway() -> (String, Told) {
    let told = Told::default();
    let at = "/@connections/{id}";
    let route = post(posted).delete(async || StatusCode::NO_CONTENT);
    let app = Router::new().route(at, route).with_state(told.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), told)
}

/// A batch with so many events of a workspace.
fn batch(of: WorkspaceId, count: usize) -> Value {
    let record = |n: usize| {
        let id = uuid::Uuid::now_v7().to_string();
        let at = Timestamp::now().as_microsecond().to_string();
        json!({"eventName": "INSERT", "dynamodb": {
            "SequenceNumber": n.to_string(),
            "Keys": {"pk": {"S": format!("EVENTS#{of}")}, "sk": {"S": id}},
            "NewImage": {
                "id": {"S": id}, "event_type": {"S": "AGENT_CARD_UPDATED"},
                "workspace_id": {"S": of.to_string()}, "created_at": {"N": at},
                "payload": {"S": format!("{{\"agent_card\":{n}}}")},
                "log_pk": {"S": "x"}, "log_sk": {"S": "x"},
            },
        }})
    };
    json!({"Records": (0..count).map(record).collect::<Vec<_>>()})
}

fn var(name: &str) -> String {
    std::env::var(name).expect("set by `make test`")
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_the_others_get_all_in_order() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (address, told) = gateway().await;
    let sockets = Sockets::at(inside.app, address);
    let dead = var("RELAY_DEAD_QUEUE_URL");
    let relay = Relay::with(inside.app, sockets, var("EVENT_BUS"), dead);
    let store = &inside.app.store;
    let now = Timestamp::now();
    let long_open = now - SignedDuration::from_mins(1);
    for (name, since) in [
        ("well-1", long_open),
        ("well-2", long_open),
        ("silent-1", long_open),
        ("gone-1", long_open),
        // Its handshake is not over: the gateway does not know it yet.
        ("gone-2", now),
    ] {
        let connection = Connection::new(name, None, None, since);
        store.connect(&connection).await.expect("written");
    }
    let batch = serde_json::from_value(batch(WorkspaceId::random(), 20)).expect("a batch");
    let started = Instant::now();
    let answer = relay::handle(relay, batch).await.expect("told");
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert!(started.elapsed() < Duration::from_secs(15), "{started:?}");

    let told = told.lock().expect("no panic").clone();
    let names: Vec<_> = told.keys().map(String::as_str).collect();
    assert_eq!(names, ["well-1", "well-2"]);
    for frames in told.values() {
        let cards: Vec<_> = frames
            .iter()
            .map(|it| it["payload"]["agent_card"].as_u64())
            .collect();
        assert_eq!(cards, (0..20).map(Some).collect::<Vec<_>>());
    }
    let open = store.connections(now).await.expect("read");
    let mut open: Vec<_> = open.iter().map(|it| it.id.as_str()).collect();
    open.sort_unstable();
    assert_eq!(open, ["gone-2", "well-1", "well-2"]);
}

#[tokio::test]
async fn a_gateway_that_answers_nobody_cuts_nobody_off() {
    let inside = InProcess::apart(Mode::Strict).await;
    // Nothing listens there.
    let sockets = Sockets::at(inside.app, "http://127.0.0.1:9".to_owned());
    let dead = var("RELAY_DEAD_QUEUE_URL");
    let relay = Relay::with(inside.app, sockets, var("EVENT_BUS"), dead);
    let store = &inside.app.store;
    let now = Timestamp::now();
    let connection = Connection::new("well-1", None, None, now);
    store.connect(&connection).await.expect("written");
    let batch = serde_json::from_value(batch(WorkspaceId::random(), 1)).expect("a batch");
    relay::handle(relay, batch)
        .await
        .expect_err("told again later");
    assert_eq!(store.connections(now).await.expect("read").len(), 1);
}

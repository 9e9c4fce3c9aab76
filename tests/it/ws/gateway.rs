//! A gateway of our own, which takes frames or not by the names of connections; and batches of the table's
//! stream.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use domain::WorkspaceId;
use e2e::counted::InProcess;
use events::{connect::Door, relay::Relay, sockets::Sockets};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::connections::Connection;
use tokio::net::TcpListener;

/// The frames of each connection.
pub(crate) type Told = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

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

async fn looked_at(Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    match id.starts_with("gone") {
        true => Err(StatusCode::GONE),
        false => Ok(Json(json!({}))),
    }
}

/// Its address, and what it was given.
pub(crate) async fn gateway() -> (String, Told) {
    let told = Told::default();
    let at = "/@connections/{id}";
    let route = post(posted).get(looked_at);
    let route = route.delete(async || StatusCode::NO_CONTENT);
    let app = Router::new().route(at, route).with_state(told.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), told)
}

/// A batch with so many events of a workspace, which happened now.
pub(crate) fn batch(of: WorkspaceId, count: usize) -> Value {
    batch_at(of, count, Timestamp::now())
}

/// As [`batch`], of another time.
pub(crate) fn batch_at(of: WorkspaceId, count: usize, at: Timestamp) -> Value {
    let record = |n: usize| {
        let id = uuid::Uuid::now_v7().to_string();
        let at = at.as_microsecond().to_string();
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

/// The door of `/ws`, in front of a gateway where only those are gone whose names say so.
pub(crate) async fn door(inside: &InProcess) -> &'static Door {
    let (address, _) = gateway().await;
    Door::with(inside.app, Sockets::at(inside.app, address))
}

/// A connection of a person, long open, of this name.
pub(crate) async fn long_open(inside: &InProcess, name: &str) {
    let at = Timestamp::now() - SignedDuration::from_mins(5);
    let connection = Connection::new(name, None, None, at);
    let connected = inside.app.store.connect(&connection).await;
    connected.expect("written");
}

/// A relay that posts to the gateway at this address.
pub(crate) fn relay(inside: &InProcess, gateway: String) -> &'static Relay {
    let var = |name| std::env::var(name).expect("set by `make test`");
    let sockets = Sockets::at(inside.app, gateway);
    Relay::with(
        inside.app,
        sockets,
        var("EVENT_BUS"),
        var("RELAY_DEAD_QUEUE_URL"),
    )
}

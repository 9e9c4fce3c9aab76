//! The walk through the functions of those who listen: handshakes, the stream of a URL, what is told to
//! connections and the bus, what is told again.

use std::time::Duration;

use domain::{EventId, WorkspaceId};
use e2e::{Backstage, Workspace, counted::InProcess};
use events::{
    connect, disconnect, live, relay, relay::Relay, replay, replay::Replay, sockets::Sockets,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{bodies, connections::Connection, keys};
use uuid::Uuid;

use super::permissions::Needed;

/// An id that all events are above.
const FIRST: &str = "01900000-0000-7000-8000-000000000000";

/// The gateway of the deployed stack; nobody is connected by the names used here.
fn gateway(inside: &InProcess) -> Sockets {
    let address = "https://10ca1a92.execute-api.us-east-1.amazonaws.com/ws";
    Sockets::new(inside.app, address)
}

pub(super) async fn walk(inside: &InProcess, needed: &mut Needed) {
    let own = inside.online("Listener").await;
    handshakes(inside, needed, &own).await;

    // A message that lies in the bucket.
    let notify = inside.post(&format!("/workspaces/{}/notify", own.id));
    let long = json!({"message": "t".repeat(20_000)});
    notify.bearer(&own.token).json(&long).await.expect(200);
    let path = format!("/workspaces/{}/events/stream", own.id);
    // One that waits until something happens, which is written unseen.
    let waiting = inside.get(&path).bearer(&own.token).into_future();
    let comes = async {
        let backstage = Backstage::beneath(inside).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        backstage.write_events(&own, 1).await;
    };
    let both = async { tokio::join!(waiting, comes).0 };
    let answer = needed.during("events.stream", inside, both).await;
    answer.expect(200);
    let call = inside.get(&path).bearer(&own.token);
    let streamed = call.header("last-event-id", FIRST).streamed(live::handle);
    let answer = needed.during("events.live", inside, streamed).await;
    let text = String::from_utf8(answer.expect(200).bytes).expect("text");
    assert!(text.contains("WORKSPACE_ONLINE"), "{text}");
    assert!(text.contains("ttt"), "{text}");

    told(inside, needed, &own).await;
    told_again(inside, needed, &own).await;
}

/// Somebody comes, and leaves.
async fn handshakes(inside: &InProcess, needed: &mut Needed, own: &Workspace) {
    let context = |route: &str| json!({"connectionId": "walk", "routeKey": route});
    let headers = json!({
        "Authorization": format!("Bearer {}", own.token), "X-Workspace-ID": own.id,
    });
    let handshake = json!({"headers": headers, "requestContext": context("$connect")});
    let handshake = serde_json::from_value(handshake).expect("a handshake");
    // As many as it may have, all of them gone.
    let of = Some(own.id.parse().expect("an id"));
    let names: Vec<_> = (0..50).map(|n| format!("gone-{n}")).collect();
    for name in &names {
        let long_ago = Timestamp::now() - SignedDuration::from_mins(1);
        let connection = Connection::new(name, of, None, long_ago);
        let written = inside.app.store.connect(&connection).await;
        written.expect("written");
    }
    let door = crate::ws::gateway::door(inside).await;
    let connecting = connect::handle(door, handshake);
    let answer = needed.during("events.connect", inside, connecting).await;
    assert_eq!(answer.expect("an answer")["statusCode"], 200);
    for name in &names {
        let forgotten = inside.app.store.disconnect(name).await;
        forgotten.expect("forgotten");
    }
    for route in ["$default", "$disconnect"] {
        let told = json!({"requestContext": context(route)});
        let told = serde_json::from_value(told).expect("an event");
        let leaving = disconnect::handle(inside.app, told);
        let answer = needed.during("events.disconnect", inside, leaving).await;
        assert_eq!(answer.expect("an answer")["statusCode"], 200);
    }
}

fn var(name: &str) -> String {
    std::env::var(name).expect("set by `make test`")
}

/// Somebody listens who is gone without a word.
async fn gone(inside: &InProcess, since: Option<EventId>) {
    let long_ago = Timestamp::now() - SignedDuration::from_mins(1);
    let connection = Connection::new("gone", None, since, long_ago);
    let written = inside.app.store.connect(&connection).await;
    written.expect("written");
}

fn record(pk: String, sk: &str, image: Value) -> Value {
    json!({"eventName": "INSERT", "dynamodb": {
        "SequenceNumber": "1", "Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, "NewImage": image,
    }})
}

/// An event, a message whose text lies in the bucket, and a row that nobody can read.
async fn told(inside: &InProcess, needed: &mut Needed, own: &Workspace) {
    gone(inside, None).await;
    let relay = Relay::with(
        inside.app,
        gateway(inside),
        var("EVENT_BUS"),
        var("RELAY_DEAD_QUEUE_URL"),
    );
    let (now, body) = (Timestamp::now(), bodies::new_id());
    let id: WorkspaceId = own.id.parse().expect("an id");
    let text = json!({"result": "t".repeat(20_000)}).to_string();
    let put = inside.app.store.put_body(body, text.as_bytes(), now).await;
    put.expect("written");
    let at = json!({"N": now.as_microsecond().to_string()});
    let sk = Uuid::now_v7().to_string();
    let common = json!({
        "id": {"S": sk}, "workspace_id": {"S": own.id}, "created_at": at,
    });
    let with = |more: Value| {
        let mut image = common.clone();
        let fields = image.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        image
    };
    let event = with(json!({
        "event_type": {"S": "AGENT_CARD_UPDATED"}, "payload": {"S": "{}"},
        "log_pk": {"S": "x"}, "log_sk": {"S": "x"},
    }));
    let message = with(json!({
        "activity_type": {"S": "a2a_receive"}, "method": {"S": "notify"}, "status": {"S": "ok"},
        "response_body": {"M": {"stored": {"S": body.to_string()}}}, "expires_at": {"N": "1"},
    }));
    let batch = json!({"Records": [
        record(keys::events(id), &sk, event),
        record(format!("ACTIVITY#{id}"), &sk, message),
        record(keys::events(id), "poison", json!({"id": {"S": "nonsense"}})),
    ]});
    let batch = serde_json::from_value(batch).expect("a batch");
    let telling = relay::handle(relay, batch);
    let answer = needed.during("events.relay", inside, telling).await;
    assert_eq!(answer.expect("told"), json!({"batchItemFailures": []}));
    let open = inside.app.store.connections(now).await.expect("read");
    assert!(open.is_empty(), "who is gone is forgotten: {open:?}");
}

/// One comes back and listens, another one is gone again.
async fn told_again(inside: &InProcess, needed: &mut Needed, own: &Workspace) {
    let since: EventId = FIRST.parse().expect("an id");
    gone(inside, Some(since)).await;
    let (address, told) = crate::ws::gateway::gateway().await;
    let replay = Replay::with(inside.app, Sockets::at(inside.app, address));
    let long_ago = Timestamp::now() - SignedDuration::from_mins(1);
    let returning = |name: &str| {
        let image = json!({
            "id": {"S": name}, "since": {"S": FIRST}, "workspace_id": {"S": own.id},
            "connected_at": {"N": long_ago.as_microsecond().to_string()},
            "expires_at": {"N": "9999999999"},
        });
        record("CONNECTIONS".to_owned(), name, image)
    };
    let batch = json!({"Records": [returning("gone"), returning("well")]});
    let batch = serde_json::from_value(batch).expect("a batch");
    let telling = replay::handle(replay, batch);
    let answer = needed.during("events.replay", inside, telling).await;
    answer.expect("told");
    let told = told.lock().expect("no panic");
    let last = told["well"].last().expect("frames");
    assert_eq!(last["event"], "REPLAY_COMPLETE");
    assert!(told["well"].len() > 1, "{told:?}");
}

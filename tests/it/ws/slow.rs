//! Connections that do not read hold nobody up.

use std::time::{Duration, Instant};

use domain::{Mode, WorkspaceId};
use e2e::counted::{ALWAYS, Fault, InProcess};
use events::relay;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::connections::Connection;
use tokio::time::Instant as Clock;

use super::gateway;

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_the_others_get_all_in_order() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (address, told) = gateway::gateway().await;
    let relay = gateway::relay(&inside, address);
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
    let batch = serde_json::from_value(gateway::batch(WorkspaceId::random(), 20)).expect("a batch");
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
    let relay = gateway::relay(&inside, "http://127.0.0.1:9".to_owned());
    let store = &inside.app.store;
    let now = Timestamp::now();
    let connection = Connection::new("well-1", None, None, now);
    store.connect(&connection).await.expect("written");
    let batch = serde_json::from_value(gateway::batch(WorkspaceId::random(), 1)).expect("a batch");
    relay::handle(relay, batch)
        .await
        .expect_err("told again later");
    assert_eq!(store.connections(now).await.expect("read").len(), 1);
}

#[tokio::test]
async fn a_bus_that_takes_nothing_holds_up_listeners_for_a_minute_and_no_longer() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (address, told) = gateway::gateway().await;
    let relay = gateway::relay(&inside, address);
    gateway::long_open(&inside, "well-1").await;
    let refusal = Fault::Answer(400, json!({"__type": "AccessDeniedException"}));
    inside.wire.fail("PutEvents", ALWAYS, refusal);
    let of = WorkspaceId::random();
    let now = Timestamp::now();
    for (age, is_done) in [(1, false), (90, true)] {
        let at = now - SignedDuration::from_secs(age);
        let batch = serde_json::from_value(gateway::batch_at(of, 2, at)).expect("a batch");
        let answer = relay::handle(relay, batch).await;
        assert_eq!(answer.is_ok(), is_done, "{age} s: {answer:?}");
    }
    let told = told.lock().expect("no panic");
    assert_eq!(told["well-1"].len(), 4);
}

#[tokio::test]
async fn a_bus_that_hangs_holds_up_listeners_no_longer_than_one_that_refuses() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (address, told) = gateway::gateway().await;
    let relay = gateway::relay(&inside, address);
    let now = Timestamp::now();
    gateway::long_open(&inside, "well-1").await;
    inside.wire.fail("PutEvents", ALWAYS, Fault::Silent);
    let of = WorkspaceId::random();
    for (age, is_done) in [(1, false), (90, true)] {
        let at = now - SignedDuration::from_secs(age);
        let batch = serde_json::from_value(gateway::batch_at(of, 2, at)).expect("a batch");
        let started = Instant::now();
        let deadline = Clock::now() + Duration::from_secs(2);
        let answer = relay::tell(relay, batch, now, deadline).await;
        assert_eq!(answer.is_ok(), is_done, "{age} s: {answer:?}");
        assert!(started.elapsed() < Duration::from_secs(4), "{started:?}");
    }
    let told = told.lock().expect("no panic");
    assert_eq!(told["well-1"].len(), 4);
}

#[tokio::test]
async fn a_table_that_hangs_cuts_nobody_off() {
    let inside = InProcess::apart(Mode::Strict).await;
    let (address, told) = gateway::gateway().await;
    let relay = gateway::relay(&inside, address);
    let store = &inside.app.store;
    let now = Timestamp::now();
    let long_open = now - SignedDuration::from_mins(5);
    let connection = Connection::new("well-1", None, None, long_open);
    store.connect(&connection).await.expect("written");
    inside.wire.fail("BatchGetItem", 1, Fault::Silent);
    let batch = gateway::batch(WorkspaceId::random(), 2);
    for is_told in [false, true] {
        let batch = serde_json::from_value(batch.clone()).expect("a batch");
        let deadline = Clock::now() + Duration::from_secs(2);
        let answer = relay::tell(relay, batch, now, deadline).await;
        assert_eq!(answer.is_ok(), is_told, "{answer:?}");
        assert_eq!(store.connections(now).await.expect("read").len(), 1);
    }
    let told = told.lock().expect("no panic");
    assert_eq!(told["well-1"].len(), 2);
}

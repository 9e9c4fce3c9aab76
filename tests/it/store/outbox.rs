//! A change and the event that tells of it: both, in one transaction, or neither.

use domain::{Mode, event::Event, workspace::Status};
use e2e::counted::{ALWAYS, AwsCall, Fault, InCall, InProcess, PUBLIC, gate};
use reqwest::Method;
use serde_json::{Value, json};
use store::{
    keys,
    ledger::Gate,
    workspaces::{Created, NewWorkspace, Parts, Registered, Registration},
};

use super::{events, id};

/// The partitions a transaction writes.
fn partitions(call: &AwsCall) -> Vec<String> {
    let items = call.request["TransactItems"]
        .as_array()
        .into_iter()
        .flatten();
    let writes = items.filter_map(Value::as_object).flatten();
    let partition = |(_, body): (&String, &Value)| {
        let pk = body["Item"]["pk"]["S"]
            .as_str()
            .or(body["Key"]["pk"]["S"].as_str());
        let kind = pk.unwrap_or_default().split('#').next();
        kind.unwrap_or_default().to_owned()
    };
    writes.map(partition).collect()
}

#[tokio::test]
async fn what_changes_a_status_is_told_in_the_same_transaction() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let at = format!("/workspaces/{}", own.id);
    let create = inside.post("/workspaces").bearer(&inside.admin);
    let create = create.json(&json!({"name": "New", "external": true}));
    let delete = inside.call(Method::DELETE, &at).bearer(&inside.admin);
    let card = json!({"workspace_id": own.id, "agent_card": {}});
    let card = inside
        .post("/registry/update-card")
        .bearer(&own.token)
        .json(&card);
    let calls: [(InCall, &str); 6] = [
        (create, "BEAT"),
        (inside.register(&own, PUBLIC), "BEAT"),
        (inside.beat(&own, json!({"error_rate": 1})), "BEAT"),
        (
            inside.beat(&own, json!({"current_task": "reading", "error_rate": 1})),
            "WS",
        ),
        (card, "WS"),
        (delete, "BEAT"),
    ];
    for (call, changed) in calls {
        let what = format!("{call}");
        let (answer, calls) = call.counted().await;
        assert!(answer.status < 300, "{what}: {answer:?}");
        let mut transactions = calls
            .iter()
            .filter(|call| call.operation == "TransactWriteItems");
        let told = transactions.any(|transaction| {
            let written = partitions(transaction);
            written.iter().any(|kind| kind == changed)
                && written.iter().any(|kind| kind == "EVENTS")
        });
        assert!(told, "{what} changes {changed} and tells nobody");
    }
}

#[tokio::test]
async fn a_broken_condition_leaves_no_event() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let (store, now) = (&inside.app.store, jiff::Timestamp::now());
    let own = inside.online("Own").await;
    let told = events(&inside, &own).await;

    // Registered as it was, not as it is.
    let read = store.workspace(id(&own), Parts::Core).await.expect("read");
    let mut before = read.and_then(|it| it.beat).expect("a beat");
    before.status = Status::Offline;
    let token = store::tokens::fresh().expect("randomness");
    let registration = Registration {
        id: id(&own),
        url: PUBLIC,
        delivery_mode: Default::default(),
        agent_card: &json!({"name": "late"}),
        token: Some(&token),
    };
    let outcome = store
        .register(&registration, &before, Gate::Open, now)
        .await;
    assert_eq!(outcome.expect("an answer"), Registered::Raced);
    assert_eq!(store.credential(&token.hash()).await.expect("read"), None);

    // A child of a parent that is elsewhere.
    let parent = domain::access::Place::root(id(&own)).child(id(&own));
    let child = inside.workspace("Child").await;
    let read = store
        .workspace(id(&child), Parts::Core)
        .await
        .expect("read");
    let mut meta = read.expect("there").meta;
    meta.id = uuid::Uuid::new_v4().to_string().parse().expect("an id");
    let new = NewWorkspace {
        meta: meta.clone(),
        status: Status::Online,
        parent: Some(&parent),
        events: vec![Event::Recovered],
        token: None,
        machine: None,
        secrets: None,
        once: None,
    };
    let outcome = store.create_workspace(&new).await.expect("an answer");
    assert_eq!(outcome, Created::ParentChanged);
    for key in [
        keys::meta(meta.id),
        keys::beat(meta.id),
        keys::load(meta.id),
    ] {
        assert_eq!(inside.scale.item_at(&key).await, None, "{key:?}");
    }
    let made = store.newest_events_of(meta.id).await.expect("events");
    assert!(made.is_empty());

    // A card for nobody.
    let gone = uuid::Uuid::new_v4().to_string().parse().expect("an id");
    let updated = store.update_card(gone, &json!({}), now).await;
    assert!(!updated.expect("an answer"));
    let made = store.newest_events_of(gone).await.expect("events");
    assert!(made.is_empty());
    assert_eq!(events(&inside, &own).await, told);
}

#[tokio::test]
async fn a_transition_that_cannot_be_written_is_not_told() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let told = events(&inside, &own).await;
    inside
        .wire
        .fail("TransactWriteItems", ALWAYS, Fault::conflict());
    inside
        .beat(&own, json!({"error_rate": 1}))
        .await
        .expect(503);
    inside.wire.mend();
    assert_eq!(events(&inside, &own).await, told);
    inside
        .beat(&own, json!({"error_rate": 1}))
        .await
        .expect(200);
    assert_eq!(events(&inside, &own).await[0], "WORKSPACE_DEGRADED");
}

#[tokio::test]
async fn two_beats_that_see_the_same_change_tell_it_once() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    inside.wire.fail("TransactWriteItems", 2, Fault::meet(2));
    let (a, b) = tokio::join!(
        inside.beat(&own, json!({"error_rate": 1})),
        inside.beat(&own, json!({"error_rate": 1})),
    );
    assert_eq!((a.status, b.status), (200, 200));
    let told = events(&inside, &own).await;
    let degraded = told.iter().filter(|name| *name == "WORKSPACE_DEGRADED");
    assert_eq!(degraded.count(), 1, "{told:?}");
}

#[tokio::test]
async fn a_late_beat_does_not_revive_what_was_removed() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let held = gate();
    inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Hold(held.clone()));
    let late = tokio::spawn(inside.beat(&own, json!({"error_rate": 1})).into_future());
    held.wait().await;
    let delete = inside.call(Method::DELETE, &format!("/workspaces/{}", own.id));
    delete.bearer(&inside.admin).await.expect(200);
    held.wait().await;
    late.await.expect("an answer").expect(200);
    assert_eq!(events(&inside, &own).await[0], "WORKSPACE_REMOVED");
    assert_eq!(inside.scale.item_at(&keys::beat(id(&own))).await, None);
}

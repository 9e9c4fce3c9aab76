//! What the minute tick says of the ledger, and what its audit reads.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use domain::{Mode, WorkspaceId};
use e2e::{
    cost::Counted,
    counted::{AwsCall, Fault, InProcess, round_trips, show},
    twin::{Calm, Twin},
};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use messages::{
    flow::{
        Clock, Flow,
        audit::{Audited, audit},
        tick::tick as look,
    },
    kick::Jobs,
    tick::{self, Ticking},
};
use serde_json::{Value, json};
use store::{
    keys::{self, DUE},
    ledger::{Backlog, Due, Ledger as _},
};

use crate::calls_messages::{context, permitted};

/// The next sixty ticks.
fn an_hour() -> impl Iterator<Item = Timestamp> {
    let start = Timestamp::now();
    (0..60).map(move |minute| start + SignedDuration::from_mins(minute))
}

/// The answers to the next twelve questions for what is due: one line, due since `at`.
fn one_line_is_due(inside: &InProcess, id: WorkspaceId, at: Timestamp) {
    let page = |items: Value| Fault::Answer(200, json!({"Items": items}));
    let load = keys::load(id);
    let line = json!([{
        "pk": {"S": load.pk},
        "sk": {"S": load.sk},
        DUE.pk: {"S": keys::due("LINE", 0)},
        DUE.sk: {"S": keys::due_at(at, &id.to_string())},
    }]);
    // Jobs, requests, lines, each by four shards.
    inside.wire.fail("Query", 8, page(json!([])));
    inside.wire.fail("Query", 1, page(line));
    inside.wire.fail("Query", 3, page(json!([])));
}

#[tokio::test]
async fn counters_that_contradict_themselves_are_found_by_their_line_and_by_their_turn() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let store = &inside.app.store;
    let jobs = Jobs::start(inside.app).expect("a queue");
    let ticking = Ticking::over(context(&inside), jobs, "tests");
    let (right, wrong) = (inside.online("Right").await, inside.online("Wrong").await);
    let (right, wrong): (WorkspaceId, WorkspaceId) = (
        right.id.parse().expect("an id"),
        wrong.id.parse().expect("an id"),
    );
    for (id, done) in [(right, 5), (wrong, 7)] {
        inside
            .scale
            .set_number(&keys::load(id), "accepted", 5)
            .await;
        inside.scale.set_number(&keys::load(id), "done", done).await;
    }

    let long_ago = Timestamp::now() - SignedDuration::from_secs(200);
    for (id, late, drift) in [(right, 0, 0), (wrong, 200, 2)] {
        let since = long_ago + SignedDuration::from_secs(200 - late);
        one_line_is_due(&inside, id, since);
        inside.wire.take();
        let ticked = tick::handle(ticking, json!({})).await.expect("a tick");
        let calls = inside.wire.take();
        permitted("messages.tick", &calls);
        let report = &ticked.report;
        assert_eq!((report.found, report.changed, report.failed), (1, 1, 0));
        assert_eq!(report.backlog_seconds() >= 200, late == 200, "{report:?}");
        // The other one's turn may be now.
        let drift_of_both = ticked.drift.expect("an audit");
        assert!((drift..=2).contains(&drift_of_both), "{ticked:?}");
    }

    let mut found = Audited::default();
    for now in an_hour() {
        let audited = audit(store, &[].into(), now).await.expect("an audit");
        found.drifting += audited.drifting;
        found.drift += audited.drift;
    }
    // Once, or twice if it is where two ticks overlap; and nobody else.
    assert!(
        matches!((found.drifting, found.drift), (1, 2) | (2, 4)),
        "{found:?}"
    );
}

#[tokio::test]
pub(crate) async fn a_tick_where_nothing_is_due_reads_empty_indexes_and_notes_that_it_ran() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let jobs = Jobs::start(inside.app).expect("a queue");
    let ticking = Ticking::over(context(&inside), jobs, "tests");
    inside.wire.take();
    tick::handle(ticking, json!({})).await.expect("a tick");
    let calls = inside.wire.take();
    permitted("messages.tick", &calls);
    let counted = Counted::of("messages tick, nothing due", "messages.tick", &calls);
    counted.leave();
    show(&format!("{counted:?}"));
    // Jobs, requests, lines and approvals, each by four shards, and one to audit.
    assert!(counted.read_units <= 9.0, "{counted:?}");
    assert_eq!((counted.write_units, counted.events), (1, 0), "{counted:?}");
}

#[tokio::test]
async fn a_backlog_says_since_when_and_whether_it_is_all() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let (store, now) = (&inside.app.store, Timestamp::now());
    let since = domain::time::to_micros(now - SignedDuration::from_secs(7));
    let id = WorkspaceId::random();
    for (limit, more) in [(1, true), (2, false)] {
        one_line_is_due(&inside, id, since);
        let backlog = store.due(now, limit).await.expect("an answer");
        let expected = Backlog {
            due: vec![Due::Line(id)],
            oldest: Some(since),
            more,
        };
        assert_eq!(backlog, expected, "{limit}");
    }
}

/// A clock on which every look takes twenty seconds.
#[derive(Default)]
struct Slow(AtomicI64);

impl Clock for Slow {
    fn now(&self) -> Timestamp {
        let looks = self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(20 * looks)
    }

    async fn sleep(&self, _: Duration) {}
}

#[tokio::test]
async fn a_tick_stops_before_it_is_stopped_and_says_so() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let messages = context(&inside);
    let world = Twin::new(Calm);
    for _ in 0..3 {
        let id = WorkspaceId::random();
        world.add(id, 1);
        if let Some(place) = world.state().places.get_mut(&id) {
            place.due = Some(Timestamp::UNIX_EPOCH);
        }
    }
    let flow = Flow {
        world: &world,
        agents: &messages.agents,
        clock: &Slow::default(),
        idle_timeout: messages.idle_timeout,
        boot_within: None,
    };
    let jobs = Jobs::start(inside.app).expect("a queue");
    let report = look(&flow, jobs).await.expect("what is due");
    assert_eq!((report.found, report.changed, report.failed), (3, 1, 0));
    assert!(report.unfinished, "{report:?}");
}

#[tokio::test]
async fn an_audit_that_fails_is_told_and_fails_no_tick() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let jobs = Jobs::start(inside.app).expect("a queue");
    let ticking = Ticking::over(context(&inside), jobs, "tests");
    let empty = Fault::Answer(200, json!({"Items": []}));
    inside.wire.fail("Query", 12, empty);
    inside.wire.fail("Query", 2, Fault::Unreachable);
    let ticked = tick::handle(ticking, json!({})).await.expect("a tick");
    assert_eq!((ticked.report.found, ticked.drift), (0, None));
}

#[tokio::test]
async fn an_audit_reads_every_workspace_once_an_hour_and_little_else() {
    const WORKSPACES: usize = 200;
    let inside = InProcess::new(Mode::DevClosed).await;
    let making = (0..WORKSPACES).map(|n| {
        let inside = inside.clone();
        async move { inside.workspace(&format!("Audited {n}")).await.id }
    });
    let own: Vec<String> = stream::iter(making).buffer_unordered(8).collect().await;

    let mut read: BTreeMap<String, usize> = BTreeMap::new();
    let (mut listing, mut loads) = (0.0, 0.0);
    for now in an_hour() {
        inside.wire.take();
        audit(&inside.app.store, &[].into(), now)
            .await
            .expect("an audit");
        let calls = inside.wire.take();
        permitted("messages.tick", &calls);
        let (queries, gets): (Vec<_>, Vec<_>) =
            calls.iter().partition(|call| call.operation == "Query");
        assert!(queries.len() <= 2 && gets.len() <= 1 && round_trips(&calls) <= 3);
        listing += units(&queries);
        loads += units(&gets);
        for key in gets.iter().flat_map(|call| keys_of(&inside, call)) {
            *read.entry(key).or_default() += 1;
        }
    }
    let times = |id: &String| read.get(&format!("WS#{id}")).copied().unwrap_or_default();
    assert!(own.iter().all(|id| (1..=2).contains(&times(id))));
    // Other tests make workspaces as well: what is read is counted, not what was made.
    let all: usize = read.values().sum();
    show(&format!(
        "audit: {} workspaces, an hour: {loads} read units for {all} loads, {listing} for listing",
        read.len()
    ));
    assert!(
        all * 100 <= read.len() * 140,
        "{all} reads of {}",
        read.len()
    );
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let half = all as f64 / 2.0;
    assert!(
        (loads - half).abs() < f64::EPSILON,
        "{loads} units for {all}"
    );
    assert!(listing <= half.max(60.0), "{listing} units for listing");
}

fn units(calls: &[&AwsCall]) -> f64 {
    calls.iter().fold(0.0, |sum, call| sum + call.read_units())
}

fn keys_of(inside: &InProcess, call: &AwsCall) -> Vec<String> {
    let wanted = &call.request["RequestItems"][&inside.app.settings.table];
    assert_ne!(wanted["ConsistentRead"], true, "half the price will do");
    let keys = wanted["Keys"].as_array().into_iter().flatten();
    keys.map(|key| key["pk"]["S"].as_str().unwrap_or_default().to_owned())
        .collect()
}

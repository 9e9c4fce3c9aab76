//! Requests that nobody decides: denied by the minute tick, ten minutes after they were asked. Over a
//! table of their own, as a tick concerns all workspaces.

use domain::{ApprovalId, Mode, WorkspaceId};
use e2e::{
    Workspace,
    counted::{AwsCall, Fault, InProcess, round_trips, show},
};
use jiff::{SignedDuration, Timestamp};
use messages::{
    kick::Jobs,
    tick::{self, Ticking},
};
use serde_json::{Value, json};
use store::{
    approvals::Expired,
    keys::{self, DUE},
};

use crate::calls_messages::{context, permitted};

struct World {
    inside: InProcess,
    own: Workspace,
}

impl World {
    async fn new(mode: Mode) -> Self {
        let inside = InProcess::apart(mode).await;
        let own = inside.workspace("Own").await;
        Self { inside, own }
    }

    fn path(&self) -> String {
        format!("/workspaces/{}/approvals", self.own.id)
    }

    fn id(&self) -> WorkspaceId {
        self.own.id.parse().expect("an id")
    }

    async fn ask(&self, action: &str) -> ApprovalId {
        let asked = self.inside.post(&self.path()).bearer(&self.own.token);
        let asked = asked.json(&json!({"action": action, "context": {"k": "v"}}));
        let id = asked.await.expect(201).text("approval_id");
        id.parse().expect("an id")
    }

    /// Moves it into the past.
    async fn age(&self, id: ApprovalId, by: SignedDuration) {
        let (key, asked) = (keys::approval(self.id(), id), Timestamp::now() - by);
        let due = keys::due_at(asked + domain::approval::WAITS, &id.to_string());
        let scale = &self.inside.scale;
        scale
            .set_number(&key, "created_at", asked.as_microsecond())
            .await;
        scale.set(&key, DUE.sk, &due).await;
    }

    async fn rows(&self, path: &str) -> Vec<Value> {
        let call = self.inside.get(path).bearer(&self.inside.admin);
        call.await
            .expect(200)
            .json
            .as_array()
            .expect("rows")
            .clone()
    }

    /// What was told of requests, oldest first.
    async fn told(&self) -> Vec<(Value, Value)> {
        let rows = self.rows(&format!("/events/{}", self.own.id)).await;
        let rows = rows.into_iter().rev();
        let told = rows.map(|row| (row["event_type"].clone(), row["payload"].clone()));
        let of_requests = |name: &Value| name.as_str().is_some_and(|it| it.starts_with("APPROVAL"));
        told.filter(|(name, _)| of_requests(name)).collect()
    }

    /// A look; how late the oldest was is told apart from it.
    async fn expire(&self, after: SignedDuration) -> Expired {
        let now = Timestamp::now() + after;
        let store = &self.inside.app.store;
        let done = store.expire_approvals(now, 25).await.expect("a look");
        whatever_the_age(done)
    }
}

fn expired(found: usize, changed: usize) -> Expired {
    Expired {
        found,
        changed,
        ..Expired::default()
    }
}

fn whatever_the_age(of: Expired) -> Expired {
    assert!((0..=120).contains(&of.backlog_age), "{of:?}");
    Expired {
        backlog_age: 0,
        ..of
    }
}

const EARLY: SignedDuration = SignedDuration::from_secs(9 * 60 + 50);
const LATE: SignedDuration = SignedDuration::from_secs(10 * 60 + 1);

#[tokio::test]
async fn after_ten_minutes_it_is_denied_and_told() {
    let world = World::new(Mode::DevClosed).await;
    let id = world.ask("go").await;
    assert_eq!(world.expire(EARLY).await, expired(0, 0));
    assert_eq!(world.rows("/approvals/pending").await.len(), 1);
    assert_eq!(world.told().await.len(), 1);

    world.inside.wire.take();
    assert_eq!(world.expire(LATE).await, expired(1, 1));
    permitted("messages.tick", &world.inside.wire.take());
    let row = world.rows(&world.path()).await.swap_remove(0);
    assert_eq!(row["status"], "denied");
    assert_eq!(row["decided_by"], "auto-expired");
    assert!(row["decided_at"].is_string());
    assert!(world.rows("/approvals/pending").await.is_empty());
    let said = json!({"approval_id": id, "decision": "denied", "decided_by": "auto-expired"});
    let mut decided = said.clone();
    decided["status"] = json!("denied");
    let told = world.told().await;
    assert_eq!(
        told[1..],
        [
            (json!("APPROVAL_DENIED"), said),
            (json!("APPROVAL_DECIDED"), decided),
            (
                json!("APPROVAL_EXPIRED"),
                json!({"approval_id": id, "action": "go"})
            ),
        ]
    );
    // Once, and nobody decides it any more.
    assert_eq!(world.expire(LATE).await, expired(0, 0));
    let decide = world.inside.post(&format!("{}/{id}/decide", world.path()));
    let decide = decide.bearer(&world.inside.admin);
    let decide = decide.json(&json!({"decision": "approved"})).await;
    decide.expect(404);
    assert_eq!(world.told().await, told);
}

#[tokio::test]
async fn the_minute_tick_does_it_and_costs_little_when_nothing_is_late() {
    let world = World::new(Mode::DevClosed).await;
    let jobs = Jobs::start(world.inside.app).expect("a queue");
    let ticking = Ticking::over(context(&world.inside), jobs, "tests");
    let (late, early) = (world.ask("late").await, world.ask("early").await);
    world.age(late, LATE).await;
    world.age(early, EARLY).await;
    let ticked = tick::handle(ticking, json!({})).await.expect("a tick");
    assert_eq!(ticked.approvals.map(whatever_the_age), Some(expired(1, 1)));
    let waiting = world.rows("/approvals/pending").await;
    let waiting: Vec<_> = waiting.iter().map(|row| row["action"].clone()).collect();
    assert_eq!(waiting, ["early"]);

    world.inside.wire.take();
    assert_eq!(world.expire(SignedDuration::ZERO).await, expired(0, 0));
    let calls = world.inside.wire.take();
    let reads: f64 = calls.iter().map(AwsCall::read_units).sum();
    show(&format!("approvals, nothing late: {reads} read units"));
    assert!(round_trips(&calls) <= 4 && reads <= 2.0, "{calls:?}");
    let ticked = tick::handle(ticking, json!({})).await.expect("a tick");
    assert_eq!(ticked.approvals, Some(expired(0, 0)));
}

#[tokio::test]
async fn a_look_that_fails_is_told_and_fails_no_tick() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let jobs = Jobs::start(inside.app).expect("a queue");
    let ticking = Ticking::over(context(&inside), jobs, "tests");
    // What is due of jobs, requests and lines; the audit; approvals.
    let empty = Fault::Answer(200, json!({"Items": []}));
    inside.wire.fail("Query", 12, empty);
    inside.wire.fail("Query", 9, Fault::Unreachable);
    let ticked = tick::handle(ticking, json!({})).await.expect("a tick");
    assert_eq!((ticked.report.failed, ticked.approvals), (0, None));
}

#[tokio::test]
async fn of_a_decision_and_the_tick_one_wins() {
    let world = World::new(Mode::DevClosed).await;
    for n in 0..8 {
        let id = world.ask("go").await;
        let path = format!("{}/{id}/decide", world.path());
        let decide = async {
            let call = world.inside.post(&path).bearer(&world.inside.admin);
            call.json(&json!({"decision": "approved"})).await.status
        };
        let (status, done) = tokio::join!(decide, world.expire(LATE));
        let row = world.rows(&world.path()).await.swap_remove(0);
        match status {
            200 => assert_eq!(row["status"], "approved", "{n}: {done:?}"),
            404 => assert_eq!(row["decided_by"], "auto-expired", "{n}: {done:?}"),
            other => panic!("{n}: {other}"),
        }
        assert_eq!(done.changed, usize::from(status == 404), "{n}");
        let told = world.told().await;
        let decided = told.iter().filter(|(name, payload)| {
            name == "APPROVAL_DECIDED" && payload["approval_id"] == json!(id)
        });
        assert_eq!(decided.count(), 1, "{n}");
    }
}

#[tokio::test]
async fn of_a_removed_workspace_nothing_expires() {
    let world = World::new(Mode::DevClosed).await;
    let id = world.ask("go").await;
    // What a removal that breaks off leaves behind.
    world.inside.scale.delete(&keys::beat(world.id())).await;
    let told = world.told().await;
    let decide = world.inside.post(&format!("{}/{id}/decide", world.path()));
    let decide = decide.bearer(&world.inside.admin);
    let decide = decide.json(&json!({"decision": "approved"})).await;
    decide.expect(404);
    world.inside.wire.take();
    assert_eq!(world.expire(LATE).await, expired(1, 1));
    permitted("messages.tick", &world.inside.wire.take());
    for key in [
        keys::approval(world.id(), id),
        keys::approval_context(world.id(), id),
    ] {
        assert_eq!(world.inside.scale.item_at(&key).await, None);
    }
    assert_eq!(world.told().await, told);
    assert_eq!(world.expire(LATE).await, expired(0, 0));
}

#[tokio::test]
async fn the_context_is_kept_and_goes_with_its_workspace() {
    let world = World::new(Mode::DevClosed).await;
    let id = world.ask("go").await;
    let key = keys::approval_context(world.id(), id);
    let kept = world.inside.scale.item_at(&key).await.expect("kept");
    assert_eq!(kept["context"]["S"], r#"{"k":"v"}"#);
    let delete = format!("/workspaces/{}?confirm=true", world.own.id);
    let delete = world.inside.call(reqwest::Method::DELETE, &delete);
    delete.bearer(&world.inside.admin).await.expect(200);
    for key in [key, keys::approval(world.id(), id)] {
        assert_eq!(world.inside.scale.item_at(&key).await, None);
    }
    assert_eq!(world.expire(LATE).await, expired(0, 0));
}

#[tokio::test]
async fn who_decides_depends_on_the_mode() {
    for (mode, own_decides) in [
        (Mode::Dev, true),
        (Mode::DevClosed, false),
        (Mode::Strict, false),
    ] {
        let world = World::new(mode).await;
        let id = world.ask("go").await;
        let decide = world.inside.post(&format!("{}/{id}/decide", world.path()));
        let decide = decide.json(&json!({"decision": "approved"}));
        let own = decide.clone().bearer(&world.own.token).await;
        assert_eq!(own.status, if own_decides { 200 } else { 403 }, "{mode:?}");
        let nobody = decide.clone().await;
        assert_eq!(
            nobody.status,
            if own_decides { 404 } else { 401 },
            "{mode:?}"
        );
        let admin = decide.bearer(&world.inside.admin).await;
        assert_eq!(
            admin.status,
            if own_decides { 404 } else { 200 },
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn what_a_look_leaves_over_is_a_backlog() {
    let world = World::new(Mode::DevClosed).await;
    for action in ["one", "two"] {
        world.ask(action).await;
    }
    let store = &world.inside.app.store;
    let now = Timestamp::now() + SignedDuration::from_mins(10) + SignedDuration::from_secs(400);
    // Both are of one workspace, so of one shard.
    let first = store.expire_approvals(now, 1).await.expect("a look");
    assert_eq!((first.found, first.changed, first.unfinished), (1, 1, true));
    assert!((395..=401).contains(&first.backlog_age), "{first:?}");
    assert_eq!(first.backlog_seconds(), first.backlog_age);
    let rest = store.expire_approvals(now, 25).await.expect("a look");
    assert_eq!((rest.found, rest.changed, rest.unfinished), (1, 1, false));
    let none = store.expire_approvals(now, 25).await.expect("a look");
    assert_eq!(none, expired(0, 0));
}

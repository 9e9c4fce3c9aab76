//! Who has nothing to do for its minutes goes to sleep, and only then.

use domain::{WorkspaceId, lifecycle::Wanted, workspace::Status};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{World, counts};

async fn sleeps_after(world: &World, id: WorkspaceId, minutes: Value) {
    let path = format!("/workspaces/{id}");
    let call = world.inside.call(Method::PATCH, &path);
    let call = call.bearer(&world.inside.admin);
    let body = json!({"hibernation_idle_minutes": minutes});
    call.json(&body).await.expect(200);
}

/// The sweep at this moment, a beat just before it.
async fn sweep_at(world: &World, id: WorkspaceId, now: Timestamp) -> fleet::sweeps::Report {
    world.set_time(id, "beat_at", now).await;
    world.silent_at(now).await
}

#[tokio::test]
async fn it_sleeps_when_its_minutes_have_passed_since_it_came_up() {
    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    // Never, by default.
    assert_eq!(
        counts(&sweep_at(&world, own, world.after(86_400)).await),
        (0, 0, 0, 0)
    );
    sleeps_after(&world, own, json!(10)).await;
    assert_eq!(
        counts(&sweep_at(&world, own, world.after(590)).await),
        (0, 0, 0, 0)
    );
    let report = sweep_at(&world, own, world.after(605)).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert!(report.backlog_age < 10, "{report:?}");
    assert_eq!(world.status(own).await, Status::Hibernating);
    let machine = world.machine(own).await.expect("a machine");
    assert_eq!((machine.wanted, machine.generation), (Wanted::Stopped, 2));
    assert_eq!(world.jobs("StopV1", own).await, 1);
    assert_eq!(
        counts(&sweep_at(&world, own, world.after(700)).await),
        (0, 0, 0, 0)
    );
}

#[tokio::test]
async fn zero_and_null_are_never() {
    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    for never in [json!(0), Value::Null] {
        sleeps_after(&world, own, json!(1)).await;
        sleeps_after(&world, own, never).await;
        let report = sweep_at(&world, own, world.after(86_400)).await;
        assert_eq!(counts(&report), (0, 0, 0, 0));
    }
}

#[tokio::test]
async fn messages_and_work_keep_it_awake_and_are_looked_up_once() {
    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    sleeps_after(&world, own, json!(10)).await;
    let message_at = world.after(300);
    let load = store::keys::load(own);
    let micros = message_at.as_microsecond();
    let scale = &world.inside.scale;
    scale.set_number(&load, "message_at", micros).await;
    assert_eq!(sweep_at(&world, own, world.after(700)).await.found, 0);
    // Noted on the beat: until ten minutes after it, nothing more is read.
    let now = world.after(890);
    world.set_time(own, "beat_at", now).await;
    world.inside.wire.take();
    world.silent_at(now).await;
    let beat = scale.item_at(&store::keys::beat(own)).await.expect("there");
    assert_eq!(beat["active_at"]["N"], json!(micros.to_string()));

    // Work that lasts is use, whatever the beats say.
    scale.set_number(&load, "running", 1).await;
    assert_eq!(sweep_at(&world, own, world.after(910)).await.found, 0);
    scale.set_number(&load, "running", 0).await;
    assert_eq!(sweep_at(&world, own, world.after(1_500)).await.found, 0);
    let report = sweep_at(&world, own, world.after(1_520)).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(world.status(own).await, Status::Hibernating);
}

#[tokio::test]
async fn who_was_used_a_moment_ago_does_not_fall_asleep() {
    use domain::lifecycle::Act;
    use store::lifecycle::{Acted, Ask};

    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    let store = &world.inside.app.store;
    let used_at = store.uses(&[own]).await.expect("read")[0].used_at;
    // A notification between the look and the act.
    world.set_time(own, "active_at", world.after(1)).await;
    let act = Act::Hibernate { force: false };
    let ask = Ask::new(&act, jiff::SignedDuration::ZERO, world.after(2));
    let acted = store.act(own, &ask.idle_since(used_at)).await;
    let acted = acted.expect("an answer");
    assert!(matches!(acted, Acted::NotNow(Status::Online)), "{acted:?}");
}

//! Schedules that are deleted, and those of workspaces that are.

use e2e::counted::{ALWAYS, Fault};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use store::keys;

use super::World;

#[tokio::test]
async fn one_that_is_deleted_before_it_is_sent_is_not_sent() {
    let world = World::new().await;
    let id = world.schedule("Gone", "* * * * *").await;
    let slot = world.next_run(&id).await;
    assert_eq!(world.tick_at(slot).await.fired, 1);
    world
        .call(Method::DELETE, &format!("/{id}"))
        .await
        .expect(200);
    world.settle().await;
    assert_eq!(world.agent.texts(), Vec::<String>::new());
    let later = world.tick_at(slot + SignedDuration::from_hours(1)).await;
    assert_eq!(later.found, 0);
    assert_eq!(world.cron_rows().await, Vec::<Value>::new());
}

#[tokio::test]
async fn one_that_is_deleted_while_it_runs_leaves_the_message_alone() {
    let world = World::new().await;
    let id = world.schedule("Gone", "* * * * *").await;
    assert_eq!(world.tick_at(world.next_run(&id).await).await.fired, 1);
    // Accepted; its delivery is another job.
    let job = world.jobs().await[0].job().expect("a job");
    world.work(&job).await;
    world
        .call(Method::DELETE, &format!("/{id}"))
        .await
        .expect(200);
    world.settle().await;
    assert_eq!(world.agent.texts(), ["Do Gone"]);
    let counts = world.inside.app.store.counts([world.id()]).await;
    let [(_, counts)] = counts.expect("counts")[..] else {
        panic!("one load");
    };
    assert_eq!((counts.accepted, counts.done, counts.drift()), (1, 1, 0));
}

#[tokio::test]
async fn a_removed_workspace_has_no_slots_not_even_after_a_crash() {
    for crash in [false, true] {
        let world = World::new().await;
        let id = world.schedule("Daily", "* * * * *").await;
        let slot = world.next_run(&id).await;
        let path = format!("/workspaces/{}?confirm=true", world.own.id);
        let delete = world.inside.call(Method::DELETE, &path);
        let delete = delete.bearer(&world.inside.admin);
        if crash {
            world
                .inside
                .wire
                .fail("UpdateItem", ALWAYS, Fault::Unreachable);
            assert!(delete.await.status >= 500);
            world.inside.wire.mend();
        } else {
            delete.await.expect(200);
        }
        let report = world.tick_at(slot).await;
        assert_eq!((report.fired, report.skipped), (0, usize::from(crash)));
        let later = world.tick_at(slot + SignedDuration::from_hours(1)).await;
        assert_eq!(later.found, 0);
        world.settle().await;
        assert_eq!(world.agent.texts(), Vec::<String>::new());
        let health = world.inside.get("/admin/schedules/health");
        let health = health.bearer(&world.inside.admin).await.expect(200);
        assert_eq!(health.json, json!([]), "crash: {crash}");
        let run = world.call(Method::POST, &format!("/{id}/run")).await;
        run.expect(404);
        if crash {
            let shown = world.shown(&id).await;
            assert_eq!(
                (&shown["enabled"], &shown["last_error"]),
                (&json!(false), &json!("skipped: workspace is removed"))
            );
        }
    }
}

#[tokio::test]
pub(crate) async fn a_purged_workspace_leaves_none_and_what_a_crash_left_goes_with_its_slot() {
    let world = World::new().await;
    let id = world.schedule("Daily", "* * * * *").await;
    let (slot, schedule) = (world.next_run(&id).await, id.parse().expect("an id"));
    let item = keys::schedule(world.id(), schedule);
    let kept = world.inside.scale.item_at(&item).await;
    assert!(kept.is_some());
    // As if only the workspace had gone.
    for key in [keys::meta(world.id()), keys::beat(world.id())] {
        world.inside.scale.delete(&key).await;
    }
    assert_eq!(world.tick_at(slot).await.found, 1);
    assert_eq!(world.inside.scale.item_at(&item).await, None);
    let prompt = keys::schedule_prompt(schedule);
    assert_eq!(world.inside.scale.item_at(&prompt).await, None);
    assert_eq!(world.tick_at(slot).await.found, 0);

    let world = World::new().await;
    let id = world.schedule("Daily", "* * * * *").await;
    let path = format!("/workspaces/{}?confirm=true&purge=true", world.own.id);
    let delete = world.inside.call(Method::DELETE, &path);
    delete.bearer(&world.inside.admin).await.expect(200);
    let item = keys::schedule(world.id(), id.parse().expect("an id"));
    assert_eq!(world.inside.scale.item_at(&item).await, None);
    let names = keys::schedule_count(world.id());
    assert_eq!(world.inside.scale.item_at(&names).await, None);
}

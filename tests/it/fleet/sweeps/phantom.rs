//! Who counts as busy and shows no sign of work is not busy any more.

use domain::workspace::Status;
use serde_json::{Value, json};

use super::{World, counts, id};

async fn shown(world: &World, id: &str) -> (Value, Value) {
    // The list has the task, one alone has not.
    let call = world.inside.get("/workspaces").bearer(&world.inside.admin);
    let list = call.await.expect(200).json;
    let mut all = list.as_array().expect("a list").iter();
    let shown = all.find(|it| it["id"] == id).expect("listed");
    (shown["active_tasks"].clone(), shown["current_task"].clone())
}

#[tokio::test]
async fn an_agent_that_died_at_work_is_not_busy_for_ever() {
    let world = World::new().await;
    let own = world.inside.online("Own").await;
    let works = json!({"active_tasks": 2, "current_task": "reading"});
    world.inside.beat(&own, works.clone()).await.expect(200);

    let report = world.silent_at(world.after(95)).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(world.status(id(&own)).await, Status::Offline);
    assert_eq!(counts(&world.silent_at(world.after(595)).await).0, 0);
    assert_eq!(shown(&world, &own.id).await, (json!(2), json!("reading")));

    let events = world.events(id(&own)).await.len();
    let report = world.silent_at(world.after(605)).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(shown(&world, &own.id).await, (json!(0), json!("")));
    assert_eq!(world.events(id(&own)).await.len(), events, "no event");
    assert_eq!(counts(&world.silent_at(world.after(700)).await).0, 0);

    // If it lives after all, its next beat says so.
    world.inside.beat(&own, works).await.expect(200);
    assert_eq!(shown(&world, &own.id).await, (json!(2), json!("reading")));
}

#[tokio::test]
async fn who_says_so_with_each_beat_or_has_a_message_stays_busy() {
    let world = World::new().await;
    let (beats, gets) = (
        world.inside.online("Beats").await,
        world.inside.online("Gets").await,
    );
    let works = json!({"active_tasks": 1, "current_task": "reading"});
    for own in [&beats, &gets] {
        world.inside.beat(own, works.clone()).await.expect(200);
    }
    let now = world.after(700);
    for time in ["beat_at", "active_at"] {
        world.set_time(id(&beats), time, now).await;
    }
    world.set_time(id(&gets), "beat_at", now).await;
    let (load, at) = (store::keys::load(id(&gets)), world.after(650));
    let micros = at.as_microsecond();
    world
        .inside
        .scale
        .set_number(&load, "message_at", micros)
        .await;
    assert_eq!(counts(&world.silent_at(now).await), (0, 0, 0, 0));
    for own in [&beats, &gets] {
        assert_eq!(shown(&world, &own.id).await, (json!(1), json!("reading")));
    }
}

//! Who falls silent goes offline, once, and starts anew if a machine of ours runs it.

use domain::workspace::Status;
use e2e::counted::Fault;
use fleet::sweeps::{
    Watch,
    silent::{self, Silent, silence::Limits},
};
use serde_json::json;

use super::{World, counts, id};

#[tokio::test]
async fn an_external_agent_goes_offline_after_ninety_seconds_and_comes_back() {
    let world = World::new().await;
    let own = world.inside.online("Own").await;
    assert_eq!(
        counts(&world.silent_at(world.after(80)).await),
        (0, 0, 0, 0)
    );
    assert_eq!(world.status(id(&own)).await, Status::Online);

    let report = world.silent_at(world.after(95)).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert!(report.backlog_age < 10, "{report:?}");
    assert_eq!(world.status(id(&own)).await, Status::Offline);
    assert_eq!(world.events(id(&own)).await[0], "WORKSPACE_OFFLINE");
    // Nothing more happens to it.
    assert_eq!(
        counts(&world.silent_at(world.after(500)).await),
        (0, 0, 0, 0)
    );
    world.inside.beat(&own, json!({})).await.expect(200);
    assert_eq!(world.status(id(&own)).await, Status::Online);
}

#[tokio::test]
pub(crate) async fn a_machine_of_ours_is_started_anew_and_then_left_to_boot() {
    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    assert_eq!(
        counts(&world.silent_at(world.after(170)).await),
        (0, 0, 0, 0)
    );
    let report = world.silent_at(world.after(185)).await;
    // Silenced, and started anew.
    assert_eq!(counts(&report), (1, 2, 0, 0));
    assert_eq!(world.status(own).await, Status::Provisioning);
    let machine = world.machine(own).await.expect("a machine");
    assert_eq!((machine.generation, machine.done), (2, 1));
    assert_eq!(machine.instance_id.as_deref(), Some("i-0123abcd"));
    assert_eq!(world.jobs("ProvisionV1", own).await, 2);
    let events = world.events(own).await;
    assert_eq!(events[..2], ["WORKSPACE_PROVISIONING", "WORKSPACE_OFFLINE"]);
    // However long it takes to boot.
    assert_eq!(
        counts(&world.silent_at(world.after(500)).await),
        (0, 0, 0, 0)
    );
}

#[tokio::test]
async fn two_sweeps_at_once_whose_answers_get_lost_tell_once() {
    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    let silent = Silent::over(world.inside.app, Limits::default(), "tests");
    let inside = world.inside.clone();
    inside.wire.fail("TransactWriteItems", 2, Fault::AnswerLost);
    let now = world.after(185);
    let (first, second) = tokio::join!(
        silent::sweep(silent, Watch::at(now)),
        silent::sweep(silent, Watch::at(now)),
    );
    inside.wire.mend();
    let (first, second) = (first.expect("a sweep"), second.expect("a sweep"));
    assert_eq!((first.failed, second.failed), (0, 0));
    // Where nobody knows that it was silenced by itself, what is due starts it anew.
    world.overdue_at(now).await;
    assert_eq!(world.status(own).await, Status::Provisioning);
    let events = world.events(own).await;
    let offline = events.iter().filter(|it| *it == "WORKSPACE_OFFLINE");
    assert_eq!(offline.count(), 1, "{events:?}");
}

#[tokio::test]
pub(crate) async fn who_is_offline_and_was_not_started_anew_is_when_it_is_due() {
    use domain::lifecycle::Act;
    use jiff::SignedDuration;
    use store::lifecycle::Ask;

    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    let now = world.after(185);
    // All that a sweep did before it was killed.
    let ask = Ask::new(&Act::Silence, SignedDuration::ZERO, now);
    let acted = world.inside.app.store.act(own, &ask).await;
    acted.expect("silenced");
    assert_eq!(world.status(own).await, Status::Offline);
    let report = world.overdue_at(now).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(world.status(own).await, Status::Provisioning);
    assert_eq!(world.jobs("ProvisionV1", own).await, 2);
}

#[tokio::test]
async fn many_at_once_are_held_for_five_minutes() {
    let world = World::new().await;
    let mut all = Vec::new();
    for _ in 0..6 {
        all.push(world.inside.online("One").await);
    }
    let report = world.silent_at(world.after(120)).await;
    assert_eq!(counts(&report), (6, 0, 0, 6));
    assert!(report.backlog_seconds() > 20, "{report:?}");
    // One of them is heard of: a trouble of five is theirs.
    world
        .set_time(id(&all[0]), "beat_at", world.after(110))
        .await;
    let report = world.silent_at(world.after(121)).await;
    assert_eq!(counts(&report), (5, 5, 0, 0));
    assert_eq!(world.status(id(&all[0])).await, Status::Online);
}

#[tokio::test]
async fn many_for_long_are_believed_a_few_machines_a_minute() {
    let world = World::new().await;
    let mut all = Vec::new();
    for number in 0..7 {
        all.push(world.running(&format!("i-{number:08x}")).await);
    }
    assert_eq!(counts(&world.silent_at(world.after(300)).await).3, 7);
    let report = world.silent_at(world.after(500)).await;
    // Seven offline, five of them started anew.
    assert_eq!(counts(&report), (7, 12, 0, 0));
    let report = world.overdue_at(world.after(505)).await;
    assert!(report.changed >= 2, "{report:?}");
    for own in all {
        assert_eq!(world.status(own).await, Status::Provisioning);
    }
}

#[tokio::test]
async fn a_beat_that_comes_meanwhile_speaks_against_silence() {
    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    let now = world.after(185);
    let (store, at) = (&world.inside.app.store, world.after(184));
    let suspects = store.watched(&[own]).await.expect("read");
    let heard = silent::silence::Heard::of(&suspects[0]).expect("online");
    world.set_time(own, "beat_at", at).await;
    let act = domain::lifecycle::Act::Silence;
    let ask = store::lifecycle::Ask::new(&act, jiff::SignedDuration::ZERO, now);
    let acted = store.act(own, &ask.unheard_since(heard.at)).await;
    let acted = acted.expect("an answer");
    assert!(
        matches!(acted, store::lifecycle::Acted::NotNow(Status::Online)),
        "{acted:?}"
    );
}

#[tokio::test]
async fn a_sweep_that_was_away_itself_waits_for_a_silence_before_it_judges() {
    let world = World::new().await;
    let (gone, back) = (
        world.inside.online("Gone").await,
        world.inside.online("Back").await,
    );
    // Up to here all was well; then nobody swept, and nobody could be heard.
    world.swept_at(world.after(0)).await;
    let returned = world.after(600);
    let at = |seconds| returned + jiff::SignedDuration::from_secs(seconds);
    assert_eq!(counts(&world.silent_next_at(at(0)).await), (2, 0, 0, 2));
    world.set_time(id(&back), "beat_at", at(30)).await;
    for seconds in [60, 119] {
        let report = world.silent_next_at(at(seconds)).await;
        assert_eq!(counts(&report), (1, 0, 0, 1), "after {seconds} s");
    }
    world.set_time(id(&back), "beat_at", at(150)).await;
    assert_eq!(world.silent_next_at(at(179)).await.held, 1);
    assert_eq!(world.status(id(&gone)).await, Status::Online);
    assert_eq!(counts(&world.silent_next_at(at(181)).await), (1, 1, 0, 0));
    assert_eq!(world.status(id(&gone)).await, Status::Offline);
    assert_eq!(world.status(id(&back)).await, Status::Online);
}

#[tokio::test]
async fn a_sweep_that_breaks_off_was_not_there() {
    let world = World::new().await;
    world.swept_at(world.after(0)).await;
    let silent = Silent::over(world.inside.app, Limits::default(), "tests");
    let inside = world.inside.clone();
    inside
        .wire
        .fail("Query", 1, Fault::Answer(400, json!({"__type": "X"})));
    let broken = silent::sweep(silent, Watch::at(world.after(60))).await;
    assert!(broken.is_err());
    inside.wire.mend();
    let store = &inside.app.store;
    let run = store.last_run(silent::NAME).await.expect("read");
    assert!(run.expect("noted").last_run_at < world.after(1));
}

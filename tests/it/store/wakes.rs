//! Waking: after acceptance, once, and again by the look at the line when it was lost.

use domain::{
    Mode,
    lifecycle::{Act, Host},
    workspace::Status,
};
use e2e::{
    Workspace,
    counted::{ALWAYS, Fault, InProcess, PUBLIC, round_trips, show},
};
use messages::{Messages, dispatch, flow::line};
use serde_json::json;

use super::{
    events, id,
    lifecycle::{HOSTS, act, below, hosted, row},
};
use crate::calls_messages::{context, permitted};

/// Below another one, asleep.
async fn asleep(inside: &InProcess, host: Host) -> (Workspace, Workspace) {
    let top = hosted(inside, Host::External).await;
    let own = below(inside, host, Some(&top)).await;
    inside.register(&own, PUBLIC).await.expect(200);
    act(inside, &own, &Act::Hibernate { force: false }).await;
    act(inside, &own, &Act::FallAsleep).await;
    assert_eq!(row(inside, id(&own)).await.status(), Status::Hibernated);
    (top, own)
}

async fn send(inside: &InProcess, messages: &'static Messages, to: &Workspace) -> e2e::Answer {
    let call = inside.post(&format!("/workspaces/{}/a2a", to.id));
    let call = call.bearer(&inside.admin).json(&e2e::envelope("wake up"));
    call.to(messages, dispatch::handle).await
}

#[tokio::test]
async fn a_message_wakes_whoever_sleeps_with_the_rights_that_dispatch_has() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let messages = context(&inside);
    for host in HOSTS {
        let (_, own) = asleep(&inside, host).await;
        let told = events(&inside, &own).await.len();
        inside.wire.take();
        let answer = send(&inside, messages, &own).await.expect(202);
        let calls = inside.wire.take();
        assert_eq!(answer.json["waking"], true, "{host:?}");
        permitted("messages.dispatch", &calls);
        show(&format!(
            "a message that wakes, {host:?}: {} round trips",
            round_trips(&calls)
        ));
        assert_eq!(events(&inside, &own).await.len(), told + 1);
        // The second finds it on its way.
        let answer = send(&inside, messages, &own).await.expect(202);
        assert_eq!(answer.json["waking"], true, "{host:?}");
        assert_eq!(events(&inside, &own).await.len(), told + 1);
        let load = row(&inside, id(&own)).await.load.expect("a load");
        assert_eq!((load.counts.waiting, load.counts.drift()), (2, 0));
    }
}

#[tokio::test]
async fn a_wake_that_was_lost_is_done_by_the_look_at_the_line() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let messages = context(&inside);
    for host in HOSTS {
        let (top, own) = asleep(&inside, host).await;
        // No slot, a place in line; and then the table is away.
        inside.wire.fail("TransactWriteItems", 2, Fault::meet(1));
        inside
            .wire
            .fail("TransactWriteItems", ALWAYS, Fault::Unreachable);
        let answer = send(&inside, messages, &own).await.expect(202);
        inside.wire.mend();
        assert_eq!(answer.json["queue_depth"], 1, "{host:?}");
        assert_eq!(row(&inside, id(&own)).await.status(), Status::Hibernated);

        // A paused one above is no reason to let go of what waits.
        act(&inside, &top, &Act::Pause).await;
        line::look(&messages.flow(), id(&own))
            .await
            .expect("looked");
        assert_eq!(row(&inside, id(&own)).await.status(), Status::Hibernated);
        act(&inside, &top, &Act::Resume).await;

        inside.wire.take();
        line::look(&messages.flow(), id(&own))
            .await
            .expect("looked");
        let calls = inside.wire.take();
        for function in ["messages.tick", "messages.deliver", "messages.queue"] {
            permitted(function, &calls);
        }
        let is = row(&inside, id(&own)).await;
        assert!(is.status() != Status::Hibernated && is.keeps_messages());
        // On its way: nothing more is done.
        let told = events(&inside, &own).await;
        line::look(&messages.flow(), id(&own))
            .await
            .expect("looked");
        assert_eq!(events(&inside, &own).await, told);
        assert_eq!(is.load.expect("a load").counts.waiting, 1);
    }
}

#[tokio::test]
async fn who_came_up_is_not_idle_since_before_it_slept() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let (_, own) = asleep(&inside, Host::ByHand).await;
    let slept = row(&inside, id(&own)).await.idle_since();
    act(&inside, &own, &Act::Wake).await;
    let woken = row(&inside, id(&own)).await.idle_since();
    inside.register(&own, PUBLIC).await.expect(200);
    let up = row(&inside, id(&own)).await.idle_since();
    assert!(slept < woken && woken < up, "{slept} {woken} {up}");
    // A beat alone is no work; a task is.
    inside.beat(&own, json!({})).await.expect(200);
    assert_eq!(row(&inside, id(&own)).await.idle_since(), up);
    let busy = inside.beat(&own, json!({"active_tasks": 1}));
    busy.await.expect(200);
    assert!(row(&inside, id(&own)).await.idle_since() > up);
}

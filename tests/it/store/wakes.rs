//! Waking: after acceptance, once, and again by the look at the line when it was lost.

use domain::{
    Mode,
    job::Job,
    lifecycle::{Act, Host},
    workspace::Status,
};
use e2e::{
    Workspace,
    counted::{ALWAYS, Fault, InProcess, PUBLIC, jobs, round_trips, show},
};
use messages::{Messages, dispatch, flow::line, outcome::Outcome};
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
pub(crate) async fn a_message_wakes_whoever_sleeps_with_the_rights_that_dispatch_has() {
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
pub(crate) async fn a_wake_that_was_lost_is_done_by_the_look_at_the_line() {
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

/// Online on this host, and then not heard of; with another one above.
async fn offline(inside: &InProcess, host: Host) -> (Workspace, Workspace) {
    let top = hosted(inside, Host::External).await;
    let own = below(inside, host, Some(&top)).await;
    inside.register(&own, PUBLIC).await.expect(200);
    act(inside, &own, &Act::Silence).await;
    assert_eq!(row(inside, id(&own)).await.status(), Status::Offline);
    (top, own)
}

#[tokio::test]
async fn a_message_starts_the_machine_of_an_offline_one_anew_and_is_kept() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let messages = context(&inside);
    let (_, own) = offline(&inside, Host::Machine).await;
    let told = events(&inside, &own).await.len();
    inside.wire.take();
    let answer = send(&inside, messages, &own).await.expect(202);
    let calls = inside.wire.take();
    permitted("messages.dispatch", &calls);
    show(&format!(
        "a message that restarts: {} round trips",
        round_trips(&calls)
    ));
    let [provision] = jobs(&calls).try_into().expect("one job");
    assert!(matches!(provision, Job::ProvisionV1 { generation: 2, .. }));
    for key in ["queued", "waking", "restarting"] {
        assert_eq!(answer.json[key], true, "{answer:?}");
    }
    assert_eq!(answer.json["retry_after"], 15);
    let is = row(&inside, id(&own)).await;
    assert_eq!(is.status(), Status::Provisioning);
    assert!(is.beat.expect("a beat").restart.is_some());
    // The next ones find it on its way.
    let answer = send(&inside, messages, &own).await.expect(202);
    assert_eq!(answer.json["position"], 2);
    assert_eq!(jobs(&inside.wire.take()), []);
    assert_eq!(events(&inside, &own).await.len(), told + 1);
    let load = row(&inside, id(&own)).await.load.expect("a load");
    assert_eq!((load.counts.waiting, load.counts.drift()), (2, 0));
}

#[tokio::test]
async fn many_messages_at_once_start_it_anew_once() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let messages = context(&inside);
    let (_, own) = offline(&inside, Host::Machine).await;
    let calls = (0..6).map(|_| send(&inside, messages, &own));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.expect(202).json["restarting"], true);
    }
    let is = row(&inside, id(&own)).await;
    assert_eq!(is.machine.expect("a machine").generation, 2);
    let load = is.load.expect("a load");
    assert_eq!((load.counts.waiting, load.counts.drift()), (6, 0));
}

#[tokio::test]
async fn what_cannot_be_started_anew_is_tried_as_it_is() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let messages = context(&inside);
    let unreachable = || {
        let said = serde_json::to_value(Outcome::Unreachable).expect("JSON");
        inside
            .wire
            .fail("InvokeFunction", 1, Fault::Answer(200, said));
    };
    let failed = "failed to reach workspace agent";
    for host in [Host::ByHand, Host::External] {
        let (_, own) = offline(&inside, host).await;
        unreachable();
        let answer = send(&inside, messages, &own).await;
        assert_eq!(answer.error(), (502, failed), "{host:?}");
        assert_eq!(row(&inside, id(&own)).await.status(), Status::Offline);
    }
    // Started anew a while ago: the sweep will, once it has rested.
    let (_, own) = offline(&inside, Host::Machine).await;
    let machine = store::keys::machine(id(&own));
    let now = jiff::Timestamp::now().as_microsecond();
    inside.scale.set_number(&machine, "revived_at", now).await;
    unreachable();
    let answer = send(&inside, messages, &own).await;
    let sentence = "workspace agent unreachable — container restart triggered";
    assert_eq!(answer.error(), (503, sentence));
    assert_eq!(answer.json["restarting"], true);
    assert_eq!(row(&inside, id(&own)).await.status(), Status::Offline);
    // Below a paused one nothing starts.
    let (top, own) = offline(&inside, Host::Machine).await;
    act(&inside, &top, &Act::Pause).await;
    unreachable();
    let answer = send(&inside, messages, &own).await;
    assert_eq!(answer.error(), (502, failed));
    assert_eq!(row(&inside, id(&own)).await.status(), Status::Offline);
}

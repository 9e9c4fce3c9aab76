//! What an agent is told that is back after a restart: kept with the start, told once, to those that
//! are there.

use domain::{
    Mode,
    job::Job,
    lifecycle::{Act, Host},
    restart::Restart,
    workspace::Status,
};
use e2e::{
    Agent, Workspace,
    counted::{AwsCall, InProcess, PUBLIC, jobs, round_trips, show},
};
use messages::deliver::{self, Given, Said};
use serde_json::{Value, json};
use store::keys;

use super::{
    id,
    lifecycle::{HOSTS, act, hosted, row, set},
};
use crate::calls_messages::{context, permitted};

const OURS: [Host; 2] = [Host::Machine, Host::ByHand];

fn told(calls: &[AwsCall]) -> Vec<Job> {
    let mut jobs = jobs(calls);
    jobs.retain(|job| matches!(job, Job::RestartContextV1 { .. }));
    jobs
}

async fn kept(inside: &InProcess, own: &Workspace) -> Option<Restart> {
    row(inside, id(own)).await.beat.expect("a beat").restart
}

/// A workspace with a token for its new process, which boots.
async fn booting(inside: &InProcess, host: Host) -> Workspace {
    let own = hosted(inside, host).await;
    inside.register(&own, PUBLIC).await.expect(200);
    act(inside, &own, &Act::Restart).await;
    again(inside, own).await
}

/// The same with a token that is alive: starting a machine of ours revokes what there was.
async fn again(inside: &InProcess, own: Workspace) -> Workspace {
    let mint = inside.post(&format!("/workspaces/{}/tokens", own.id));
    let token = mint.bearer(&inside.admin).await.expect(201);
    Workspace {
        token: token.text("auth_token"),
        ..own
    }
}

/// Has `deliver` do a job, with no right that it does not have; the jobs that follow.
async fn work(inside: &InProcess, job: &Job) -> Vec<Job> {
    let body = serde_json::to_string(job).expect("JSON");
    let batch = json!({"Records": [{"messageId": "1", "body": body}]});
    let given: Given = serde_json::from_value(batch).expect("a batch");
    inside.wire.take();
    let said = deliver::handle(context(inside), given).await;
    let said = said.expect("worked");
    assert!(matches!(&said, Said::Batch { failures } if failures.is_empty()));
    let calls = inside.wire.take();
    permitted("messages.deliver", &calls);
    jobs(&calls)
}

#[tokio::test]
async fn every_start_of_ours_keeps_when_and_when_the_last_session_ended() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in HOSTS {
        for (of, from) in [
            (Act::Restart, Status::Online),
            (Act::Revive, Status::Offline),
            (Act::Resume, Status::Paused),
            (Act::Wake, Status::Hibernated),
        ] {
            let own = hosted(&inside, host).await;
            assert_eq!(
                kept(&inside, &own).await,
                None,
                "a first boot is no restart"
            );
            inside.register(&own, PUBLIC).await.expect(200);
            assert_eq!(kept(&inside, &own).await, None);
            let heard = row(&inside, id(&own)).await.beat.expect("a beat").beat_at;
            set(&inside, &own, from).await;
            act(&inside, &own, &of).await;
            let is = kept(&inside, &own).await;
            assert_eq!(is.is_some(), host != Host::External, "{of:?} {host:?}");
            if let Some(restart) = is {
                assert_eq!(restart.ended, heard, "{of:?} {host:?}");
                assert!(heard.is_some_and(|heard| heard < restart.at));
            }
        }
    }
    // Who never came up has no session to tell of.
    let own = hosted(&inside, Host::Machine).await;
    act(&inside, &own, &Act::Restart).await;
    assert!(
        kept(&inside, &own)
            .await
            .is_some_and(|it| it.ended.is_none())
    );
}

#[tokio::test]
async fn registering_and_beats_tell_once_and_cost_no_call_more() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in OURS {
        let own = booting(&inside, host).await;
        let restart = kept(&inside, &own).await.expect("kept");
        let job = Job::RestartContextV1 {
            workspace_id: id(&own),
            restart,
        };
        let (answer, calls) = inside.register(&own, PUBLIC).counted().await;
        answer.expect(200);
        assert_eq!(told(&calls), [job], "{host:?}");
        permitted("registry.register", &calls);
        assert!(round_trips(&calls) <= 3, "{calls:?}");
        show(&format!(
            "register after a restart, {host:?}: {} round trips",
            round_trips(&calls)
        ));
        assert_eq!(kept(&inside, &own).await, None);
        let (answer, calls) = inside.register(&own, PUBLIC).counted().await;
        answer.expect(200);
        assert_eq!(told(&calls), [], "{host:?}");

        let own = booting(&inside, host).await;
        let (answer, calls) = inside.beat(&own, json!({})).counted().await;
        answer.expect(200);
        assert_eq!(told(&calls).len(), 1, "{host:?}");
        permitted("registry.heartbeat", &calls);
        assert!(round_trips(&calls) <= 2, "{calls:?}");
        for call in [inside.beat(&own, json!({})), inside.register(&own, PUBLIC)] {
            let (answer, calls) = call.counted().await;
            answer.expect(200);
            assert_eq!(told(&calls), [], "{host:?}");
        }
    }
}

#[tokio::test]
async fn the_message_goes_once_first_in_line_and_leaves_no_activity() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let agent = Agent::start().await;
    for host in OURS {
        let own = booting(&inside, host).await;
        for (path, key) in [
            ("/settings/secrets".to_owned(), "Z_RESTART_ALL"),
            (format!("/workspaces/{}/secrets", own.id), "A_OWN"),
        ] {
            let body = json!({"key": key, "value": "hunter2"});
            let call = inside.post(&path).bearer(&inside.admin).json(&body);
            call.await.expect(200);
        }
        let restart = kept(&inside, &own).await.expect("kept");
        let (_, calls) = inside.register(&own, &agent.url).counted().await;
        let [job] = told(&calls).try_into().expect("one job");
        let heard = agent.restarts().len();
        let followed = work(&inside, &job).await;
        let [deliver] = followed.try_into().expect("one delivery");
        assert_eq!(work(&inside, &job).await, [], "twice is once");
        let load = row(&inside, id(&own)).await.load.expect("a load");
        assert_eq!(load.counts.accepted, 1);
        work(&inside, &deliver).await;
        work(&inside, &deliver).await;
        assert_eq!(work(&inside, &job).await, [], "nor after it has arrived");

        let restarts = agent.restarts();
        assert_eq!(restarts.len(), heard + 1);
        let got: &Value = &restarts[heard].body;
        assert_eq!(got["method"], "message/send");
        let message = &got["params"]["message"];
        let metadata = json!({
            "source": "platform", "kind": "restart_context", "layer": 1, "restart_context": true,
        });
        assert_eq!(message["metadata"], metadata);
        assert_eq!(message["role"], "user");
        let text = message["parts"][0]["text"].as_str().expect("a text");
        let available = text.lines().nth(3).expect("a line");
        assert!(
            available.starts_with("Env vars now available: A_OWN, "),
            "{text}"
        );
        assert!(available.contains("Z_RESTART_ALL") && !text.contains("hunter2"));
        let names = available.trim_start_matches("Env vars now available: ");
        assert_eq!(text, restart.context(&names.split(", ").collect()));
        let shown = inside.get(&format!("/workspaces/{}/activity", own.id));
        let shown = shown.bearer(&inside.admin).await.expect(200);
        assert_eq!(shown.json, json!([]));
        let load = row(&inside, id(&own)).await.load.expect("a load");
        assert_eq!((load.counts.done, load.counts.drift()), (1, 0));
    }
}

#[tokio::test]
async fn an_agent_without_an_address_yet_is_told_when_it_has_one() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = booting(&inside, Host::Machine).await;
    let (_, calls) = inside.beat(&own, json!({})).counted().await;
    let [job] = told(&calls).try_into().expect("one job");
    assert_eq!(work(&inside, &job).await, [], "it waits in line");
    let load = row(&inside, id(&own)).await.load.expect("a load");
    assert_eq!(load.counts.waiting, 1);
    let (answer, calls) = inside.register(&own, PUBLIC).counted().await;
    answer.expect(200);
    let workspace_id = id(&own);
    assert_eq!(jobs(&calls), [Job::OfferV1 { workspace_id }]);
}

#[tokio::test]
async fn nobody_is_told_who_is_not_there_or_fetches_messages() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for (status, why) in [
        (Status::Provisioning, "started once more"),
        (Status::Hibernated, "a message would wake it"),
        (Status::Paused, "stopped"),
        (Status::Failed, "it did not come up"),
    ] {
        let own = booting(&inside, Host::Machine).await;
        let (_, calls) = inside.register(&own, PUBLIC).counted().await;
        let [job] = told(&calls).try_into().expect("one job");
        set(&inside, &own, status).await;
        assert_eq!(work(&inside, &job).await, [], "{why}");
        let load = row(&inside, id(&own)).await.load.expect("a load");
        assert_eq!(load.counts.accepted, 0, "{why}");
    }
    let own = booting(&inside, Host::ByHand).await;
    let (_, calls) = inside.register(&own, PUBLIC).counted().await;
    let [job] = told(&calls).try_into().expect("one job");
    inside
        .scale
        .set(&keys::meta(id(&own)), "delivery_mode", "poll")
        .await;
    assert_eq!(work(&inside, &job).await, []);
    let own = booting(&inside, Host::ByHand).await;
    let (_, calls) = inside.register(&own, PUBLIC).counted().await;
    let [job] = told(&calls).try_into().expect("one job");
    inside
        .scale
        .set_number(&keys::meta(id(&own)), "budget_limit", 0)
        .await;
    assert_eq!(work(&inside, &job).await, [], "over its budget");
    let store = &inside.app.store;
    let now = jiff::Timestamp::now();
    store
        .remove_workspace(id(&own), None, now)
        .await
        .expect("removed");
    assert_eq!(work(&inside, &job).await, []);
}

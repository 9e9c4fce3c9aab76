//! Every act from every status, for every host: one transaction, and nothing when it does not apply.

use domain::{
    Mode, WorkspaceId,
    lifecycle::{Act, BootFailure, Gate, Host, Wanted},
    workspace::Status,
};
use e2e::{Workspace, counted::InProcess};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{
    keys,
    lifecycle::{Acted, Ask},
    workspaces::{Parts, Workspace as Row},
};

use super::{events, id, marks};

pub(super) const HOSTS: [Host; 3] = [Host::Machine, Host::ByHand, Host::External];

/// A new workspace of this host, with a live token.
pub(super) async fn hosted(inside: &InProcess, host: Host) -> Workspace {
    below(inside, host, None).await
}

/// The same below another one.
pub(super) async fn below(inside: &InProcess, host: Host, parent: Option<&Workspace>) -> Workspace {
    let runtime = match host {
        Host::Machine => "example",
        Host::ByHand => "by-hand",
        Host::External => "external",
    };
    let body = json!({
        "name": "Ada", "runtime": runtime, "tier": 2, "parent_id": parent.map(|it| &it.id),
    });
    let made = inside.post("/workspaces").bearer(&inside.admin).json(&body);
    let own = made.await.expect(201).text("id");
    let mint = inside.post(&format!("/workspaces/{own}/tokens"));
    let token = mint.bearer(&inside.admin).await.expect(201);
    Workspace {
        id: own,
        token: token.text("auth_token"),
    }
}

/// As if it stood so.
pub(super) async fn set(inside: &InProcess, own: &Workspace, status: Status) {
    let beat = keys::beat(id(own));
    inside.scale.set(&beat, "status", status.as_str()).await;
}

pub(super) async fn row(inside: &InProcess, id: WorkspaceId) -> Row {
    let found = inside.app.store.workspace(id, Parts::WithMachine).await;
    found.expect("read").expect("there")
}

pub(super) async fn act(inside: &InProcess, own: &Workspace, act: &Act) -> Acted {
    let ask = Ask::new(act, None, Timestamp::now());
    let acted = inside.app.store.act(id(own), &ask).await;
    acted.expect("an answer")
}

/// All that an act may change.
async fn items(inside: &InProcess, own: &Workspace) -> Value {
    let id = id(own);
    let mut items = Vec::new();
    for key in [
        keys::beat(id),
        keys::meta(id),
        keys::load(id),
        keys::machine(id),
    ] {
        items.push(inside.scale.item_at(&key).await);
    }
    json!({"items": items, "events": events(inside, own).await})
}

pub(super) fn acts() -> Vec<Act> {
    vec![
        Act::Restart,
        Act::Revive,
        Act::Refresh,
        Act::Resume,
        Act::Wake,
        Act::Pause,
        Act::Hibernate { force: false },
        Act::Hibernate { force: true },
        Act::FallAsleep,
        Act::Fail(BootFailure::LAUNCH),
        Act::Silence,
    ]
}

#[tokio::test]
async fn every_act_from_every_status_of_every_host() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let statuses = Status::ALL.into_iter();
    let statuses: Vec<Status> = statuses.filter(|it| *it != Status::Removed).collect();
    for host in HOSTS {
        for of in acts() {
            let own = hosted(&inside, host).await;
            for from in &statuses {
                let what = format!("{of:?} from {from}, {host:?}");
                set(&inside, &own, *from).await;
                let revived = keys::machine(id(&own));
                if host != Host::External {
                    inside.scale.set_number(&revived, "revived_at", 0).await;
                }
                let before = items(&inside, &own).await;
                let was = row(&inside, id(&own)).await;
                let generation = was.machine.as_ref().map_or(0, |it| it.generation);
                let acted = act(&inside, &own, &of).await;
                let is = row(&inside, id(&own)).await;
                let Acted::Done {
                    turn,
                    generation: told,
                } = acted
                else {
                    assert_eq!(acted, Acted::NotNow(*from), "{what}");
                    assert!(!of.applies_to(*from), "{what}");
                    assert_eq!(items(&inside, &own).await, before, "{what}");
                    continue;
                };
                assert!(of.applies_to(*from), "{what}");
                assert_eq!(is.status(), turn.to, "{what}");
                let machine = is.machine.as_ref();
                assert_eq!(told, machine.map_or(0, |it| it.generation), "{what}");
                assert_eq!(is.host(), host, "{what}");
                if let Some(gate) = turn.gate {
                    assert_eq!(is.load.as_ref().map(|it| it.gate), Some(gate), "{what}");
                }
                if let Some(wanted) = turn.wanted {
                    let machine = machine.expect("a machine");
                    assert_eq!(machine.wanted, wanted, "{what}");
                    assert_eq!(machine.generation, generation + 1, "{what}");
                    assert_eq!(machine.attempt, 1, "{what}");
                }
                let names = events(&inside, &own).await;
                let earlier = before["events"].as_array().map_or(0, Vec::len);
                let more = usize::from(turn.event.is_some());
                assert_eq!(names.len(), earlier + more, "{what}: {names:?}");
                if let Some(event) = &turn.event {
                    assert_eq!(names[0], event.name(), "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_start_revokes_what_the_old_machine_had_and_nothing_of_the_new_one() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in HOSTS {
        let own = hosted(&inside, host).await;
        inside
            .register(&own, e2e::counted::PUBLIC)
            .await
            .expect(200);
        act(&inside, &own, &Act::Restart).await;
        let lives = host != Host::Machine;
        let status = if lives { 200 } else { 401 };
        // By the mark, and by the credential.
        inside.beat(&own, json!({})).await.expect(status);
        let state = inside.get(&format!("/workspaces/{}/state", own.id));
        state.bearer(&own.token).await.expect(status);
        let tokens = inside.app.store.tokens(id(&own)).await.expect("tokens");
        assert_eq!(marks(&inside, &own).await.is_empty(), !lives, "{host:?}");
        assert_eq!(tokens.is_empty(), !lives, "{host:?}");
        let is = row(&inside, id(&own)).await;
        assert_eq!(is.meta.url, "", "{host:?}");
        assert_eq!(is.load.expect("a load").gate, Gate::Wake, "{host:?}");
    }
}

#[tokio::test]
async fn who_registers_opens_the_gate_and_a_beat_does_not() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::ByHand).await;
    inside
        .register(&own, e2e::counted::PUBLIC)
        .await
        .expect(200);
    let gate = || async {
        let load = row(&inside, id(&own)).await.load;
        load.expect("a load").gate
    };
    assert_eq!(gate().await, Gate::Open);
    act(&inside, &own, &Act::Restart).await;
    // The old process still beats: it is online, and has no address.
    inside.beat(&own, json!({})).await.expect(200);
    assert_eq!(row(&inside, id(&own)).await.status(), Status::Online);
    assert_eq!(gate().await, Gate::Wake);
    inside
        .register(&own, e2e::counted::PUBLIC)
        .await
        .expect(200);
    assert_eq!(gate().await, Gate::Open);
    // Nothing but the gate is read for it.
    for status in [Status::Failed, Status::AwaitingAgent, Status::Offline] {
        set(&inside, &own, status).await;
        let load = keys::load(id(&own));
        inside.scale.set(&load, "gate", "wake").await;
        inside
            .register(&own, e2e::counted::PUBLIC)
            .await
            .expect(200);
        assert_eq!(gate().await, Gate::Open, "{status}");
    }
}

#[tokio::test]
async fn nobody_is_sent_to_sleep_over_work() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in HOSTS {
        let own = hosted(&inside, host).await;
        let (beat, load) = (keys::beat(id(&own)), keys::load(id(&own)));
        set(&inside, &own, Status::Online).await;
        for (key, attribute) in [
            (&beat, "active_tasks"),
            (&load, "running"),
            (&load, "waiting"),
        ] {
            inside.scale.set_number(key, attribute, 1).await;
            let asked = act(&inside, &own, &Act::Hibernate { force: false }).await;
            assert_eq!(asked, Acted::Working, "{attribute}");
            assert_eq!(row(&inside, id(&own)).await.status(), Status::Online);
            inside.scale.set_number(key, attribute, 0).await;
        }
        inside.scale.set_number(&beat, "active_tasks", 1).await;
        let forced = act(&inside, &own, &Act::Hibernate { force: true }).await;
        assert!(matches!(forced, Acted::Done { .. }), "{forced:?}");
    }
}

#[tokio::test]
async fn silence_counts_from_the_last_beat() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::External).await;
    inside
        .register(&own, e2e::counted::PUBLIC)
        .await
        .expect(200);
    let now = Timestamp::now();
    let silent = |since: Timestamp| Ask::new(&Act::Silence, None, now).unheard_since(since);
    let store = &inside.app.store;
    let early = silent(now - SignedDuration::from_secs(90));
    let early = store.act(id(&own), &early).await.expect("an answer");
    assert_eq!(early, Acted::NotNow(Status::Online));
    let late = silent(now + SignedDuration::from_secs(1));
    let late = store.act(id(&own), &late).await.expect("an answer");
    assert!(matches!(late, Acted::Done { .. }), "{late:?}");
    assert_eq!(events(&inside, &own).await[0], "WORKSPACE_OFFLINE");
}

#[tokio::test]
async fn a_machine_that_was_revived_is_left_alone_for_a_while() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::Machine).await;
    let start = Timestamp::now();
    for (after, revives) in [(0, true), (9, false), (10, true)] {
        set(&inside, &own, Status::Offline).await;
        let at = start + SignedDuration::from_mins(after);
        let ask = Ask::new(&Act::Revive, None, at);
        let acted = inside
            .app
            .store
            .act(id(&own), &ask)
            .await
            .expect("an answer");
        assert_eq!(matches!(acted, Acted::Done { .. }), revives, "{after} min");
    }
}

#[tokio::test]
async fn what_is_asked_of_another_status_is_not_done() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::Machine).await;
    set(&inside, &own, Status::Paused).await;
    let ask = Ask::new(&Act::Restart, None, Timestamp::now()).unless(&[Status::Paused]);
    let acted = inside.app.store.act(id(&own), &ask).await;
    assert_eq!(acted.expect("an answer"), Acted::NotNow(Status::Paused));
    let resetting = Ask::new(&Act::Restart, None, Timestamp::now()).resetting(true);
    inside
        .app
        .store
        .act(id(&own), &resetting)
        .await
        .expect("done");
    let machine = row(&inside, id(&own)).await.machine.expect("a machine");
    assert!(machine.reset_session && machine.wanted == Wanted::Running);
}

#[tokio::test]
async fn a_reset_lasts_until_an_agent_is_back() {
    async fn resets(inside: &InProcess, own: &Workspace) -> bool {
        let machine = row(inside, id(own)).await.machine;
        machine.expect("a machine").reset_session
    }
    for host in [Host::Machine, Host::ByHand] {
        let inside = InProcess::new(Mode::DevClosed).await;
        let own = hosted(&inside, host).await;
        act(&inside, &own, &Act::Restart).await;
        assert!(!resets(&inside, &own).await, "{host:?}: nobody asked");
        let resetting = Ask::new(&Act::Restart, None, Timestamp::now()).resetting(true);
        let acted = inside.app.store.act(id(&own), &resetting).await;
        acted.expect("done");
        // A second start, a stop in between and a boot that failed lose nothing of it.
        for between in [None, Some(Act::Pause), Some(Act::Fail(BootFailure::LAUNCH))] {
            if let Some(between) = &between {
                act(&inside, &own, between).await;
            }
            act(&inside, &own, &Act::Restart).await;
            assert!(resets(&inside, &own).await, "{host:?}: {between:?}");
        }
        // Its agent is there: what it remembers from now on stays.
        let mint = inside.post(&format!("/workspaces/{}/tokens", own.id));
        let token = mint.bearer(&inside.admin).await.expect(201);
        let own = Workspace {
            token: token.text("auth_token"),
            ..own
        };
        let came = inside.register(&own, e2e::counted::PUBLIC).await;
        came.expect(200);
        act(&inside, &own, &Act::Restart).await;
        assert!(!resets(&inside, &own).await, "{host:?}: it has come up");
    }
}

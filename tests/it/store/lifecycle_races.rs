//! Acts that meet: exactly one wins, an older generation loses, and nothing is told that was not
//! done.

use domain::{
    Mode,
    lifecycle::{Act, BootFailure, Host},
    workspace::Status,
};
use e2e::{
    Workspace,
    counted::{Fault, InProcess, PUBLIC, gate},
};
use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use store::{
    keys,
    lifecycle::{Acted, Ask, Found},
};

use super::{
    events, id,
    lifecycle::{HOSTS, act, below, hosted, row, set},
    marks,
};

fn count(names: &[String], name: &str) -> usize {
    names.iter().filter(|it| *it == name).count()
}

#[tokio::test]
async fn of_many_at_once_exactly_one_is_done() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in HOSTS {
        for (from, of, name) in [
            (Status::Hibernated, Act::Wake, None),
            (Status::Paused, Act::Resume, None),
            (Status::Online, Act::Pause, Some("WORKSPACE_PAUSED")),
            (Status::Online, Act::Silence, Some("WORKSPACE_OFFLINE")),
            (
                Status::Provisioning,
                Act::Fail(BootFailure::LAUNCH),
                Some("WORKSPACE_PROVISION_FAILED"),
            ),
        ] {
            let own = hosted(&inside, host).await;
            set(&inside, &own, from).await;
            let told = events(&inside, &own).await.len();
            // All have read before anybody writes.
            inside.wire.fail("TransactWriteItems", 4, Fault::meet(4));
            let all = join_all((0..4).map(|_| act(&inside, &own, &of))).await;
            inside.wire.mend();
            let done = all.iter().filter(|it| matches!(it, Acted::Done { .. }));
            assert_eq!(done.count(), 1, "{of:?}, {host:?}: {all:?}");
            let others = all.iter().filter(|it| matches!(it, Acted::NotNow(_)));
            assert_eq!(others.count(), 3, "{of:?}, {host:?}: {all:?}");
            let names = events(&inside, &own).await;
            assert_eq!(names.len(), told + 1, "{of:?}, {host:?}: {names:?}");
            if let Some(name) = name {
                assert_eq!(count(&names, name), 1);
            }
        }
    }
}

#[tokio::test]
async fn restarts_at_once_are_generations_of_their_own() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in [Host::Machine, Host::ByHand] {
        let own = hosted(&inside, host).await;
        let before = row(&inside, id(&own)).await.machine.expect("a machine");
        inside.wire.fail("TransactWriteItems", 3, Fault::meet(3));
        let all = join_all((0..3).map(|_| act(&inside, &own, &Act::Restart))).await;
        inside.wire.mend();
        let mut generations: Vec<u32> = all
            .iter()
            .map(|acted| match acted {
                Acted::Done { generation, .. } => *generation,
                other => panic!("{other:?}"),
            })
            .collect();
        generations.sort_unstable();
        let first = before.generation + 1;
        assert_eq!(generations, [first, first + 1, first + 2], "{host:?}");
    }
}

#[tokio::test]
async fn who_comes_with_an_older_generation_loses() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let store = &inside.app.store;
    for host in [Host::Machine, Host::ByHand] {
        let own = hosted(&inside, host).await;
        let old = row(&inside, id(&own)).await.machine.expect("a machine");
        // The sweep has found the first start overdue; meanwhile somebody starts it anew.
        act(&inside, &own, &Act::Restart).await;
        let told = events(&inside, &own).await;
        let fail = Act::Fail(BootFailure::LAUNCH);
        let late = Ask::new(&fail, None, Timestamp::now()).of_generation(old.generation);
        let late = store.act(id(&own), &late).await.expect("an answer");
        assert_eq!(late, Acted::NotNow(Status::Provisioning), "{host:?}");
        let found = Found::Launched {
            instance_id: "i-late".to_owned(),
            at: Timestamp::now(),
        };
        let recorded = store.found(id(&own), old.generation, &found).await;
        assert!(!recorded.expect("an answer"));
        assert_eq!(events(&inside, &own).await, told);
        let right = Ask::new(&fail, None, Timestamp::now()).of_generation(old.generation + 1);
        let right = store.act(id(&own), &right).await.expect("an answer");
        assert!(matches!(right, Acted::Done { .. }), "{right:?}");
    }
}

#[tokio::test]
async fn below_a_paused_ancestor_nothing_starts_at_any_depth() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in HOSTS {
        let top = hosted(&inside, Host::External).await;
        let middle = below(&inside, Host::ByHand, Some(&top)).await;
        let own = below(&inside, host, Some(&middle)).await;
        for paused in [&top, &middle] {
            act(&inside, paused, &Act::Pause).await;
            for (from, of) in [
                (Status::Online, Act::Restart),
                (Status::Offline, Act::Revive),
                (Status::Paused, Act::Resume),
                (Status::Hibernated, Act::Wake),
            ] {
                set(&inside, &own, from).await;
                let acted = act(&inside, &own, &of).await;
                assert_eq!(acted, Acted::UnderPaused(id(paused)), "{of:?}");
                assert_eq!(row(&inside, id(&own)).await.status(), from);
            }
            // Unless they go on together, from that one down.
            set(&inside, &own, Status::Paused).await;
            let ask = Ask::new(&Act::Resume, None, Timestamp::now()).with(id(paused));
            let acted = inside.app.store.act(id(&own), &ask).await;
            let acted = acted.expect("an answer");
            assert!(matches!(acted, Acted::Done { .. }), "{acted:?}");
            // What stops needs nobody's leave.
            set(&inside, &own, Status::Online).await;
            let slept = act(&inside, &own, &Act::Hibernate { force: false }).await;
            assert!(matches!(slept, Acted::Done { .. }), "{slept:?}");
            set(&inside, paused, Status::Online).await;
        }
        // A removed one holds nobody: what is below goes with it in a moment.
        let delete = inside
            .app
            .store
            .remove_workspace(id(&top), None, Timestamp::now());
        delete.await.expect("removed");
        set(&inside, &own, Status::Online).await;
        let acted = act(&inside, &own, &Act::Restart).await;
        assert!(matches!(acted, Acted::Done { .. }), "{acted:?}");
    }
}

/// Does something between the reads and the write of an act.
async fn meanwhile<F: Future<Output = ()>>(
    inside: &InProcess,
    own: &Workspace,
    of: Act,
    something: F,
) -> Acted {
    let held = gate();
    let rule = Fault::Hold(held.clone());
    inside.wire.fail("TransactWriteItems", 1, rule);
    let (store, id) = (inside.app.store.clone(), id(own));
    let acting = tokio::spawn(async move {
        let ask = Ask::new(&of, None, Timestamp::now());
        store.act(id, &ask).await.expect("an answer")
    });
    held.wait().await;
    something.await;
    held.wait().await;
    acting.await.expect("joined")
}

#[tokio::test]
async fn a_token_minted_during_a_restart_dies_and_one_minted_after_it_lives() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::Machine).await;
    let path = format!("/workspaces/{}/tokens", own.id);
    let mint = || async {
        let minted = inside.post(&path).bearer(&inside.admin).await;
        minted.expect(201).text("auth_token")
    };
    let mut during = String::new();
    let acted = meanwhile(&inside, &own, Act::Restart, async {
        during = mint().await;
    });
    assert!(matches!(acted.await, Acted::Done { .. }));
    for token in [&own.token, &during] {
        inside.get(&path).bearer(token).await.expect(401);
    }
    // The restart has written, and has not tidied up yet: the new machine gets its token.
    let own = Workspace {
        token: mint().await,
        ..own
    };
    let held = gate();
    inside.wire.fail("DeleteItem", 1, Fault::Hold(held.clone()));
    let (store, it) = (inside.app.store.clone(), id(&own));
    let acting = tokio::spawn(async move {
        let ask = Ask::new(&Act::Restart, None, Timestamp::now());
        store.act(it, &ask).await.expect("an answer")
    });
    held.wait().await;
    let new = Workspace {
        token: mint().await,
        ..own.clone()
    };
    held.wait().await;
    acting.await.expect("joined");
    inside.get(&path).bearer(&own.token).await.expect(401);
    let listed = inside.get(&path).bearer(&new.token).await.expect(200);
    assert_eq!(listed.json["count"], 1, "{:?}", listed.json);
    assert_eq!(marks(&inside, &own).await.len(), 1);
    // And the next restart finds it.
    act(&inside, &own, &Act::Restart).await;
    inside.get(&path).bearer(&new.token).await.expect(401);
}

#[tokio::test]
async fn rows_that_a_crash_left_stop_nothing() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::Machine).await;
    let path = format!("/workspaces/{}/tokens", own.id);
    // Three lives, each with as many tokens as there may be, and each ended half way.
    for life in 0..3 {
        let room = domain::token::MAX_LIVE_TOKENS - usize::from(life == 0);
        for _ in 0..room {
            inside.post(&path).bearer(&inside.admin).await.expect(201);
        }
        inside.wire.fail(
            "DeleteItem",
            1,
            Fault::error("ValidationException", "broken off"),
        );
        let ask = Ask::new(&Act::Restart, None, Timestamp::now());
        // The act itself is done: who was told otherwise would do it once more.
        let acted = inside.app.store.act(id(&own), &ask).await;
        let acted = acted.expect("done");
        assert!(matches!(acted, Acted::Done { .. }), "{acted:?}");
        inside.wire.mend();
        let listed = inside.get(&path).bearer(&inside.admin).await.expect(200);
        assert_eq!(listed.json["count"], 0, "dead ones are not shown");
        assert!(marks(&inside, &own).await.is_empty());
    }
    let acted = act(&inside, &own, &Act::Restart).await;
    assert!(matches!(acted, Acted::Done { .. }), "{acted:?}");
    let left = inside.app.store.tokens(id(&own)).await.expect("tokens");
    assert!(left.is_empty(), "{}", left.len());
}

#[tokio::test]
async fn what_comes_in_meanwhile_keeps_it_awake() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let sleep = || Act::Hibernate { force: false };
    for host in HOSTS {
        let own = hosted(&inside, host).await;
        inside.register(&own, PUBLIC).await.expect(200);
        let busy = meanwhile(&inside, &own, sleep(), async {
            let beat = inside.beat(&own, json!({"active_tasks": 1}));
            beat.await.expect(200);
        });
        assert_eq!(busy.await, Acted::Working, "{host:?}");
        inside.beat(&own, json!({})).await.expect(200);
        let load = keys::load(id(&own));
        let message = meanwhile(&inside, &own, sleep(), async {
            inside.scale.set_number(&load, "running", 1).await;
        });
        assert_eq!(message.await, Acted::Working, "{host:?}");
        let heard = meanwhile(&inside, &own, Act::Silence, async {
            inside.beat(&own, json!({})).await.expect(200);
        });
        // Looked at again, it is still silent as far as anybody said; a sweep says since when.
        assert!(matches!(heard.await, Acted::Done { .. }));
    }
}

#[tokio::test]
async fn a_removal_ends_whatever_is_under_way() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for host in HOSTS {
        let own = hosted(&inside, host).await;
        let late = meanwhile(&inside, &own, Act::Restart, async {
            let delete = inside.call(Method::DELETE, &format!("/workspaces/{}", own.id));
            delete.bearer(&inside.admin).await.expect(200);
        });
        assert_eq!(late.await, Acted::Unknown, "{host:?}");
        assert_eq!(events(&inside, &own).await[0], "WORKSPACE_REMOVED");
        assert_eq!(inside.scale.item_at(&keys::beat(id(&own))).await, None);
        for of in super::lifecycle::acts() {
            assert_eq!(act(&inside, &own, &of).await, Acted::Unknown);
        }
    }
}

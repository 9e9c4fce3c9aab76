//! The routes of a workspace's life for machines of ours, which the deployed stack of the tests has
//! none of; and what they do when the datastore fails half way.

use domain::{
    Mode,
    lifecycle::{Gate, Host, Wanted},
    workspace::Status,
};
use e2e::{
    Answer, Workspace,
    counted::{ALWAYS, Fault, InProcess, PUBLIC},
};
use reqwest::Method;
use serde_json::json;
use store::keys;

use super::{
    events, id,
    lifecycle::{below, hosted, row},
};

async fn post(inside: &InProcess, of: &Workspace, act: &str) -> Answer {
    let call = inside.post(&format!("/workspaces/{}/{act}", of.id));
    call.bearer(&inside.admin).await
}

#[tokio::test]
async fn a_machine_stops_and_starts() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = hosted(&inside, Host::Machine).await;
    inside.register(&own, PUBLIC).await.expect(200);
    for (act, body, status, wanted) in [
        (
            "hibernate",
            json!({"status": "hibernating"}),
            Status::Hibernating,
            Wanted::Stopped,
        ),
        (
            "restart?reset=true",
            json!({
                "status": "provisioning", "config_dir": "existing-volume", "reset_session": true,
            }),
            Status::Provisioning,
            Wanted::Running,
        ),
        (
            "pause",
            json!({"status": "paused", "paused_count": 1}),
            Status::Paused,
            Wanted::Stopped,
        ),
        (
            "resume",
            json!({"status": "provisioning", "resumed_count": 1}),
            Status::Provisioning,
            Wanted::Running,
        ),
    ] {
        let before = row(&inside, id(&own)).await.machine.expect("a machine");
        let (answer, calls) = {
            inside.wire.take();
            let answer = post(&inside, &own, act).await;
            (answer, inside.wire.take())
        };
        assert_eq!(answer.expect(200).json, body, "{act}");
        let is = row(&inside, id(&own)).await;
        let machine = is.machine.as_ref().expect("a machine");
        assert_eq!((is.status(), machine.wanted), (status, wanted), "{act}");
        assert_eq!(machine.generation, before.generation + 1, "{act}");
        // The job is a row of the transaction.
        let job = match wanted {
            Wanted::Running => "ProvisionV1",
            Wanted::Stopped | Wanted::Gone => "StopV1",
        };
        let transaction = calls.iter().find(|it| it.operation == "TransactWriteItems");
        let written = transaction.expect("one").request.to_string();
        assert!(written.contains(job), "{act}: {written}");
        if wanted == Wanted::Running {
            // Asked for once, and no agent has come up since.
            assert!(machine.reset_session, "{act}");
            assert_eq!(is.load.expect("a load").gate, Gate::Wake, "{act}");
            // The old process has no say any more.
            inside.beat(&own, json!({})).await.expect(401);
        }
    }
}

#[tokio::test]
async fn a_tree_of_all_hosts_stops_and_goes_on() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let top = hosted(&inside, Host::ByHand).await;
    let mut all = vec![top.clone()];
    for host in [Host::Machine, Host::External, Host::ByHand] {
        let child = below(&inside, host, Some(&top)).await;
        for host in [Host::Machine, Host::ByHand] {
            all.push(below(&inside, host, Some(&child)).await);
        }
        all.push(child);
    }
    let paused = post(&inside, &top, "pause").await.expect(200);
    assert_eq!(paused.json["paused_count"], 10);
    let resumed = post(&inside, &top, "resume").await.expect(200);
    assert_eq!(resumed.json["resumed_count"], 10);
    for own in &all {
        let is = row(&inside, id(own)).await;
        let expected = match is.host() {
            Host::External => Status::AwaitingAgent,
            Host::Machine | Host::ByHand => Status::Provisioning,
        };
        assert_eq!(is.status(), expected);
        let told = events(&inside, own).await;
        let paused = told.iter().filter(|name| *name == "WORKSPACE_PAUSED");
        assert_eq!(paused.count(), 1, "{told:?}");
    }
}

#[tokio::test]
async fn a_resume_that_broke_off_goes_on_where_it_stopped() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let top = hosted(&inside, Host::External).await;
    let middle = below(&inside, Host::External, Some(&top)).await;
    let own = below(&inside, Host::External, Some(&middle)).await;
    post(&inside, &top, "pause").await.expect(200);
    for left in [&middle, &top] {
        // The first is written, the second is not.
        inside.wire.fail("TransactWriteItems", 1, Fault::meet(1));
        inside
            .wire
            .fail("TransactWriteItems", ALWAYS, Fault::Unreachable);
        post(&inside, &top, "resume").await.expect(503);
        inside.wire.mend();
        assert_eq!(row(&inside, id(left)).await.status(), Status::Paused);
    }
    let rest = post(&inside, &top, "resume").await.expect(200);
    assert_eq!(rest.json["resumed_count"], 1);
    for workspace in [&top, &middle, &own] {
        let status = row(&inside, id(workspace)).await.status();
        assert_eq!(status, Status::AwaitingAgent);
    }
}

#[tokio::test]
async fn a_cascade_that_broke_off_says_what_is_left_and_is_done_by_the_same_call() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let top = hosted(&inside, Host::External).await;
    let one = below(&inside, Host::Machine, Some(&top)).await;
    let two = below(&inside, Host::External, Some(&top)).await;
    let delete = || {
        let path = format!("/workspaces/{}?confirm=true", top.id);
        inside.call(Method::DELETE, &path).bearer(&inside.admin)
    };
    // Nothing is removed yet: as any other failure.
    inside
        .wire
        .fail("TransactWriteItems", ALWAYS, Fault::Unreachable);
    delete().await.expect(503);
    inside.wire.mend();
    assert_eq!(row(&inside, id(&top)).await.status(), Status::AwaitingAgent);

    inside.wire.fail("TransactWriteItems", 2, Fault::meet(1));
    inside
        .wire
        .fail("TransactWriteItems", ALWAYS, Fault::Unreachable);
    let broken = delete().await.expect(500);
    inside.wire.mend();
    let left = [&one, &two].into_iter();
    let mut of_those = Vec::new();
    for workspace in left {
        if row(&inside, id(workspace)).await.status() != Status::Removed {
            of_those.push(workspace.id.clone());
        }
    }
    assert_eq!(of_those.len(), 1);
    let error = format!(
        "workspace marked removed, but 1 stop call(s) failed — please retry: {}",
        of_those[0]
    );
    let said = json!({"error": error, "removed_count": 2, "stop_failures": 1});
    assert_eq!(broken.json, said);

    delete().await.expect(200);
    for workspace in [&top, &one, &two] {
        assert_eq!(row(&inside, id(workspace)).await.status(), Status::Removed);
        let told = events(&inside, workspace).await;
        let removed = told.iter().filter(|name| *name == "WORKSPACE_REMOVED");
        assert_eq!(removed.count(), 1);
    }
    let machine = row(&inside, id(&one)).await.machine.expect("a machine");
    assert_eq!(machine.wanted, Wanted::Gone);
}

#[tokio::test]
async fn a_purge_that_broke_off_is_done_whole_by_the_same_call() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    for (operation, passes) in [
        ("TransactWriteItems", 2),
        ("DeleteItem", 0),
        ("DeleteItem", 2),
        ("DeleteItem", 4),
        ("DeleteItem", 6),
        ("DeleteItem", 10),
    ] {
        let top = hosted(&inside, Host::External).await;
        let one = below(&inside, Host::External, Some(&top)).await;
        let two = below(&inside, Host::External, Some(&one)).await;
        let moved = below(&inside, Host::External, Some(&top)).await;
        let purge = || {
            let path = format!("/workspaces/{}?confirm=true&purge=true", top.id);
            inside.call(Method::DELETE, &path).bearer(&inside.admin)
        };
        inside.wire.fail(operation, passes, Fault::meet(1));
        inside.wire.fail(operation, ALWAYS, Fault::Unreachable);
        let broken = purge().await;
        assert!(broken.status >= 500, "{operation} {passes}: {broken:?}");
        inside.wire.mend();
        // Who got out meanwhile is not touched, though it was noted.
        let lives = row(&inside, id(&moved)).await.status() != Status::Removed;
        if lives {
            let path = format!("/workspaces/{}", moved.id);
            let away = inside.call(Method::PATCH, &path).bearer(&inside.admin);
            away.json(&json!({"parent_id": null})).await.expect(200);
        }
        purge().await.expect(200);
        for gone in [&top, &one, &two] {
            for key in [keys::meta, keys::load, keys::card, keys::beat] {
                let left = inside.scale.item_at(&key(id(gone))).await;
                assert_eq!(left, None, "{operation} {passes}");
            }
        }
        if lives {
            assert_eq!(
                row(&inside, id(&moved)).await.status(),
                Status::AwaitingAgent
            );
        }
    }
}

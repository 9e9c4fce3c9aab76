//! Who runs a workspace, when a restart and a change of its runtime meet.

use domain::{Mode, lifecycle::Host, workspace::Status};
use e2e::{
    Workspace,
    counted::{Fault, InProcess, gate},
};
use reqwest::Method;
use serde_json::json;

use super::{
    id,
    lifecycle::{hosted, row},
};

/// A restart gives a workspace a machine, and a change makes it external, at the same time: it ends
/// as one of both, and never as an external one with a machine that nobody stops.
#[tokio::test]
async fn a_machine_of_ours_and_a_host_of_the_user_s_exclude_each_other() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let patch = |own: &Workspace, runtime: &str| {
        let call = inside.call(Method::PATCH, &format!("/workspaces/{}", own.id));
        call.bearer(&inside.admin)
            .json(&json!({"runtime": runtime, "role": "changed"}))
    };
    let restart = |own: &Workspace| {
        let call = inside.post(&format!("/workspaces/{}/restart", own.id));
        call.bearer(&inside.admin)
    };
    // Whoever writes last finds what the other has written since it read.
    let own = hosted(&inside, Host::ByHand).await;
    patch(&own, "example").await.expect(200);
    assert_eq!(row(&inside, id(&own)).await.host(), Host::ByHand);
    let held = gate();
    let rule = Fault::Hold(held.clone());
    inside.wire.fail("TransactWriteItems", 1, rule);
    let (leaves, ()) = tokio::join!(async { patch(&own, "external").await }, async {
        held.wait().await;
        restart(&own).await.expect(200);
        held.wait().await;
    });
    assert_eq!(leaves.status, 409);
    assert!(leaves.text("error").contains("machine"), "{leaves:?}");
    let is = row(&inside, id(&own)).await;
    assert_eq!(
        (is.host(), is.meta.runtime.as_str()),
        (Host::Machine, "example")
    );

    for (becomes, host, status) in [
        ("external", Host::External, Status::AwaitingAgent),
        ("by-hand", Host::ByHand, Status::Provisioning),
    ] {
        let own = hosted(&inside, Host::ByHand).await;
        patch(&own, "example").await.expect(200);
        let held = gate();
        let rule = Fault::Hold(held.clone());
        inside.wire.fail("TransactWriteItems", 1, rule);
        let (restarted, ()) = tokio::join!(async { restart(&own).await }, async {
            held.wait().await;
            patch(&own, becomes).await.expect(200);
            held.wait().await;
        });
        assert_eq!(restarted.expect(200).json["status"], status.as_str());
        let is = row(&inside, id(&own)).await;
        assert_eq!(is.host(), host, "{becomes}");
        assert!(is.machine.is_none_or(|machine| !machine.ours), "{becomes}");
    }

    // And the other way: what the fleet has an image for by the time of the write gets a machine.
    let own = hosted(&inside, Host::ByHand).await;
    let held = gate();
    let rule = Fault::Hold(held.clone());
    inside.wire.fail("TransactWriteItems", 1, rule);
    let (restarted, ()) = tokio::join!(async { restart(&own).await }, async {
        held.wait().await;
        patch(&own, "example").await.expect(200);
        held.wait().await;
    });
    restarted.expect(200);
    assert_eq!(row(&inside, id(&own)).await.host(), Host::Machine);
}

#[tokio::test]
async fn what_becomes_external_may_have_more_changed() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for minutes in [json!(null), json!(5)] {
        let own = hosted(&inside, Host::ByHand).await;
        let mut body = json!({"runtime": "external", "role": "free"});
        if minutes.is_number() {
            body["hibernation_idle_minutes"] = minutes.clone();
        }
        let patch = |own: &Workspace| {
            let call = inside.call(Method::PATCH, &format!("/workspaces/{}", own.id));
            call.bearer(&inside.admin).json(&body)
        };
        patch(&own).await.expect(200);
        let is = row(&inside, id(&own)).await;
        assert_eq!(is.host(), Host::External);
        assert_eq!(is.meta.hibernation_idle_minutes, minutes.as_i64());
        assert_eq!(is.meta.role.as_deref(), Some("free"));
        let ours = hosted(&inside, Host::Machine).await;
        assert_eq!(patch(&ours).await.status, 409);
        let route = &e2e::openapi::document()["paths"]["/workspaces/{id}"]["patch"];
        assert!(route["responses"]["409"].is_object(), "{route}");
        assert_eq!(row(&inside, id(&ours)).await.meta.role, None);
        // Removed between the look and the write, it is not there.
        let held = gate();
        let rule = Fault::Hold(held.clone());
        inside.wire.fail("TransactWriteItems", 1, rule);
        let (late, ()) = tokio::join!(async { patch(&own).await }, async {
            held.wait().await;
            let delete = inside.call(Method::DELETE, &format!("/workspaces/{}", own.id));
            delete.bearer(&inside.admin).await.expect(200);
            held.wait().await;
        });
        assert_eq!(late.error(), (404, "workspace not found"));
    }
}

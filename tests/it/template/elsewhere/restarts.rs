//! What the tests of `workspaces.restarts` do not do: a move settled, an image that changed.

use domain::{Mode, WorkspaceId, job::Job};
use e2e::counted::{InProcess, PUBLIC};
use jiff::Timestamp;
use serde_json::json;
use store::lifecycle::Found;

use crate::store::restarts::work;

const IMAGE: &str = "127.0.0.1:1/agent:1";

pub(super) async fn walk() {
    let images = [("example", IMAGE.to_owned())];
    let inside = InProcess::with_images(Mode::DevClosed, &images).await;
    let top = inside.online("Top").await;
    let body = json!({"name": "Below", "runtime": "example", "parent_id": top.id});
    let made = inside.post("/workspaces").bearer(&inside.admin).json(&body);
    let own: WorkspaceId = made.await.expect(201).text("id").parse().expect("an id");
    let launched = Found::Launched {
        instance_id: "i-00000001".to_owned(),
        at: Timestamp::now(),
    };
    let found = inside.app.store.found(own, 1, &launched).await;
    assert!(found.expect("recorded"));
    let register = json!({"id": own, "url": PUBLIC, "agent_card": {"name": "test"}});
    let register = inside.post("/registry/register").json(&register);
    register.bearer(&inside.admin).await.expect(200);
    let all = Job::RestartAllV1 {
        key: "ALL".to_owned(),
        after: None,
    };
    let refresh = Job::RefreshAllV1 {
        runtime: "example".to_owned(),
        after: None,
    };
    let settle = Job::SettleV1 {
        workspace_id: top.id.parse().expect("an id"),
    };
    let one = Job::RestartV1 { workspace_id: own };
    for job in [all, refresh, settle, one] {
        work(&inside, &job).await;
    }
}

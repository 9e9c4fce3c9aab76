//! Files of a chat on the disk of the agent's machine, from outside, over the local fleet.

use std::fs;

use e2e::{World, until};
use serde_json::json;

use super::machine::Managed;

#[tokio::test]
async fn a_file_comes_to_the_disk_of_the_agent() {
    let world = World::new();
    let managed = Managed::create(&world, json!({"name": "Reader"})).await;
    managed.until("online").await;
    let upload = world.post(&format!("/workspaces/{}/chat/uploads", managed.id));
    let upload = upload.bearer(&world.admin);
    let sent = upload.form(&[("my notes.txt", "", b"read me")]).await;
    let sent = sent.expect(200);
    let uri = sent.json["files"][0]["uri"].as_str().expect("a URI");
    // On a real machine the disk's `workspace` is the agent's `/workspace`.
    let path = uri.strip_prefix("workspace:/").expect(uri);
    let place = managed.disks()[0].join(path);
    until(60, "the file is on the disk", || async {
        place.exists().then_some(())
    })
    .await;
    assert_eq!(fs::read(&place).expect("read"), b"read me");
}

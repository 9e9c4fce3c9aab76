//! From creation to deletion on a machine that boots, stops, starts and ends.

use e2e::{Backstage, World, until};
use serde_json::json;

use super::machine::Managed;

#[tokio::test]
async fn a_workspace_lives_on_a_machine() {
    let (world, behind) = (World::new(), Backstage::new().await);
    let family = Managed::create(&world, json!({"name": "Lena"})).await;
    let child = Managed::create(&world, json!({"name": "Mika", "parent_id": family.id})).await;
    let url = family.until("online").await["url"]
        .as_str()
        .expect("an address")
        .to_owned();
    let its_child = child.until("online").await["url"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert_eq!(family.say("echo here").await, "here");
    assert_eq!(family.say("ask Mika echo hi").await, "Mika says: hi");
    assert_eq!(family.boots(), 1);
    let disk = family.disks();

    // Paused: both processes are gone, the disks are not.
    let paused = family.post("pause").await;
    assert_eq!(paused, json!({"status": "paused", "paused_count": 2}));
    family.until_silent(&url).await;
    child.until_silent(&its_child).await;
    assert_eq!(family.disks(), disk);

    // Resumed: the same machine boots again, and its agent is a new one.
    let resumed = family.post("resume").await;
    assert_eq!(
        resumed,
        json!({"status": "provisioning", "resumed_count": 2})
    );
    let url = family.until("online").await["url"]
        .as_str()
        .expect("an address")
        .to_owned();
    let its_child = child.until("online").await["url"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert_eq!((family.boots(), family.disks()), (2, disk));
    assert_eq!(family.say("echo again").await, "again");
    // And what it was told of its restart.
    heard(&family, 2).await;

    // Asleep, a message wakes it and is answered.
    let asleep = until(20, "it has nothing to do", || async {
        let call = world.act(&family.id, "hibernate").bearer(&world.admin);
        // The agent has answered what it was told before the platform has written it down.
        Some(call.await).filter(|answer| answer.status != 409)
    });
    let asleep = asleep.await.expect(200);
    assert_eq!(asleep.json, json!({"status": "hibernating"}));
    family.until("hibernated").await;
    family.until_silent(&url).await;
    let kept = world
        .message(&family.id, "echo I was asleep")
        .await
        .expect(202);
    assert_eq!(
        (&kept.json["queued"], &kept.json["waking"]),
        (&json!(true), &json!(true)),
        "{kept:?}"
    );
    let url = family.until("online").await["url"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert_eq!(family.boots(), 3);
    let path = format!(
        "/workspaces/{}/a2a/requests/{}",
        family.id,
        kept.text("queue_id")
    );
    let done = until(30, "the message is answered", || async {
        let request = world.get(&path).bearer(&world.admin).await.expect(200).json;
        (request["state"] == "completed").then_some(request)
    })
    .await;
    assert!(done.to_string().contains("I was asleep"), "{done}");

    // Deleted with its child: no process, no machine, no record of one.
    world.delete(&family.id).await;
    for (workspace, url) in [(&family, url), (&child, its_child)] {
        workspace.until_silent(&url).await;
        until(30, "its machine is terminated", || async {
            workspace.disks().is_empty().then_some(())
        })
        .await;
        until(30, "its machine is forgotten", || async {
            (!behind.has_machine(&workspace.named()).await).then_some(())
        })
        .await;
    }
}

/// Until an agent has heard so many messages, each once.
async fn heard(agent: &Managed, messages: usize) {
    let expected = format!(r#"{{"total":{messages},"distinct":{messages}}}"#);
    until(30, &format!("it has heard {messages}"), || async {
        (agent.say("count").await == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restart_is_a_new_process_on_the_same_machine() {
    let world = World::new();
    let ada = Managed::create(&world, json!({"name": "Ada of the fleet"})).await;
    let before = ada.until("online").await["url"].clone();
    let disk = ada.disks();
    ada.say("echo one").await;
    ada.post("restart").await;
    until(60, "a new process is online", || async {
        let shown = ada.show().await;
        (shown["status"] == "online" && shown["url"] != before).then_some(())
    })
    .await;
    assert_eq!((ada.boots(), ada.disks()), (2, disk));
    // It has heard nothing of before, but that it was restarted.
    heard(&ada, 1).await;
    world.delete(&ada.id).await;
}

#[tokio::test]
async fn a_machine_that_will_not_boot_says_why() {
    let world = World::new();
    let body = json!({"name": "Never", "secrets": {"EXAMPLE_FAILS_TO_BOOT": "1"}});
    let never = Managed::create(&world, body).await;
    never.until("failed").await;
    let listed = never.listed().await;
    let error = listed["last_sample_error"].as_str().expect("why");
    assert!(
        error.starts_with("asked to fail by EXAMPLE_FAILS_TO_BOOT\n\n"),
        "{error}"
    );
    assert!(error.contains("let in with generation 1"), "{error}");
    world.delete(&never.id).await;
    until(30, "its machine is terminated", || async {
        never.disks().is_empty().then_some(())
    })
    .await;
}

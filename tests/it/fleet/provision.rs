//! A machine comes up, once, and again with the disk it had.

use domain::{lifecycle::Act, template::Template};
use e2e::counted::Fault;
use fleet::jobs::Progress;
use fleet::machines::State;
use serde_json::json;

use super::{Own, SETTLED, Yard};

#[tokio::test]
async fn a_job_makes_one_machine_however_often_it_comes() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    // An older and a newer wish than there is are nobody's.
    for generation in [0, 2] {
        let done = yard.provision(own, generation).await.expect("an answer");
        assert_eq!(done, Progress::Done);
        assert!(yard.ec2.alive().is_empty());
    }
    let (one, two) = tokio::join!(yard.provision(own, 1), yard.provision(own, 1));
    assert_eq!(
        (one.expect("done"), two.expect("done")),
        (Progress::Done, Progress::Done)
    );
    yard.provision(own, 1).await.expect("done");
    let machine = yard.machine_of(own).await;
    assert_eq!(yard.ec2.alive().len(), 1);
    let owner = machine.owner.expect("tags");
    assert_eq!((owner.workspace_id, owner.generation), (own.0, 1));
    assert_eq!(yard.record(own).await.expect("a record").done, 1);
    assert_eq!(yard.status(own).await, "provisioning");
}

#[tokio::test]
async fn a_restart_is_one_reboot_of_the_same_machine() {
    let yard = Yard::new().await;
    let (own, before) = yard.online().await;
    let generation = yard.act(own, Act::Restart).await;
    assert!(!yard.has_token(own).await, "the old process has no token");
    yard.provision(own, generation).await.expect("rebooted");
    yard.provision(own, generation).await.expect("done");
    let after = yard.machine_of(own).await;
    assert_eq!(after.id, before.id);
    assert_eq!(after.owner.expect("tags").generation, generation);
    assert_eq!(yard.ec2.alive().len(), 1);
    // The job of before the restart does nothing.
    yard.provision(own, 1).await.expect("done");
    assert_eq!(yard.record(own).await.expect("a record").done, generation);
}

#[tokio::test]
async fn what_sleeps_wakes_on_its_disk_and_what_is_still_stopping_is_waited_for() {
    let yard = Yard::new().await;
    let (own, before) = yard.online().await;
    let asleep = yard.act(own, Act::Pause).await;
    let later = yard.stop(own, asleep).await.expect("stops");
    assert!(matches!(later, Progress::Later(_)));
    let awake = yard.act(own, Act::Resume).await;
    let later = yard.provision(own, awake).await.expect("an answer");
    assert!(matches!(later, Progress::Later(_)), "it is still stopping");
    yard.ec2.advance(SETTLED);
    assert_eq!(
        yard.provision(own, awake).await.expect("on"),
        Progress::Done
    );
    let after = yard.machine_of(own).await;
    assert_eq!((after.id, after.state), (before.id, State::Pending));
    assert_eq!(after.owner.expect("tags").generation, awake);
}

#[tokio::test]
async fn a_machine_that_is_gone_is_replaced() {
    let yard = Yard::new().await;
    let (own, before) = yard.online().await;
    yard.ec2.put(&before.id, State::Terminated);
    let generation = yard.act(own, Act::Revive).await;
    yard.provision(own, generation).await.expect("made");
    let after = yard.machine_of(own).await;
    assert_ne!(after.id, before.id);
    assert_eq!(yard.ec2.alive().len(), 1);
}

#[tokio::test]
async fn nothing_is_started_without_what_the_agent_needs() {
    let yard = Yard::new().await;
    let template = Template {
        runtime: "example".to_owned(),
        required_env: vec!["NEEDED".to_owned(), "WORKSPACE_ID".to_owned()],
        ..Template::default()
    };
    let store = &yard.inside.app.store;
    let folder = format!("needs-{}", uuid::Uuid::new_v4());
    let kept = store.save_template(&folder, &template).await;
    kept.expect("kept");
    let body = json!({"name": "Own", "template": folder});
    let call = yard.inside.post("/workspaces").bearer(&yard.inside.admin);
    let made = call.json(&body).await.expect(201);
    let own = Own(made.text("id").parse().expect("an id"));
    yard.provision(own, 1).await.expect("failed");
    assert_eq!(yard.status(own).await, "failed");
    let sentence = "missing required env var \"NEEDED\" — add it under Config → Env Vars (or as a \
        Global secret) and retry";
    assert_eq!(yard.sample_error(own).await, sentence);
    assert!(yard.ec2.alive().is_empty());

    let own = yard.workspace().await;
    let path = format!("/workspaces/{}/secrets", own.0);
    let secret = json!({"key": "K", "value": "v"});
    let set = yard.inside.post(&path).bearer(&yard.inside.admin);
    set.json(&secret).await.expect(200);
    let no = Fault::error("InvalidCiphertextException", "insides");
    yard.inside.wire.fail("Decrypt", 1, no);
    yard.provision(own, 1).await.expect("failed");
    let why = yard.sample_error(own).await;
    assert_eq!(why, "failed to decrypt workspace secret");
    assert!(yard.ec2.alive().is_empty());
}

//! What EC2 tells of machines makes things faster, and nothing else.

use domain::lifecycle::Act;
use fleet::{instance_events::look, machines::State};

use super::{SETTLED, Yard};

#[tokio::test]
async fn a_machine_that_dies_is_started_anew_and_not_again_at_once() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    let tell = || look(&yard.works.crew, &machine.id, yard.ec2.now());
    // Late news of a machine that runs.
    tell().await.expect("looked");
    assert_eq!(yard.status(own).await, "online");

    yard.ec2.put(&machine.id, State::Stopped);
    tell().await.expect("looked");
    tell().await.expect("looked");
    assert_eq!(yard.status(own).await, "provisioning");
    let generation = yard.record(own).await.expect("a record").generation;
    assert_eq!(generation, 2);
    yard.provision(own, 2).await.expect("on");
    yard.ec2.advance(SETTLED);
    yard.register(own).await;

    // It just came up: nobody is there, but it is not started anew at once.
    yard.ec2.put(&machine.id, State::Stopped);
    tell().await.expect("looked");
    assert_eq!(yard.status(own).await, "offline");
    let log = yard.inside.get(&format!("/events/{}", own.0));
    let log = log.bearer(&yard.inside.admin).await.expect(200).json;
    let names = log.as_array().expect("a list").iter();
    let offline = names.filter(|event| event["event_type"] == "WORKSPACE_OFFLINE");
    assert_eq!(offline.count(), 2, "each death is told once: {log}");
}

#[tokio::test]
async fn what_was_to_stop_is_finished() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    let generation = yard.act(own, Act::Hibernate { force: false }).await;
    yard.stop(own, generation).await.expect("stops");
    yard.ec2.advance(SETTLED);
    look(&yard.works.crew, &machine.id, yard.ec2.now())
        .await
        .expect("looked");
    assert_eq!(yard.status(own).await, "hibernated");
}

#[tokio::test]
async fn machines_that_no_record_names_are_nobody_s() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    for stack in ["prod", "test"] {
        let other = yard.ec2.stranger(stack, machine.owner);
        yard.ec2.put(&other, State::Terminated);
        look(&yard.works.crew, &other, yard.ec2.now())
            .await
            .expect("looked");
        assert_eq!(yard.status(own).await, "online");
    }
}

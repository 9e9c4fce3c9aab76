//! What is to be stopped stops, what is to be gone goes.

use domain::lifecycle::Act;
use fleet::jobs::Progress;
use fleet::machines::{
    Owner, State,
    fake::{Fault, Op},
};
use reqwest::Method;

use super::{LAG, SETTLED, Yard};

#[tokio::test]
async fn hibernation_ends_when_the_machine_has_stopped() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    let generation = yard.act(own, Act::Hibernate { force: false }).await;
    for _ in 0..2 {
        let later = yard.stop(own, generation).await.expect("stops");
        assert!(matches!(later, Progress::Later(_)));
        assert_eq!(yard.status(own).await, "hibernating");
    }
    yard.ec2.advance(SETTLED);
    for _ in 0..2 {
        assert_eq!(
            yard.stop(own, generation).await.expect("off"),
            Progress::Done
        );
        assert_eq!(yard.status(own).await, "hibernated");
    }
    let after = yard.machine_of(own).await;
    assert_eq!((after.id, after.state), (machine.id, State::Stopped));
    // The wish of before is over.
    yard.stop(own, generation - 1).await.expect("done");
    yard.provision(own, 1).await.expect("done");
    assert_eq!(yard.machine_of(own).await.state, State::Stopped);
}

#[tokio::test]
async fn what_boots_is_stopped_once_it_has() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.provision(own, 1).await.expect("made");
    let generation = yard.act(own, Act::Pause).await;
    let later = yard.stop(own, generation).await.expect("boots");
    assert!(matches!(later, Progress::Later(_)));
    assert_eq!(yard.machine_of(own).await.state, State::Pending);
    for _ in 0..2 {
        yard.ec2.advance(SETTLED);
        yard.stop(own, generation).await.expect("an answer");
    }
    assert_eq!(
        yard.stop(own, generation).await.expect("off"),
        Progress::Done
    );
    assert_eq!(yard.machine_of(own).await.state, State::Stopped);
}

#[tokio::test]
async fn removal_ends_every_machine_on_record_or_with_its_tags() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    let owner = Owner {
        workspace_id: own.0,
        generation: 1,
    };
    let left = yard.ec2.stranger("prod", Some(owner));
    let foreign = yard.ec2.stranger("test", Some(owner));
    let path = format!("/workspaces/{}?confirm=true&purge=true", own.0);
    let purge = yard.inside.call(Method::DELETE, &path);
    purge.bearer(&yard.inside.admin).await.expect(200);
    let generation = yard
        .record(own)
        .await
        .expect("it outlives all else")
        .generation;

    // One that fails keeps no other from going, and nothing is forgotten.
    yard.ec2.fail(Op::Terminate, Fault::THROTTLED);
    yard.stop(own, generation).await.expect_err("one failed");
    assert!(yard.record(own).await.is_some());
    assert_eq!(
        yard.ec2.alive().len(),
        2,
        "one of ours, and another stack's"
    );
    assert_eq!(
        yard.stop(own, generation).await.expect("gone"),
        Progress::Done
    );
    assert_eq!(yard.record(own).await, None);
    let alive: Vec<_> = yard.ec2.alive().into_iter().map(|it| it.id).collect();
    assert_eq!(alive, [foreign]);
    assert!(!alive.contains(&left) && !alive.contains(&machine.id));
    assert_eq!(
        yard.stop(own, generation).await.expect("nothing"),
        Progress::Done
    );
}

#[tokio::test]
async fn a_machine_that_cannot_be_seen_yet_is_not_forgotten() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.ec2.lag(SETTLED);
    yard.provision(own, 1).await.expect("made");
    yard.delete(own).await;
    let later = yard.stop(own, 2).await.expect("an answer");
    assert!(matches!(later, Progress::Later(_)));
    assert!(yard.record(own).await.is_some());
    yard.ec2.advance(SETTLED);
    assert_eq!(yard.stop(own, 2).await.expect("gone"), Progress::Done);
    assert!(yard.ec2.alive().is_empty());
}

#[tokio::test]
async fn one_that_died_long_ago_is_gone() {
    let yard = Yard::new().await;
    let (own, machine) = yard.online().await;
    yard.ec2.put(&machine.id, State::Terminated);
    yard.ec2.advance(LAG * 20);
    let generation = yard.act(own, Act::Pause).await;
    assert_eq!(
        yard.stop(own, generation).await.expect("gone"),
        Progress::Done
    );
    assert_eq!(yard.record(own).await.expect("a record").instance_id, None);
    // And what resumes then gets a new one.
    let generation = yard.act(own, Act::Resume).await;
    yard.provision(own, generation).await.expect("made");
    assert_ne!(yard.machine_of(own).await.id, machine.id);
}

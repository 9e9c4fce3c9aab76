//! Wishes that overtake one another: whoever comes late takes down what he started.

use domain::lifecycle::Act;
use e2e::counted::{Fault, gate};
use fleet::jobs::Progress;
use fleet::machines::State;

use super::{SETTLED, Yard};

/// What `change` does between a launch and its record.
async fn while_launching(yard: &Yard, own: super::Own, change: impl Future<Output = ()>) {
    let held = gate();
    yard.inside
        .wire
        .fail("UpdateItem", 1, Fault::Hold(held.clone()));
    let launching = yard.provision(own, 1);
    let meanwhile = async {
        held.wait().await;
        assert_eq!(yard.ec2.alive().len(), 1, "launched, not recorded");
        change.await;
        held.wait().await;
    };
    let (done, ()) = tokio::join!(launching, meanwhile);
    assert_eq!(done.expect("an answer"), Progress::Done);
}

#[tokio::test]
async fn a_machine_of_a_workspace_that_was_removed_meanwhile_goes() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    let removal = async {
        yard.delete(own).await;
    };
    while_launching(&yard, own, removal).await;
    assert!(yard.ec2.alive().is_empty());
    assert_eq!(yard.status(own).await, "removed");
    assert_eq!(
        yard.record(own).await.expect("to be ended").instance_id,
        None
    );
    yard.stop(own, 2).await.expect("nothing is left");
    assert_eq!(yard.record(own).await, None);
    assert_eq!(yard.status(own).await, "removed");
    // A job that comes after all that finds nothing to do.
    yard.provision(own, 1).await.expect("done");
    assert!(yard.ec2.alive().is_empty());
}

#[tokio::test]
async fn removed_and_forgotten_before_the_launch_is_recorded() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    let removal = async {
        yard.delete(own).await;
        yard.ec2.lag(SETTLED);
        yard.stop(own, 2).await.expect("sees nothing");
        yard.ec2.lag(std::time::Duration::ZERO);
        assert_eq!(yard.record(own).await, None);
    };
    while_launching(&yard, own, removal).await;
    assert!(yard.ec2.alive().is_empty());
    assert_eq!(yard.record(own).await, None);
}

#[tokio::test]
async fn a_machine_of_a_paused_workspace_goes() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    let pause = async {
        yard.act(own, Act::Pause).await;
    };
    while_launching(&yard, own, pause).await;
    assert!(yard.ec2.alive().is_empty());
    assert_eq!(yard.stop(own, 2).await.expect("done"), Progress::Done);
}

#[tokio::test]
async fn what_failed_for_want_of_a_machine_does_not_come_back_from_removal() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    yard.ec2.limit(0);
    let held = gate();
    yard.inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Hold(held.clone()));
    let failing = yard.provision(own, 1);
    let meanwhile = async {
        held.wait().await;
        yard.delete(own).await;
        held.wait().await;
    };
    let (done, ()) = tokio::join!(failing, meanwhile);
    assert_eq!(done.expect("an answer"), Progress::Done);
    assert_eq!(yard.status(own).await, "removed");
}

#[tokio::test]
async fn a_start_that_a_pause_overtook_is_stopped_again() {
    let yard = Yard::new().await;
    let (own, _) = yard.online().await;
    let paused = yard.act(own, Act::Pause).await;
    yard.stop(own, paused).await.expect("stops");
    yard.ec2.advance(SETTLED);
    yard.stop(own, paused).await.expect("off");
    let resumed = yard.act(own, Act::Resume).await;

    let held = gate();
    yard.inside
        .wire
        .fail("UpdateItem", 1, Fault::Hold(held.clone()));
    let starting = yard.provision(own, resumed);
    let meanwhile = async {
        held.wait().await;
        yard.ec2.advance(SETTLED);
        yard.act(own, Act::Pause).await;
        held.wait().await;
    };
    let (done, ()) = tokio::join!(starting, meanwhile);
    assert_eq!(done.expect("an answer"), Progress::Done);
    assert_eq!(yard.machine_of(own).await.state, State::Stopping);
    yard.ec2.advance(SETTLED);
    assert_eq!(
        yard.stop(own, resumed + 1).await.expect("off"),
        Progress::Done
    );
    assert_eq!(yard.status(own).await, "paused");
}

#[tokio::test]
async fn a_leftover_of_an_overtaken_launch_goes_before_the_next() {
    let yard = Yard::new().await;
    let own = yard.workspace().await;
    // Launched, and the function died before it could say so.
    let owner = fleet::machines::Owner {
        workspace_id: own.0,
        generation: 1,
    };
    let left = yard.ec2.stranger("prod", Some(owner));
    let foreign = yard.ec2.stranger("test", Some(owner));
    let generation = yard.act(own, Act::Restart).await;
    yard.provision(own, generation).await.expect("made");
    let alive: Vec<_> = yard.ec2.alive().into_iter().map(|it| it.id).collect();
    assert!(!alive.contains(&left), "{alive:?}");
    assert!(alive.contains(&foreign), "another stack's is none of ours");
    assert!(alive.contains(&yard.machine_of(own).await.id));
}

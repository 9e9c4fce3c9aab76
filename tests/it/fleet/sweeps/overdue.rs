//! What is not done in time: boots fail, jobs are written again, stops are asked for again.

use domain::{
    lifecycle::{Act, Wanted},
    workspace::Status,
};
use fleet::sweeps::{
    Watch,
    overdue::{self, Overdue},
};
use jiff::SignedDuration;
use reqwest::Method;
use store::{
    lifecycle::{Ask, Found},
    workspaces::Parts,
};

use super::{World, counts};

#[tokio::test]
pub(crate) async fn a_lost_job_is_written_again_and_a_boot_past_its_deadline_fails() {
    let world = World::new().await;
    let own = world.create("example").await;
    assert_eq!(
        counts(&world.overdue_at(world.after(110)).await),
        (0, 0, 0, 0)
    );
    for (minutes, jobs) in [(2, 2), (4, 3), (6, 4)] {
        let report = world.overdue_at(world.after(60 * minutes + 5)).await;
        assert_eq!(counts(&report), (1, 1, 0, 0), "{minutes}");
        assert_eq!(world.jobs("ProvisionV1", own).await, jobs, "{minutes}");
    }
    // Once it is launched, it only has to register.
    let at = world.after(400);
    let instance_id = "i-0123abcd".to_owned();
    let found = Found::Launched { instance_id, at };
    let store = &world.inside.app.store;
    assert!(store.found(own, 1, &found).await.expect("recorded"));
    world.overdue_at(world.after(500)).await;
    assert_eq!(world.jobs("ProvisionV1", own).await, 4);
    let due_in = world.due_in(own).await.expect("due");
    assert!((580..=600).contains(&due_in), "{due_in}");

    let report = world.overdue_at(world.after(605)).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(world.status(own).await, Status::Failed);
    assert_eq!(world.events(own).await[0], "WORKSPACE_PROVISION_FAILED");
    assert_eq!(world.jobs("StopV1", own).await, 1);
    let machine = world.machine(own).await.expect("a machine");
    assert_eq!((machine.wanted, machine.generation), (Wanted::Stopped, 2));
    let found = store.workspace(own, Parts::Core).await.expect("read");
    let error = found.expect("there").meta.last_sample_error;
    assert!(error.starts_with("provisioning timed out"), "{error}");
    assert!(!error.contains("No machine of this deployment"), "{error}");
}

#[tokio::test]
async fn nobody_boots_a_runtime_without_an_image_and_the_failure_says_so() {
    let world = World::new().await;
    let own = world.create("unheard-of").await;
    assert_eq!(
        counts(&world.overdue_at(world.after(590)).await),
        (0, 0, 0, 0)
    );
    let report = world.overdue_at(world.after(605)).await;
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(world.status(own).await, Status::Failed);
    let found = world.inside.app.store.workspace(own, Parts::Core).await;
    let error = found.expect("read").expect("there").meta.last_sample_error;
    let hint = "No machine of this deployment runs \"unheard-of\"";
    assert!(error.contains(hint), "{error}");
    assert_eq!(world.due_in(own).await, None, "nobody need look any more");
    assert_eq!(
        counts(&world.overdue_at(world.after(700)).await),
        (0, 0, 0, 0)
    );
}

#[tokio::test]
async fn who_came_up_is_settled() {
    let world = World::new().await;
    let own = world.running("i-0123abcd").await;
    assert_eq!(
        counts(&world.overdue_at(world.after(125)).await),
        (1, 1, 0, 0)
    );
    assert_eq!(world.status(own).await, Status::Online);
    assert_eq!(world.due_in(own).await, None);
}

#[tokio::test]
async fn stops_that_are_not_done_are_asked_for_again() {
    let world = World::new().await;
    let (sleepy, removed) = (
        world.running("i-0123abcd").await,
        world.running("i-0123abce").await,
    );
    let store = &world.inside.app.store;
    let act = Act::Hibernate { force: true };
    let ask = Ask::new(&act, SignedDuration::ZERO, world.after(0));
    store.act(sleepy, &ask).await.expect("on its way to sleep");
    let path = format!("/workspaces/{removed}?confirm=true&purge=true");
    let delete = world.inside.call(Method::DELETE, &path);
    delete.bearer(&world.inside.admin).await.expect(200);

    world.overdue_at(world.after(290)).await;
    for minutes in [5, 10] {
        let report = world
            .overdue_at(world.after(60 * minutes + 5 * minutes))
            .await;
        assert_eq!(counts(&report), (2, 2, 0, 0), "{minutes}");
    }
    for own in [sleepy, removed] {
        assert_eq!(world.jobs("StopV1", own).await, 3);
    }
    // Its machine has stopped, and the job died before it said so of the workspace.
    let generation = world.machine(sleepy).await.expect("a machine").generation;
    assert!(
        store
            .found(sleepy, generation, &Found::Started)
            .await
            .expect("recorded")
    );
    world.overdue_at(world.after(1_200)).await;
    assert_eq!(world.status(sleepy).await, Status::Hibernated);
    assert_eq!(world.events(sleepy).await[0], "WORKSPACE_HIBERNATED");
}

#[tokio::test]
async fn of_two_sweeps_at_once_one_acts() {
    let world = World::new().await;
    let own = world.create("example").await;
    let overdue = Overdue::over(world.inside.app, "tests");
    let now = world.after(125);
    let (one, other) = tokio::join!(
        overdue::sweep(overdue, Watch::at(now)),
        overdue::sweep(overdue, Watch::at(now)),
    );
    let changed = one.expect("a sweep").changed + other.expect("a sweep").changed;
    assert_eq!(changed, 1);
    assert_eq!(world.jobs("ProvisionV1", own).await, 2);
}

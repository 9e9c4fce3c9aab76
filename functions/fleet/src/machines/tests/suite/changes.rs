//! Stopping, resuming, rebooting and ending.

use super::{SETTLED, launch, on_all_machines, running};
use crate::machines::{
    Change, Class, MachineId, Machines, Next, Owner, State,
    fake::{FakeEc2, Fault, Op},
    machine::VolumeId,
    tests::{machine, workspace},
};

on_all_machines! {
    stopping_twice_is_stopping_once
    what_is_stopped_resumes_with_its_id
    what_is_tagged_anew_is_of_another_generation
    ending_twice_is_ending_once
    only_the_living_reboot
    what_was_never_started_is_absent
    what_is_not_seen_yet_looks_absent_and_lives
    the_dead_are_absent_but_to_those_who_end_them
    lost_answers_of_changes_are_settled_by_repeats
    refusals_are_told_apart
    disks_left_behind_are_listed_and_deleted
}

async fn what_is_tagged_anew_is_of_another_generation(machines: &impl Machines, fake: &FakeEc2) {
    let made = running(machines, fake, 1).await;
    let tagged = machines.retag(&made.id, 7).await.expect("tagged");
    assert_eq!(tagged, Change::Underway);
    let seen = machines
        .describe(std::slice::from_ref(&made.id))
        .await
        .expect("whole");
    let owner = seen.machine(&made.id).expect("seen").owner.expect("ours");
    assert_eq!(
        (owner.workspace_id, owner.generation),
        (workspace(1), 7),
        "the workspace stays"
    );
    let absent = machines.retag(&never(), 7).await.expect("an answer");
    assert_eq!(absent, Change::Absent);
    fake.fail(Op::Retag, Fault::THROTTLED);
    let busy = machines.retag(&made.id, 8).await.expect_err("throttled");
    assert_eq!(busy.next(), Next::Later);
    let stranger = fake.stranger("test", made.owner);
    let seen = machines
        .describe(std::slice::from_ref(&stranger))
        .await
        .expect("whole");
    assert_eq!(seen.machine(&stranger).expect("seen").owner, None);
}

fn never() -> MachineId {
    machine(999, State::Running).id
}

async fn stopping_twice_is_stopping_once(machines: &impl Machines, fake: &FakeEc2) {
    let id = machines.start(&launch(1)).await.expect("started").id;
    let booting = machines.stop(&id).await.expect_err("boots");
    assert_eq!(
        (booting.class(), booting.next()),
        (Class::WrongState, Next::Later)
    );
    fake.advance(SETTLED);
    assert_eq!(machines.stop(&id).await.expect("runs"), Change::Underway);
    assert_eq!(machines.stop(&id).await.expect("stops"), Change::Already);
    fake.advance(SETTLED);
    assert_eq!(machines.stop(&id).await.expect("is off"), Change::Already);
    assert_eq!(fake.alive()[0].state, State::Stopped);
}

async fn what_is_stopped_resumes_with_its_id(machines: &impl Machines, fake: &FakeEc2) {
    let made = running(machines, fake, 1).await;
    assert_eq!(
        machines.resume(&made.id).await.expect("runs"),
        Change::Already
    );
    machines.stop(&made.id).await.expect("stops");
    let stopping = machines.resume(&made.id).await.expect_err("stops");
    assert_eq!(
        (stopping.class(), stopping.next()),
        (Class::WrongState, Next::Later)
    );
    fake.advance(SETTLED);
    assert_eq!(
        machines.resume(&made.id).await.expect("off"),
        Change::Underway
    );
    assert_eq!(
        machines.resume(&made.id).await.expect("boots"),
        Change::Already
    );
    let now = &fake.alive()[0];
    assert_eq!((&now.id, now.state), (&made.id, State::Pending));
    // It is young again.
    assert_eq!(now.launched_at, Some(fake.now()));
}

async fn ending_twice_is_ending_once(machines: &impl Machines, fake: &FakeEc2) {
    let id = running(machines, fake, 1).await.id;
    assert_eq!(
        machines.terminate(&id).await.expect("runs"),
        Change::Underway
    );
    assert_eq!(
        machines.terminate(&id).await.expect("ends"),
        Change::Already
    );
    fake.advance(SETTLED);
    assert_eq!(
        machines.terminate(&id).await.expect("dead"),
        Change::Already
    );
    fake.advance(std::time::Duration::from_secs(60 * 60));
    assert_eq!(
        machines.terminate(&id).await.expect("forgotten"),
        Change::Absent
    );
    assert!(fake.alive().is_empty());
}

async fn only_the_living_reboot(machines: &impl Machines, fake: &FakeEc2) {
    let id = running(machines, fake, 1).await.id;
    assert_eq!(machines.reboot(&id).await.expect("runs"), Change::Underway);
    fake.put(&id, State::Stopped);
    let off = machines.reboot(&id).await.expect_err("off");
    assert_eq!(off.class(), Class::WrongState);
    fake.put(&id, State::Terminated);
    assert_eq!(machines.reboot(&id).await.expect("dead"), Change::Absent);
}

async fn what_was_never_started_is_absent(machines: &impl Machines, _: &FakeEc2) {
    let id = never();
    assert_eq!(machines.stop(&id).await.expect("known"), Change::Absent);
    assert_eq!(machines.resume(&id).await.expect("known"), Change::Absent);
    assert_eq!(machines.reboot(&id).await.expect("known"), Change::Absent);
    assert_eq!(
        machines.terminate(&id).await.expect("known"),
        Change::Absent
    );
}

async fn what_is_not_seen_yet_looks_absent_and_lives(machines: &impl Machines, fake: &FakeEc2) {
    fake.lag(SETTLED);
    let id = machines.start(&launch(1)).await.expect("started").id;
    assert_eq!(
        machines.terminate(&id).await.expect("unseen"),
        Change::Absent
    );
    assert_eq!(fake.alive().len(), 1);
    fake.advance(SETTLED);
    assert_eq!(
        machines.terminate(&id).await.expect("seen"),
        Change::Underway
    );
    assert!(fake.alive().is_empty());
}

async fn the_dead_are_absent_but_to_those_who_end_them(machines: &impl Machines, fake: &FakeEc2) {
    let id = running(machines, fake, 1).await.id;
    for state in [State::ShuttingDown, State::Terminated] {
        fake.put(&id, state);
        assert_eq!(machines.stop(&id).await.expect("known"), Change::Absent);
        assert_eq!(machines.resume(&id).await.expect("known"), Change::Absent);
        assert_eq!(
            machines.terminate(&id).await.expect("known"),
            Change::Already
        );
    }
}

async fn lost_answers_of_changes_are_settled_by_repeats(machines: &impl Machines, fake: &FakeEc2) {
    let id = running(machines, fake, 1).await.id;
    fake.fail(Op::Stop, Fault::AnswerLost);
    assert_eq!(
        machines.stop(&id).await.expect_err("lost").class(),
        Class::Unknown
    );
    assert_eq!(machines.stop(&id).await.expect("stops"), Change::Already);
    fake.fail(Op::Terminate, Fault::NeverArrives);
    assert_eq!(
        machines.terminate(&id).await.expect_err("lost").class(),
        Class::Unknown
    );
    assert_eq!(
        machines.terminate(&id).await.expect("ends"),
        Change::Underway
    );
}

async fn refusals_are_told_apart(machines: &impl Machines, fake: &FakeEc2) {
    let id = running(machines, fake, 1).await.id;
    for (code, class) in [
        ("OperationNotPermitted", Class::Protected),
        ("RequestLimitExceeded", Class::Throttled),
        ("UnauthorizedOperation", Class::Config),
        ("InvalidInstanceID.Malformed", Class::Defect),
    ] {
        fake.fail(Op::Terminate, Fault::Code(code));
        let refused = machines.terminate(&id).await.expect_err(code);
        assert_eq!(refused.class(), class, "{code}");
    }
    assert_eq!(fake.alive().len(), 1);
}

async fn disks_left_behind_are_listed_and_deleted(machines: &impl Machines, fake: &FakeEc2) {
    assert!(machines.leftovers().await.expect("whole").is_empty());
    let owner = Owner {
        workspace_id: workspace(1),
        generation: 3,
    };
    let id = fake.leave(owner);
    let left = machines.leftovers().await.expect("whole");
    assert_eq!((&left[0].id, left[0].owner), (&id, Some(owner)));
    assert_eq!(left[0].created_at, Some(fake.now()));
    fake.fail(Op::DeleteVolume, Fault::Code("VolumeInUse"));
    let taken = machines.delete_volume(&id).await.expect_err("taken");
    assert_eq!(taken.class(), Class::WrongState);
    assert_eq!(
        machines.delete_volume(&id).await.expect("there"),
        Change::Underway
    );
    assert_eq!(
        machines.delete_volume(&id).await.expect("gone"),
        Change::Absent
    );
    let never: VolumeId = "vol-0123456789abcdef0".parse().expect("an id");
    assert_eq!(
        machines.delete_volume(&never).await.expect("known"),
        Change::Absent
    );
    fake.leave(owner);
    fake.fail(Op::Leftovers, Fault::CutShort);
    machines.leftovers().await.expect_err("cut short");
}

//! Making machines.

use super::{SETTLED, launch, on_all_machines};
use crate::machines::{
    Class, Machines, Next, Owner, State, Tier,
    adopt::secure,
    fake::{FakeEc2, Fault, Op},
    tests::workspace,
};

on_all_machines! {
    a_token_makes_one_machine
    a_lost_answer_is_found_by_its_token
    what_never_arrived_is_made_by_the_repeat
    a_repeat_that_differs_adopts_what_was_made
    a_dead_machine_s_token_is_spent
    an_unseen_machine_is_not_adopted_and_not_made_twice
    no_room_leads_through_all_places
    busy_and_full_accounts_say_what_to_do
}

async fn a_token_makes_one_machine(machines: &impl Machines, fake: &FakeEc2) {
    let made = machines.start(&launch(1)).await.expect("started");
    let again = machines.start(&launch(1)).await.expect("the same");
    assert_eq!(made, again);
    assert_eq!(fake.alive().len(), 1);
    let generation = 1;
    let workspace_id = workspace(1);
    assert_eq!(
        made.owner,
        Some(Owner {
            workspace_id,
            generation
        })
    );
    assert_eq!(made.state, State::Pending);
    assert_eq!(made.launched_at, Some(fake.now()));
    assert_eq!(made.instance_type, "t3.small");
    assert_eq!(made.client_token, launch(1).token());
    assert_eq!(made.private_ip.as_deref(), Some("10.0.0.1"));

    let other = machines.start(&launch(2)).await.expect("started");
    assert_ne!(made.id, other.id);
}

async fn a_lost_answer_is_found_by_its_token(machines: &impl Machines, fake: &FakeEc2) {
    fake.fail(Op::Start, Fault::AnswerLost);
    let lost = machines.start(&launch(1)).await.expect_err("lost");
    assert_eq!((lost.class(), lost.next()), (Class::Unknown, Next::LookUp));
    let found = machines.started(&launch(1)).await.expect("a look");
    let found = found.expect("a machine");
    assert_eq!(
        machines.start(&launch(1)).await.expect("the same").id,
        found.id
    );

    fake.fail(Op::Start, Fault::AnswerLost);
    let secured = secure(machines, &launch(2)).await.expect("adopted");
    assert_eq!(secured.owner.expect("tags").workspace_id, workspace(2));
    assert_eq!(fake.alive().len(), 2);
}

async fn what_never_arrived_is_made_by_the_repeat(machines: &impl Machines, fake: &FakeEc2) {
    fake.fail(Op::Start, Fault::NeverArrives);
    let lost = secure(machines, &launch(1)).await.expect_err("lost");
    assert_eq!(lost.next(), Next::LookUp);
    assert_eq!(machines.started(&launch(1)).await.expect("a look"), None);
    assert!(fake.alive().is_empty());
    secure(machines, &launch(1)).await.expect("made");
    assert_eq!(fake.alive().len(), 1);
}

async fn a_repeat_that_differs_adopts_what_was_made(machines: &impl Machines, fake: &FakeEc2) {
    let made = machines.start(&launch(1)).await.expect("started");
    fake.redeploy();
    let refused = machines.start(&launch(1)).await.expect_err("differs");
    assert_eq!(
        (refused.class(), refused.next()),
        (Class::Mismatch, Next::Afresh)
    );
    assert_eq!(
        secure(machines, &launch(1)).await.expect("adopted").id,
        made.id
    );

    // When the look fails, nothing is known: another attempt could be a second machine.
    fake.fail(Op::Started, Fault::THROTTLED);
    let unknown = secure(machines, &launch(1)).await.expect_err("no look");
    assert_eq!(unknown.next(), Next::LookUp);

    machines.terminate(&made.id).await.expect("ended");
    let spent = secure(machines, &launch(1)).await.expect_err("dead");
    assert_eq!(spent.class(), Class::Spent);
    fake.advance(std::time::Duration::from_secs(2 * 60 * 60));
    let gone = secure(machines, &launch(1)).await.expect_err("not shown");
    assert_eq!(gone.next(), Next::Afresh);
}

async fn a_dead_machine_s_token_is_spent(machines: &impl Machines, fake: &FakeEc2) {
    let made = machines.start(&launch(1)).await.expect("started");
    machines.terminate(&made.id).await.expect("ended");
    fake.advance(SETTLED);
    let spent = machines.start(&launch(1)).await.expect_err("spent");
    assert_eq!((spent.class(), spent.next()), (Class::Spent, Next::Afresh));
    let mut next = launch(1);
    next.attempt += 1;
    assert_ne!(machines.start(&next).await.expect("made").id, made.id);
}

async fn an_unseen_machine_is_not_adopted_and_not_made_twice(
    machines: &impl Machines,
    fake: &FakeEc2,
) {
    fake.lag(SETTLED);
    fake.fail(Op::Start, Fault::AnswerLost);
    let lost = secure(machines, &launch(1)).await.expect_err("not seen");
    assert_eq!(lost.next(), Next::LookUp);
    secure(machines, &launch(1)).await.expect("the same token");
    assert_eq!(fake.alive().len(), 1);
}

async fn no_room_leads_through_all_places(machines: &impl Machines, fake: &FakeEc2) {
    for subnet in ["subnet-a", "subnet-b"] {
        fake.fill(subnet, "t3.small");
    }
    let mut launch = launch(1);
    for attempt in 0..2 {
        launch.attempt = attempt;
        let full = machines.start(&launch).await.expect_err("full");
        assert_eq!(
            (full.class(), full.next()),
            (Class::Capacity, Next::Elsewhere)
        );
    }
    launch.attempt = 2;
    assert_eq!(
        machines.start(&launch).await.expect("room").instance_type,
        "t3a.small"
    );
    assert_eq!(machines.places(Tier::Two), 4);
    assert_eq!(fake.alive().len(), 1);
}

async fn busy_and_full_accounts_say_what_to_do(machines: &impl Machines, fake: &FakeEc2) {
    fake.fail(Op::Start, Fault::THROTTLED);
    let busy = machines.start(&launch(1)).await.expect_err("busy");
    assert_eq!((busy.class(), busy.next()), (Class::Throttled, Next::Later));
    fake.fail(Op::Start, Fault::Code("InvalidAMIID.NotFound"));
    let wrong = machines.start(&launch(1)).await.expect_err("wrong");
    assert_eq!((wrong.class(), wrong.next()), (Class::Config, Next::Fail));
    fake.fail(Op::Start, Fault::Code("InternalError"));
    let unknown = machines.start(&launch(1)).await.expect_err("unknown");
    assert_eq!(unknown.next(), Next::LookUp);
    fake.limit(1);
    machines.start(&launch(1)).await.expect("the first");
    let full = machines.start(&launch(2)).await.expect_err("full");
    assert_eq!((full.class(), full.next()), (Class::Quota, Next::Fail));
}

//! Describing, listing, consoles.

use std::time::Duration;

use super::{SETTLED, launch, on_all_machines, running};
use crate::machines::{
    Listing, Machine, MachineId, Machines, Presence, Recorded, State, Whose,
    fake::{FakeEc2, Fault, Op},
    tests::{machine, workspace},
};

on_all_machines! {
    descriptions_show_what_is_there
    what_is_not_seen_yet_is_not_gone
    listings_have_all_pages_and_only_ours
    a_listing_that_broke_off_is_none
    consoles_are_empty_early_and_for_the_absent
}

fn ids(listing: &Listing) -> Vec<&str> {
    let mut ids: Vec<_> = listing.machines().iter().map(|it| it.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

fn recorded<'a>(machine: &'a Machine, id: &'a MachineId) -> Recorded<'a> {
    Recorded {
        id,
        workspace_id: machine.owner.expect("tags").workspace_id,
        launched_at: machine.launched_at.expect("a time"),
    }
}

async fn descriptions_show_what_is_there(machines: &impl Machines, fake: &FakeEc2) {
    let up = running(machines, fake, 1).await;
    let dead = running(machines, fake, 2).await;
    let other = running(machines, fake, 3).await;
    fake.put(&dead.id, State::Terminated);
    let never = machine(999, State::Running).id;
    let asked = [up.id.clone(), dead.id.clone(), never.clone()];
    let listing = machines.describe(&asked).await.expect("whole");
    assert_eq!(ids(&listing), [up.id.as_str(), dead.id.as_str()]);
    let seen = listing.machine(&up.id).expect("seen");
    assert_eq!((seen.state, seen.owner), (State::Running, up.owner));
    assert_eq!(seen.client_token, launch(1).token());

    fake.advance(Duration::from_secs(300));
    for (id, expected) in [
        (&up.id, Presence::Up),
        (&dead.id, Presence::Gone),
        (&never, Presence::Gone),
        // Nobody asked.
        (&other.id, Presence::Unsure),
    ] {
        let of = recorded(&up, id);
        assert_eq!(listing.presence(of, fake.now()), expected, "{id}");
    }
    let nothing = machines.describe(&[]).await.expect("nothing to ask");
    assert!(nothing.machines().is_empty());
}

async fn what_is_not_seen_yet_is_not_gone(machines: &impl Machines, fake: &FakeEc2) {
    fake.lag(Duration::from_secs(60));
    let made = machines.start(&launch(1)).await.expect("started");
    for listing in [
        machines.describe(std::slice::from_ref(&made.id)).await,
        machines.list(Whose::Stack).await,
        machines.list(Whose::Workspace(workspace(1))).await,
    ] {
        assert!(listing.as_ref().expect("whole").machines().is_empty());
        let of = recorded(&made, &made.id);
        assert_eq!(Presence::of(&listing, of, fake.now()), Presence::Unsure);
    }
    fake.advance(Duration::from_secs(60));
    let listing = machines.list(Whose::Stack).await.expect("whole");
    assert_eq!(ids(&listing), [made.id.as_str()]);
}

async fn listings_have_all_pages_and_only_ours(machines: &impl Machines, fake: &FakeEc2) {
    let mut made = Vec::new();
    for number in 1..=5 {
        made.push(running(machines, fake, number).await.id);
    }
    let mut second = launch(1);
    second.generation = 2;
    made.push(machines.start(&second).await.expect("started").id);
    machines.terminate(&made.remove(4)).await.expect("ended");
    machines.stop(&made[1]).await.expect("stops");
    fake.stranger("test", Some(launch(1).owner()));
    let untagged = fake.stranger("prod", None);

    let listing = machines.list(Whose::Stack).await.expect("whole");
    let mut expected: Vec<_> = made.iter().map(MachineId::as_str).collect();
    expected.push(untagged.as_str());
    assert_eq!(ids(&listing), expected);
    assert_eq!(listing.machine(&untagged).expect("seen").owner, None);

    let listing = machines.list(Whose::Workspace(workspace(1))).await;
    let listing = listing.expect("whole");
    assert_eq!(ids(&listing), [made[0].as_str(), made[4].as_str()]);
    let generation = |id| {
        listing
            .machine(id)
            .and_then(|it| it.owner)
            .expect("tags")
            .generation
    };
    assert_eq!((generation(&made[0]), generation(&made[4])), (1, 2));
}

async fn a_listing_that_broke_off_is_none(machines: &impl Machines, fake: &FakeEc2) {
    let mut last = None;
    for number in 1..=5 {
        last = Some(running(machines, fake, number).await);
    }
    let last = last.expect("five");
    fake.advance(Duration::from_secs(3_600));
    for fault in [Fault::CutShort, Fault::NeverArrives, Fault::THROTTLED] {
        fake.fail(Op::List, fault);
        fake.fail(Op::Describe, fault);
        for listing in [
            machines.list(Whose::Stack).await,
            machines.describe(std::slice::from_ref(&last.id)).await,
        ] {
            let of = recorded(&last, &last.id);
            assert_eq!(Presence::of(&listing, of, fake.now()), Presence::Unsure);
            listing.expect_err("no listing");
        }
    }
    assert_eq!(
        machines
            .list(Whose::Stack)
            .await
            .expect("whole")
            .machines()
            .len(),
        5
    );
}

async fn consoles_are_empty_early_and_for_the_absent(machines: &impl Machines, fake: &FakeEc2) {
    let id = machines.start(&launch(1)).await.expect("started").id;
    assert_eq!(machines.console(&id).await.expect("early"), "");
    fake.advance(SETTLED);
    fake.print(&id, "[ 0.0] Linux\nagent: hëllo\n");
    assert_eq!(
        machines.console(&id).await.expect("text"),
        "[ 0.0] Linux\nagent: hëllo\n"
    );
    let never = machine(999, State::Running).id;
    assert_eq!(machines.console(&never).await.expect("known"), "");
}

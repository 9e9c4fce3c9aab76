use domain::lifecycle::Wanted::{Gone, Running, Stopped};

use super::*;
use crate::{
    machines::{Machines as _, Owner, Whose, fake::FakeEc2},
    sweeps::tests::{NOW, ago, id, pulse, watched, workspace},
};

/// So many machines of the workspaces 1 to `count`, made `age` seconds before [`NOW`].
async fn listed(count: u32, age: u64) -> Listing {
    let fake = FakeEc2::new();
    assert_eq!(fake.now(), NOW, "the fake's clock begins there");
    for number in 1..=count {
        let owner = Owner {
            workspace_id: id(number),
            generation: 1,
        };
        fake.stranger("prod", Some(owner));
    }
    fake.advance(std::time::Duration::from_secs(age));
    fake.list(Whose::Stack).await.expect("a listing")
}

fn after(seconds: i64) -> Timestamp {
    ago(-seconds)
}

fn record(owner: &mut Watched) -> &mut Record {
    owner.machine.as_mut().expect("a record")
}

fn judged(listing: &Listing, owner: &Watched, now: Timestamp) -> Vec<(What, Why)> {
    let plan = plan(listing, &[], std::slice::from_ref(owner), &[], now);
    let steps = plan.steps.into_iter();
    steps.map(|step| (step.what, step.why)).collect()
}

#[tokio::test]
async fn each_kind_of_orphan_goes_its_way_and_not_before_ten_minutes() {
    let listing = listed(1, 600).await;
    let own = listing.machines()[0].id.clone();
    let terminate = |why| vec![(What::Terminate(own.clone()), why)];
    let mut removed = watched(1, Status::Removed, Gone);
    record(&mut removed).wished_at = Some(NOW);
    let mut forgotten = removed.clone();
    forgotten.machine = None;
    let meta = &mut forgotten.workspace.as_mut().expect("a tombstone").meta;
    meta.removed_at = Some(NOW);
    let unknown = Watched {
        workspace: None,
        ..forgotten.clone()
    };
    let mut recordless = watched(1, Status::Online, Running);
    recordless.machine = None;
    let mut replaced = watched(1, Status::Online, Running);
    record(&mut replaced).instance_id = Some("i-0123abcd".to_owned());
    let mut paused = watched(1, Status::Paused, Stopped);
    record(&mut paused).instance_id = Some(own.to_string());
    record(&mut paused).wished_at = Some(NOW);
    for (owner, expected) in [
        (removed, terminate(Why::Removed)),
        (forgotten, terminate(Why::Removed)),
        (unknown, terminate(Why::Unknown)),
        (recordless, terminate(Why::Unknown)),
        (replaced, terminate(Why::Replaced)),
        (paused, vec![(What::Stop(own.clone()), Why::Unwanted)]),
    ] {
        assert_eq!(judged(&listing, &owner, after(600)), expected, "{owner:?}");
        assert_eq!(judged(&listing, &owner, after(599)), [], "{owner:?}");
    }
}

#[tokio::test]
async fn recorded_ones_and_those_a_job_will_find_are_left_alone() {
    let listing = listed(1, 6_000).await;
    let now = after(6_000);
    let own = listing.machines()[0].id.to_string();
    for (status, wanted) in [(Status::Online, Running), (Status::Provisioning, Running)] {
        let mut owner = watched(1, status, wanted);
        for instance_id in [Some(own.clone()), None] {
            record(&mut owner).instance_id = instance_id;
            assert_eq!(judged(&listing, &owner, now), []);
        }
    }
    // Whose records were not read is nobody's to judge.
    let other = watched(2, Status::Removed, Gone);
    assert_eq!(judged(&listing, &other, now), []);
}

#[tokio::test]
async fn many_without_a_record_are_a_trouble_of_ours() {
    let listing = listed(10, 6_000).await;
    let now = after(6_000);
    let unknown = |count: u32| -> Vec<Watched> {
        let owners = (1..=10).map(|number| {
            let mut owner = watched(number, Status::Online, Running);
            let listed = listing.machines().iter();
            let mut own = listed.filter(|it| it.owner.map(|it| it.workspace_id) == Some(owner.id));
            record(&mut owner).instance_id = own.next().map(|it| it.id.to_string());
            if number <= count {
                (owner.machine, owner.workspace) = (None, None);
            }
            owner
        });
        owners.collect()
    };
    let five = plan(&listing, &[], &unknown(5), &[], now);
    assert_eq!((five.steps.len(), five.held), (5, 0));
    let mut six = unknown(6);
    six[9] = watched(10, Status::Removed, Gone);
    let six = plan(&listing, &[], &six, &[], now);
    assert_eq!((six.steps.len(), six.held, six.orphans()), (1, 6, 7));
    assert_eq!(six.steps[0].why, Why::Removed, "what was asked for goes on");
    assert!(six.since().is_some());
}

#[tokio::test]
async fn disks_go_after_an_hour() {
    let listing = listed(0, 0).await;
    let fake = FakeEc2::new();
    let owner = Owner {
        workspace_id: id(1),
        generation: 1,
    };
    let disk = fake.leave(owner);
    let volumes = fake.leftovers().await.expect("disks");
    let at = |seconds| plan(&listing, &volumes, &[], &[], after(seconds)).steps;
    assert_eq!(at(3_599), []);
    assert_eq!(at(3_600)[0].what, What::Delete(disk));
}

#[tokio::test]
async fn a_machine_that_is_certainly_gone_is_started_anew() {
    let listing = listed(0, 0).await;
    let revived = |change: fn(&mut Watched)| {
        let mut missing = watched(1, Status::Online, Running);
        let beat = missing.workspace.as_mut().and_then(|it| it.beat.as_mut());
        beat.expect("a beat").beat_at = Some(ago(60));
        change(&mut missing);
        let steps = plan(&listing, &[], &[], &[missing], NOW).steps;
        steps.iter().any(|step| step.why == Why::Gone)
    };
    assert!(revived(|_| {}));
    // Too young to be seen; its job is on the way; not to run; heard of just now; by hand.
    assert!(!revived(|it| record(it).launched_at = Some(ago(299))));
    assert!(!revived(|it| record(it).generation = 2));
    assert!(!revived(|it| record(it).wanted = Stopped));
    assert!(!revived(|it| {
        let beat = it.workspace.as_mut().and_then(|it| it.beat.as_mut());
        beat.expect("a beat").beat_at = Some(ago(59));
    }));
    assert!(!revived(
        |it| it.workspace = Some(workspace(1, "example", Status::Online))
    ));
    assert!(!revived(|it| record(it).instance_id = None));
}

#[test]
fn only_the_unheard_of_without_a_listed_machine_are_read() {
    let listed = BTreeSet::from([id(4)]);
    let pulses = [
        pulse(1, Some(59)),
        pulse(2, Some(60)),
        pulse(3, Some(3_600)),
        pulse(4, Some(100)),
        pulse(5, None),
        Pulse {
            status: Status::Paused,
            ..pulse(6, Some(100))
        },
        Pulse {
            status: Status::Offline,
            ..pulse(7, Some(100))
        },
    ];
    assert_eq!(missing(&pulses, &listed, NOW), [2, 7].map(id));
}

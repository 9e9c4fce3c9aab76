use domain::lifecycle::Wanted::{Gone, Running, Stopped};
use proptest::prelude::*;

use super::*;
use crate::sweeps::tests::{NOW, ago, watched};

fn steps(seen: &[Watched]) -> Vec<Step> {
    let planned = plan(seen, &Fleet::default(), NOW);
    planned.into_iter().map(|planned| planned.step).collect()
}

fn step_of(status: Status, wanted: Wanted, change: impl Fn(&mut Machine)) -> Step {
    let mut watched = watched(1, status, wanted);
    change(watched.machine.as_mut().expect("a machine"));
    steps(&[watched]).pop().expect("a step")
}

#[test]
fn the_table() {
    use Status::{Failed, Hibernated, Hibernating, Offline, Online, Paused, Provisioning, Removed};
    let soon = NOW + SignedDuration::from_secs(30);
    let later = NOW + SignedDuration::from_mins(8);
    let again = Step::Ask(NOW + STOP_WITHIN);
    let due = |machine: &mut Machine| machine.generation = 2;
    let by = |deadline| move |machine: &mut Machine| machine.boot_by = Some(deadline);
    let lost = |deadline| {
        move |machine: &mut Machine| {
            machine.generation = 2;
            machine.boot_by = Some(deadline);
        }
    };
    let hand = |machine: &mut Machine| {
        machine.ours = false;
        machine.done = 0;
        machine.boot_by = Some(later);
    };
    for (status, wanted, change, expected) in [
        (
            Provisioning,
            Running,
            &by(later) as &dyn Fn(&mut Machine),
            Step::Later(later),
        ),
        (
            Provisioning,
            Running,
            &lost(later),
            Step::Ask(NOW + LOOK_EVERY),
        ),
        (Provisioning, Running, &lost(soon), Step::Ask(soon)),
        (Provisioning, Running, &hand, Step::Later(later)),
        (Online, Running, &due, Step::Settle),
        (Status::Degraded, Running, &due, Step::Settle),
        (Offline, Running, &due, Step::Revive),
        (Offline, Running, &hand, Step::Settle),
        (Failed, Running, &hand, Step::Settle),
        (Paused, Running, &hand, Step::Settle),
        (Hibernating, Stopped, &due, again.clone()),
        (Hibernating, Stopped, &|_| {}, Step::FallAsleep),
        (Hibernated, Stopped, &|_| {}, Step::Settle),
        (Paused, Stopped, &due, again.clone()),
        (Failed, Stopped, &due, again.clone()),
        (Removed, Gone, &due, again.clone()),
        // As long as there is a record it is not done.
        (Removed, Gone, &|_| {}, again),
    ] {
        let step = step_of(status, wanted, change);
        assert_eq!(step, expected, "{status}, {wanted:?}");
    }
}

#[test]
fn a_boot_past_its_deadline_fails_and_says_who_should_have_booted_it() {
    for deadline in [Some(NOW), Some(ago(500)), None] {
        let failed = |ours| {
            step_of(Status::Provisioning, Running, |machine| {
                machine.ours = ours;
                machine.boot_by = deadline;
            })
        };
        let (timeout_secs, runtime) = (600, "example".to_owned());
        let (ours, by_hand) = (failed(true), failed(false));
        assert_eq!(
            ours,
            Step::Fail(BootFailure::Overdue {
                timeout_secs,
                runtime
            })
        );
        let Step::Fail(failure) = by_hand else {
            panic!("{by_hand:?}");
        };
        let text = failure.error();
        assert!(text.contains("never called /registry/register"), "{text}");
        assert!(
            text.contains("No machine of this deployment runs \"example\""),
            "{text}"
        );
    }
}

#[test]
fn who_was_started_anew_of_late_rests_first() {
    let revived = |seconds| {
        step_of(Status::Offline, Running, |machine| {
            machine.revived_at = Some(ago(seconds));
        })
    };
    assert_eq!(
        revived(599),
        Step::Later(NOW + SignedDuration::from_secs(1))
    );
    assert_eq!(revived(600), Step::Revive);
}

#[test]
fn who_is_not_due_by_its_record_is_left_alone() {
    let mut early = watched(1, Status::Provisioning, Running);
    let machine = early.machine.as_mut().expect("a machine");
    machine.due_at = Some(keys::due_at(NOW + LOOK_EVERY, "x"));
    let mut settled = early.clone();
    settled.machine.as_mut().expect("a machine").due_at = None;
    let purged = Watched {
        machine: None,
        ..early.clone()
    };
    assert_eq!(steps(&[early, settled, purged]), []);
}

proptest! {
    #[test]
    fn every_entry_moves_into_the_future_or_goes(
        status in prop::sample::select(Status::ALL.to_vec()),
        wanted in prop::sample::select(vec![Running, Stopped, Gone]),
        ours: bool,
        generation in 1_u32..3,
        deadline in prop::option::of(-900_i64..900),
        revived in prop::option::of(0_i64..900),
    ) {
        let step = step_of(status, wanted, |machine| {
            machine.ours = ours;
            machine.generation = generation;
            machine.boot_by = deadline.map(|seconds| ago(-seconds));
            machine.revived_at = revived.map(ago);
        });
        match step {
            Step::Ask(at) | Step::Later(at) => prop_assert!(at > NOW),
            Step::Fail(_) => prop_assert_eq!(status, Status::Provisioning),
            Step::Revive => prop_assert!(status == Status::Offline && ours),
            Step::FallAsleep => prop_assert_eq!(status, Status::Hibernating),
            Step::Settle => prop_assert!(status != Status::Provisioning || wanted != Running),
        }
    }
}

use domain::workspace::Status;
use proptest::prelude::*;

use super::*;
use crate::sweeps::tests::{NOW, ago, id, pulse, watched, workspace};

fn heard(number: u32, seconds: i64, host: Host) -> Heard {
    Heard {
        id: id(number),
        at: ago(seconds),
        host,
        runtime: "example".to_owned(),
        generation: None,
    }
}

fn planned(suspects: &[Heard], online: usize) -> (Vec<WorkspaceId>, usize) {
    let plan = plan(suspects.to_vec(), online, Limits::default(), NOW);
    (plan.silent.iter().map(|it| it.id).collect(), plan.held)
}

#[test]
fn only_who_counts_as_online_and_is_late_by_some_limit_is_read() {
    let mut pulses = vec![
        pulse(1, Some(89)),
        pulse(2, Some(90)),
        pulse(3, Some(500)),
        pulse(4, None),
    ];
    for (number, status) in (10..).zip(Status::ALL) {
        pulses.push(Pulse {
            status,
            ..pulse(number, Some(100))
        });
    }
    let found = suspects(&pulses, Limits::default(), NOW);
    // Never heard of first, then by age; 12 and 13 are online and degraded.
    assert_eq!(found, [4, 3, 12, 13, 2].map(id));
}

#[test]
fn each_host_has_its_limit() {
    for (host, limit) in [
        (Host::External, 90),
        (Host::ByHand, 180),
        (Host::Machine, 180),
    ] {
        assert_eq!(planned(&[heard(1, limit - 1, host)], 9), (vec![], 0));
        assert_eq!(planned(&[heard(1, limit, host)], 9), (vec![id(1)], 0));
    }
}

#[test]
fn who_was_never_heard_of_counts_from_its_creation() {
    let mut never = watched(1, Status::Online, Wanted::Running);
    let beat = never.workspace.as_mut().and_then(|it| it.beat.as_mut());
    beat.expect("a beat").beat_at = None;
    let heard = Heard::of(&never).expect("it counts as online");
    assert_eq!(heard.at, ago(3600));
    let external = Watched {
        workspace: Some(workspace(2, "external", Status::Online)),
        machine: None,
        ..never
    };
    let heard = Heard::of(&external).expect("it counts as online");
    assert_eq!((heard.host, heard.generation), (Host::External, None));
}

#[test]
fn only_a_machine_that_was_brought_up_is_started_anew() {
    let generation = |change: fn(&mut store::lifecycle::Machine)| {
        let mut watched = watched(1, Status::Degraded, Wanted::Running);
        change(watched.machine.as_mut().expect("a machine"));
        Heard::of(&watched).expect("it counts as online").generation
    };
    assert_eq!(generation(|_| {}), Some(1));
    // Its job is on the way: it boots.
    assert_eq!(generation(|machine| machine.generation = 2), None);
    assert_eq!(generation(|machine| machine.wanted = Wanted::Stopped), None);
    assert_eq!(generation(|machine| machine.ours = false), None);
    for status in [Status::Provisioning, Status::Offline, Status::Removed] {
        assert_eq!(Heard::of(&watched(1, status, Wanted::Running)), None);
    }
}

#[test]
fn many_at_once_are_believed_after_five_minutes() {
    let many = |seconds| -> Vec<Heard> {
        let all = 1..=21;
        all.map(|it| heard(it, seconds, Host::ByHand)).collect()
    };
    // A fifth of a hundred is twenty.
    assert_eq!(planned(&many(200)[..20], 100).1, 0);
    assert_eq!(planned(&many(200), 100), (vec![], 21));
    assert_eq!(planned(&many(479), 100).1, 21);
    assert_eq!(planned(&many(480), 100).0.len(), 21);
    // Those silent for long are believed while others are held.
    let mut mixed = many(200);
    mixed.push(heard(99, 600, Host::ByHand));
    assert_eq!(planned(&mixed, 100), (vec![id(99)], 21));
}

proptest! {
    #[test]
    fn nobody_is_silenced_early_and_never_many_at_once(
        ages in prop::collection::vec(0_i64..1_000, 0..60),
        more in 0_usize..200,
    ) {
        let all: Vec<Heard> = (1..).zip(&ages).map(|(n, age)| heard(n, *age, Host::ByHand)).collect();
        let online = all.len() + more;
        let Plan { silent, held, .. } = plan(all.clone(), online, Limits::default(), NOW);
        prop_assert!(silent.iter().all(|it| it.at <= ago(180)));
        let late = ages.iter().filter(|age| **age >= 180).count();
        prop_assert_eq!(silent.len() + held, late);
        let young = silent.iter().filter(|it| it.at > ago(480)).count();
        prop_assert!(young <= allowance(online));
        prop_assert!(silent.is_sorted_by_key(|it| it.at));
    }
}

#[test]
fn after_the_sweep_was_away_silence_counts_a_silence_later() {
    let run = |seconds: i64| Run::at(ago(seconds));
    assert_eq!(judges_from(None, NOW), None, "the first ever");
    assert_eq!(judges_from(Some(&run(60)), NOW), None);
    assert_eq!(judges_from(Some(&run(180)), NOW), None);
    let waits = judges_from(Some(&run(181)), NOW);
    assert_eq!(waits, Some(NOW + SILENT_AFTER));
    // Until then, and no longer.
    let next = Run {
        judges_from: waits,
        ..Run::at(NOW)
    };
    let at = |seconds: i64| NOW + SignedDuration::from_secs(seconds);
    assert_eq!(judges_from(Some(&next), at(60)), waits);
    assert_eq!(judges_from(Some(&next), at(180)), None);
    // Away once more: it waits once more.
    assert_eq!(judges_from(Some(&next), at(181)), Some(at(361)));
}

#[test]
fn while_silence_does_not_count_whoever_is_late_is_held() {
    let limits = Limits::default();
    let heard = [
        heard(1, 400, Host::Machine),
        heard(2, 100, Host::External),
        heard(3, 10, Host::External),
    ];
    let plan = wait(heard.to_vec(), limits, NOW);
    let held_since = Some(ago(220));
    assert_eq!(
        plan,
        Plan {
            silent: vec![],
            held: 2,
            held_since
        }
    );
}

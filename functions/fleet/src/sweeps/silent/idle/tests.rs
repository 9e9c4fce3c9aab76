use domain::{lifecycle::Wanted, workspace::Status};
use store::lifecycle::Watched;

use super::*;
use crate::sweeps::tests::{NOW, ago, id, pulse, watched};

fn sleepy(number: u32, active: Option<i64>) -> Pulse {
    Pulse {
        sleeps_after: Some(10),
        active_at: active.map(ago),
        ..pulse(number, Some(20))
    }
}

fn used(active: i64, used: i64) -> Use {
    let mut of = watched(1, Status::Online, Wanted::Running);
    let workspace = of.workspace.as_mut().expect("there");
    workspace.meta.hibernation_idle_minutes = Some(10);
    workspace.beat.as_mut().expect("there").active_at = Some(ago(active));
    let used_at = ago(used);
    Use { of, used_at }
}

fn change(mut of: Use, change: fn(&mut Watched)) -> Vec<Step> {
    change(&mut of.of);
    plan(&[of], NOW)
}

#[test]
fn who_may_sleep_and_was_not_active_for_its_minutes_is_read() {
    let with = |number, change: fn(&mut Pulse)| {
        let mut pulse = sleepy(number, Some(600));
        change(&mut pulse);
        pulse
    };
    let pulses = [
        sleepy(1, Some(599)),
        sleepy(2, Some(600)),
        sleepy(3, None),
        with(4, |pulse| pulse.sleeps_after = None),
        with(5, |pulse| pulse.sleeps_after = Some(0)),
        with(6, |pulse| pulse.active_tasks = 1),
        with(7, |pulse| pulse.beat_at = None),
        with(8, |pulse| pulse.beat_at = Some(ago(180))),
        with(9, |pulse| pulse.status = Status::Offline),
        with(10, |pulse| pulse.status = Status::Degraded),
    ];
    assert_eq!(suspects(&pulses, NOW), [3, 2, 10].map(id));
}

#[test]
fn it_sleeps_ten_minutes_after_it_was_used_however_it_was() {
    let id = id(1);
    let (used_at, since) = (ago(600), NOW);
    let sleeps = vec![Step::Sleep { id, used_at, since }];
    assert_eq!(plan(&[used(700, 600)], NOW), sleeps);
    let at = ago(599);
    assert_eq!(plan(&[used(700, 599)], NOW), [Step::Note { id, at }]);
    assert_eq!(plan(&[used(599, 599)], NOW), []);
}

#[test]
fn work_is_use_and_who_is_not_ours_is_put_off() {
    let idle = || used(700, 700);
    let noted = [Step::Note { id: id(1), at: NOW }];
    let waits = change(idle(), |it| {
        let load = it.workspace.as_mut().and_then(|it| it.load.as_mut());
        load.expect("there").counts.waiting = 1;
    });
    assert_eq!(waits, noted);
    let works = change(idle(), |it| {
        let beat = it.workspace.as_mut().and_then(|it| it.beat.as_mut());
        beat.expect("there").active_tasks = 1;
    });
    assert_eq!(works, noted);
    let external = change(idle(), |it| {
        it.workspace.as_mut().expect("there").meta.runtime = "external".to_owned();
    });
    assert_eq!(external, noted);
    let by_hand = change(idle(), |it| {
        let workspace = it.workspace.as_mut().expect("there");
        workspace.machine.as_mut().expect("there").ours = false;
    });
    assert_eq!(by_hand, noted);
    let never = change(idle(), |it| {
        let workspace = it.workspace.as_mut().expect("there");
        workspace.meta.hibernation_idle_minutes = None;
    });
    assert_eq!(never, []);
}

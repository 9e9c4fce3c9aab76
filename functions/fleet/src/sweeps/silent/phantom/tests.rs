use domain::{lifecycle::Wanted, workspace::Status};
use store::workspaces::Workspace;

use super::*;
use crate::sweeps::tests::{NOW, ago, id, pulse, watched};

fn busy(number: u32, active: Option<i64>) -> Pulse {
    Pulse {
        active_tasks: 1,
        active_at: active.map(ago),
        ..pulse(number, Some(700))
    }
}

fn planned(used: i64, change: fn(&mut Workspace)) -> Vec<Step> {
    let mut of = watched(1, Status::Offline, Wanted::Running);
    let workspace = of.workspace.as_mut().expect("there");
    let beat = workspace.beat.as_mut().expect("a beat");
    (beat.active_tasks, beat.active_at) = (2, Some(ago(700)));
    change(workspace);
    let used_at = ago(used);
    plan(&[Use { of, used_at }], NOW)
}

#[test]
fn who_has_tasks_and_showed_no_sign_of_work_for_ten_minutes_is_read() {
    let idle = Pulse {
        active_tasks: 0,
        ..busy(5, Some(900))
    };
    let offline = Pulse {
        status: Status::Offline,
        ..busy(4, Some(700))
    };
    let pulses = [
        busy(1, Some(599)),
        busy(2, Some(600)),
        busy(3, None),
        offline,
        idle,
    ];
    assert_eq!(suspects(&pulses, NOW), [3, 4, 2].map(id));
}

#[test]
fn its_tasks_are_taken_back_unless_a_message_says_otherwise() {
    let (id, active_at) = (id(1), Some(ago(700)));
    let clear = vec![Step::Clear { id, active_at }];
    assert_eq!(planned(700, |_| {}), clear);
    assert_eq!(planned(600, |_| {}), clear);
    assert_eq!(
        planned(599, |_| {}),
        [Step::Note { id, at: ago(599) }],
        "a message of late"
    );
    let running = planned(700, |workspace| {
        workspace.load.as_mut().expect("there").counts.running = 1;
    });
    assert_eq!(running, [Step::Note { id, at: NOW }], "one is under way");
    let told = planned(700, |workspace| {
        workspace.beat.as_mut().expect("there").active_tasks = 0;
    });
    assert_eq!(told, [], "it said so itself");
}

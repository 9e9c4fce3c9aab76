use proptest::prelude::*;

use super::*;

const CALLED: Called<'_> = Called {
    name: "Ada",
    tier: 2,
    runtime: "example",
};

fn acts() -> Vec<Act> {
    vec![
        Act::Restart,
        Act::Revive,
        Act::Refresh,
        Act::Resume,
        Act::Wake,
        Act::Pause,
        Act::Hibernate { force: false },
        Act::FallAsleep,
        Act::Fail(BootFailure::LAUNCH),
        Act::Silence,
    ]
}

#[test]
fn the_table() {
    use Status::{
        AwaitingAgent, Degraded, Failed, Hibernated, Hibernating, Offline, Online, Paused,
        Provisioning, Removed,
    };
    let all_but = |not: &[Status]| -> Vec<Status> {
        let all = Status::ALL.into_iter();
        all.filter(|status| !not.contains(status)).collect()
    };
    let machine = |act: &Act, from| act.turn(from, Host::Machine, CALLED).map(|turn| turn.to);
    for (act, sources, to) in [
        (Act::Restart, all_but(&[Removed]), Provisioning),
        (Act::Revive, vec![Online, Degraded, Offline], Provisioning),
        (Act::Refresh, vec![Online, Degraded], Provisioning),
        (Act::Resume, vec![Paused], Provisioning),
        (Act::Wake, vec![Hibernated], Provisioning),
        (Act::Pause, all_but(&[Paused, Removed]), Paused),
        (
            Act::Hibernate { force: false },
            vec![Online, Degraded],
            Hibernating,
        ),
        (Act::FallAsleep, vec![Hibernating], Hibernated),
        (Act::Fail(BootFailure::LAUNCH), vec![Provisioning], Failed),
        (Act::Silence, vec![Online, Degraded], Offline),
    ] {
        for from in Status::ALL {
            let expected = sources.contains(&from).then_some(to);
            assert_eq!(machine(&act, from), expected, "{act:?} from {from}");
        }
    }
    let external = |act: &Act, from| act.turn(from, Host::External, CALLED).map(|turn| turn.to);
    assert_eq!(external(&Act::Resume, Paused), Some(AwaitingAgent));
    assert_eq!(
        external(&Act::Hibernate { force: false }, Online),
        Some(Hibernated)
    );
}

#[test]
fn secrets_restart_whoever_runs_or_should() {
    use Status::{Hibernated, Hibernating, Paused, Removed};
    for status in Status::ALL {
        let asleep = [Paused, Hibernating, Hibernated, Removed].contains(&status);
        assert_eq!(restarts_for_secrets(status), !asleep, "{status}");
    }
}

#[test]
fn failures_say_what_to_do_and_nothing_of_the_cloud() {
    let names = |names: &[&str]| {
        BootFailure::MissingEnv(names.iter().map(|name| (*name).to_owned()).collect())
    };
    assert_eq!(
        names(&["X"]).error(),
        "missing required env var \"X\" — add it under Config → Env Vars (or as a Global secret) and retry"
    );
    assert_eq!(
        names(&["X", "Y"]).error(),
        "missing required env vars X, Y — add them under Config → Env Vars (or as Global secrets) and retry"
    );
    let reported = BootFailure::Reported {
        error: String::new(),
        log_tail: "ü".repeat(MAX_LOG_TAIL),
    };
    assert_eq!(reported.error(), "bootstrap failed — see log_tail");
    let kept = reported.sample_error();
    assert!(kept.len() <= MAX_LOG_TAIL && kept.len() > MAX_LOG_TAIL - 4);
    assert_eq!(reported.payload()["source"], "bootstrap_watcher");
}

proptest! {
    #[test]
    fn nothing_leaves_removed_and_no_machine_moves_without_one(
        act in prop::sample::select(acts()),
        from in prop::sample::select(Status::ALL.to_vec()),
        host in prop::sample::select(vec![Host::Machine, Host::ByHand, Host::External]),
    ) {
        let turn = act.turn(from, host, CALLED);
        if from == Status::Removed {
            prop_assert_eq!(&turn, &None);
        }
        if let Some(turn) = turn {
            prop_assert_ne!(turn.to, Status::Removed);
            prop_assert!(host == Host::Machine || turn.wanted.is_none());
            // Without an address nothing is offered: what waits would fail of it.
            if act.starts() {
                prop_assert_eq!(turn.gate, Some(Gate::Wake));
            }
            prop_assert_ne!(turn.gate, Some(Gate::Open));
            prop_assert_ne!(turn.gate, Some(Gate::Closed));
            prop_assert_eq!(turn.wanted == Some(Wanted::Running), act.starts() && host == Host::Machine);
        }
    }
}

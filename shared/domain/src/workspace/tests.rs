use proptest::prelude::*;

use super::*;

fn beat(error_rate: f64, runtime_state: &str, native: bool) -> Heartbeat {
    let flags = [("status_mgmt".to_owned(), native)].into();
    Heartbeat {
        error_rate,
        runtime_state: runtime_state.to_owned(),
        runtime: Some(RuntimeMetadata::new(&flags, None)),
        ..Heartbeat::default()
    }
}

fn after(status: Status, beat: &Heartbeat) -> Option<(Status, &'static str)> {
    beat.turn(status, Capabilities::default())
        .map(|turn| (turn.to, turn.event.name()))
}

#[test]
fn the_contracts_table() {
    use Status::{Degraded, Offline, Online, Provisioning};
    let degraded = Some((Degraded, "WORKSPACE_DEGRADED"));
    let online = Some((Online, "WORKSPACE_ONLINE"));
    for (status, rate, state, native, expected) in [
        (Online, 0.0, "", false, None),
        (Online, 0.49, "", false, None),
        (Online, 0.5, "", false, degraded),
        (Online, 1.0, "", true, None),
        (Online, 0.0, "wedged", false, degraded),
        (Online, 0.0, "wedged", true, degraded),
        (Online, 0.9, "wedged", false, degraded),
        (Online, 0.0, "sleepy", false, None),
        (Degraded, 0.0, "", false, online),
        (Degraded, 0.09, "", false, online),
        (Degraded, 0.1, "", false, None),
        (Degraded, 0.3, "", false, None),
        (Degraded, 0.0, "wedged", false, None),
        (Degraded, 0.0, "sleepy", false, None),
        (Degraded, 0.0, "", true, None),
        (Offline, 0.9, "wedged", true, online),
        (Provisioning, 0.9, "wedged", true, online),
    ] {
        assert_eq!(
            after(status, &beat(rate, state, native)),
            expected,
            "{status} at {rate} {state:?} native {native}"
        );
    }
}

#[test]
fn wedged_and_failing_is_one_event_with_the_wedge() {
    let turn = beat(0.9, "wedged", false).turn(Status::Online, Capabilities::default());
    assert!(matches!(
        turn.expect("degrades").event,
        Event::Wedged { .. }
    ));
}

#[test]
fn capabilities_count_from_the_beat_that_declares_them() {
    let native = Capabilities::declared(&[("status_mgmt".to_owned(), true)].into());
    let mut partial = beat(0.9, "", false);
    partial.runtime = None;
    assert_eq!(partial.turn(Status::Online, native), None);
    assert!(
        partial
            .turn(Status::Online, Capabilities::default())
            .is_some()
    );
    assert!(beat(0.9, "", false).turn(Status::Online, native).is_some());
}

#[test]
fn spend_is_kept_or_capped() {
    for (reported, stored) in [
        (-1, None),
        (0, None),
        (1, Some(1)),
        (MAX_MONTHLY_SPEND, Some(MAX_MONTHLY_SPEND)),
        (i64::MAX, Some(MAX_MONTHLY_SPEND)),
    ] {
        assert_eq!(Heartbeat::spend(reported), stored);
    }
}

proptest! {
    #[test]
    fn a_beat_moves_only_these_four_states(
        status in prop::sample::select(Status::ALL.to_vec()),
        rate in -1.0..2.0_f64,
        state in prop::sample::select(vec!["", "wedged", "other"]),
        native in any::<bool>(),
    ) {
        use Status::{Degraded, Offline, Online, Provisioning};
        if let Some(turn) = beat(rate, state, native).turn(status, Capabilities::default()) {
            prop_assert!(matches!(
                (status, turn.to),
                (Online, Degraded) | (Degraded | Offline | Provisioning, Online)
            ));
            prop_assert!(turn.event.is_persisted());
        }
    }
}

//! Putting an offered or running request back in line, to the place it had.

use domain::request::{Hold, LOOK_AGAIN, Request, State};
use jiff::Timestamp;
use store::ledger::{Counts, Due, Entry, Ledger as _};

use super::{
    becomes::step,
    bench::{Bench, Gate},
    make::{NONE, answered, at, request, slotless},
};

cases! {
    an_offered_or_running_one_waits_again
    only_who_has_it_puts_it_back
    one_that_waits_or_has_ended_is_not_put_back
    it_keeps_its_place
    the_line_is_looked_at_in_time
    one_without_a_slot_waits_as_well
    the_others_are_looked_at_no_later
    only_a_closed_gate_stops_it
}

async fn put(bench: &impl Bench, request: &Request, hold: Hold, now: Timestamp) -> bool {
    let put = bench
        .ledger()
        .requeue(request, hold, "why", true, now)
        .await;
    put.expect("an answer")
}

fn as_put(mut request: Request, hold: Hold, now: Timestamp) -> Request {
    request
        .timeline
        .push(step(now, State::Waiting, Some("why")));
    Request {
        state: State::Waiting,
        hold,
        redelivered: true,
        error: Some("why".to_owned()),
        lease_until: None,
        ..request
    }
}

async fn an_offered_or_running_one_waits_again(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let hold = Hold::Capacity(at(7));
    for claimed in [false, true] {
        let one = match claimed {
            false => bench.offered(request(own, 0)).await,
            true => bench.running(request(own, 0)).await,
        };
        assert!(put(&bench, &one, hold, at(7)).await);
        let expected = as_put(one, hold, at(7));
        assert_eq!(bench.row(expected.id).await, expected);
        let counts = bench.load(own).await;
        let accepted = 1 + i64::from(claimed);
        let expected_counts = Counts {
            accepted,
            waiting: 1,
            done: accepted - 1,
            ..NONE
        };
        assert_eq!(counts, (expected_counts, [].into()));
        let entries = bench.line(own).await.entries;
        assert_eq!(entries, [Entry::of(&expected)]);
        bench
            .is_due(Due::Request(expected.id), expected.valid_until)
            .await;
        assert!(bench.hint(own).await);
        let ended = bench
            .ledger()
            .finish(&expected, &answered(&expected), at(8))
            .await;
        ended.expect("an answer");
    }
    assert_eq!(bench.jobs().await, []);
}

async fn only_who_has_it_puts_it_back(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let offered = bench.offered(request(own, 0)).await;
    let wrong = Request {
        fence: 2,
        ..offered.clone()
    };
    assert!(!put(&bench, &wrong, Hold::None, at(1)).await, "wrong fence");
    let claimed = bench.ledger().claim(offered.id, 1, at(1)).await;
    let running = claimed.expect("an answer").expect("an offer");
    let before = bench.line(own).await;
    assert!(!put(&bench, &offered, Hold::None, at(2)).await, "claimed");
    assert_eq!(bench.row(running.id).await, running);
    assert_eq!(bench.line(own).await, before);
    assert!(put(&bench, &running, Hold::None, at(3)).await);
    let line = bench.line(own).await;
    assert!(!put(&bench, &running, Hold::None, at(4)).await, "twice");
    assert_eq!(bench.line(own).await, line);
    let never = request(own, 5);
    assert!(!put(&bench, &never, Hold::None, at(5)).await, "unknown");
}

async fn one_that_waits_or_has_ended_is_not_put_back(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let late = bench.waiting(request(own, 1)).await;
    let line = bench.line(own).await;
    assert!(!put(&bench, &late, Hold::None, at(2)).await, "it waits");
    assert_eq!(bench.line(own).await, line);
    assert_eq!(bench.row(late.id).await, late);
    for one in [&late, &first] {
        let ended = bench.ledger().finish(one, &answered(one), at(3)).await;
        ended.expect("an answer");
        let ended = bench.row(one.id).await;
        let line = bench.line(own).await;
        for seen in [one, &ended] {
            assert!(!put(&bench, seen, Hold::None, at(4)).await, "it has ended");
        }
        assert_eq!(bench.row(one.id).await, ended);
        assert_eq!(bench.line(own).await, line);
    }
}

async fn it_keeps_its_place(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let first = bench.running(request(own, 0)).await;
    let second = bench.running(request(own, 1)).await;
    let third = bench.waiting(request(own, 2)).await;
    assert!(put(&bench, &second, Hold::None, at(3)).await);
    assert!(put(&bench, &first, Hold::None, at(4)).await);
    assert_eq!(bench.queue(own).await, [first.id, second.id, third.id]);
    let place = bench.ledger().place(&second).await;
    assert_eq!(place.expect("an answer"), (3, 2));
}

async fn the_line_is_looked_at_in_time(bench: impl Bench) {
    let until = |seconds| Hold::Until {
        at: at(seconds),
        since: at(1),
    };
    for (hold, due) in [
        (Hold::None, at(1) + LOOK_AGAIN),
        (Hold::Capacity(at(1)), at(1) + LOOK_AGAIN),
        (until(10), at(10)),
        (until(1000), at(1) + LOOK_AGAIN),
    ] {
        let own = bench.workspace(2).await;
        let one = bench.running(request(own, 0)).await;
        assert!(put(&bench, &one, hold, at(1)).await);
        bench.is_due(Due::Line(own), due).await;
        assert_eq!(bench.row(one.id).await.hold, hold);
        bench.gate(own, Gate::Wake).await;
        bench.waiting(request(own, 2)).await;
        bench.is_due(Due::Line(own), due).await;
    }
}

async fn one_without_a_slot_waits_as_well(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let free = bench.running(slotless(own, 1)).await;
    assert!(put(&bench, &free, Hold::None, at(2)).await);
    let counts = Counts {
        accepted: 2,
        waiting: 1,
        running: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [first.id].into()));
    assert_eq!(bench.queue(own).await, [free.id]);
}

async fn the_others_are_looked_at_no_later(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    bench.waiting(request(own, 1)).await;
    let due = at(1) + LOOK_AGAIN;
    bench.is_due(Due::Line(own), due).await;
    assert!(put(&bench, &first, Hold::None, at(20)).await);
    bench.is_due(Due::Line(own), due).await;
}

async fn only_a_closed_gate_stops_it(bench: impl Bench) {
    for gate in [Gate::Wake, Gate::Paused, Gate::Closed] {
        let own = bench.workspace(1).await;
        let one = bench.running(request(own, 0)).await;
        bench.gate(own, gate).await;
        let line = bench.line(own).await;
        let waits = put(&bench, &one, Hold::None, at(2)).await;
        assert_eq!(waits, gate != Gate::Closed);
        if waits {
            assert_eq!(bench.queue(own).await, [one.id], "{gate:?}");
        } else {
            assert_eq!(bench.line(own).await, line);
            assert_eq!(bench.row(one.id).await, one);
        }
    }
}

//! Accepting: a slot, a place in line, or a refusal that leaves nothing behind.

use domain::{
    WorkspaceId,
    request::{CROWDED, Hold, LOOK_AGAIN, MAX_WAITING, OFFER, Priority, SHARE},
};
use store::ledger::{Accepted, Counts, Due, Entry, JOB_OVERDUE, Ledger as _};

use super::{
    becomes::{as_offered, as_waiting},
    bench::{Bench, Gate},
    make::{NONE, at, by, job, request, slotless, urgent},
};

cases! {
    a_free_slot_is_taken
    a_taken_slot_means_waiting
    nobody_overtakes_those_who_wait
    without_a_slot_nobody_waits_at_an_open_gate
    the_gate_decides
    an_offer_by_queue_has_a_job
    a_full_line_takes_nobody
    in_a_crowd_each_sender_has_a_share
}

async fn a_free_slot_is_taken(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = request(own, 0);
    assert_eq!(bench.accept(&first).await, Accepted::Offered);
    assert_eq!(bench.row(first.id).await, as_offered(&first));
    let counts = Counts {
        accepted: 1,
        running: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [first.id].into()));
    let line = bench.line(own).await;
    assert_eq!(line.load.slots[&first.id.to_string()], first.chain);
    assert_eq!(line.entries, []);
    bench.is_due(Due::Request(first.id), at(0) + OFFER).await;
    bench.is_never_due(Due::Line(own)).await;
    assert_eq!(bench.jobs().await, []);
    assert!(!bench.hint(own).await);
}

async fn a_taken_slot_means_waiting(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.offered(request(own, 0)).await;
    let (second, third) = (request(own, 1), request(own, 2));
    for late in [&second, &third] {
        assert_eq!(bench.accept(late).await, Accepted::Waiting);
        assert_eq!(bench.row(late.id).await, as_waiting(late));
        bench.is_due(Due::Request(late.id), late.valid_until).await;
    }
    let counts = Counts {
        accepted: 3,
        waiting: 2,
        running: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [first.id].into()));
    let entries = [&second, &third].map(|late| Entry::of(&as_waiting(late)));
    assert_eq!(bench.line(own).await.entries, entries);
    // The second to come does not put off the look that the first one is waiting for.
    bench.is_due(Due::Line(own), at(1) + LOOK_AGAIN).await;
    assert_eq!(bench.jobs().await, []);
    assert!(bench.hint(own).await);
}

async fn nobody_overtakes_those_who_wait(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let hold = Hold::Capacity(at(1));
    let put = bench.ledger().requeue(&first, hold, "why", true, at(1));
    assert!(put.await.expect("an answer"));
    let late = urgent(own, 2, Priority::Critical);
    assert_eq!(bench.accept(&late).await, Accepted::Waiting);
    assert!(bench.load(own).await.1.is_empty());
    assert_eq!(bench.queue(own).await, [late.id, first.id]);
}

async fn without_a_slot_nobody_waits_at_an_open_gate(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.offered(request(own, 0)).await;
    bench.waiting(request(own, 1)).await;
    let free = slotless(own, 2);
    assert_eq!(bench.accept(&free).await, Accepted::Offered);
    assert_eq!(bench.row(free.id).await, as_offered(&free));
    let counts = Counts {
        accepted: 3,
        waiting: 1,
        running: 2,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [first.id].into()));
}

async fn the_gate_decides(bench: impl Bench) {
    let gone = WorkspaceId::random();
    for slot in [true, false] {
        for (gate, expected) in [
            (Gate::Open, Accepted::Offered),
            (Gate::Wake, Accepted::Waiting),
            (Gate::Paused, Accepted::Paused),
            (Gate::Closed, Accepted::Closed),
        ] {
            let own = bench.workspace(1).await;
            bench.gate(own, gate).await;
            let mut one = request(own, 0);
            one.slot = slot;
            assert_eq!(bench.accept(&one).await, expected, "{gate:?} {slot}");
            let found = bench.ledger().request(one.id).await.expect("an answer");
            let taken = matches!(expected, Accepted::Offered | Accepted::Waiting);
            assert_eq!(found.is_some(), taken, "{gate:?}");
            let accepted = bench.load(own).await.0.accepted;
            assert_eq!(accepted, i64::from(taken), "{gate:?}");
        }
        let mut one = request(gone, 0);
        one.slot = slot;
        assert_eq!(bench.accept(&one).await, Accepted::Closed);
        assert_eq!(bench.ledger().request(one.id).await.expect("no row"), None);
    }
}

async fn an_offer_by_queue_has_a_job(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let (first, second) = (request(own, 0), request(own, 1));
    for (one, expected) in [(&first, Accepted::Offered), (&second, Accepted::Waiting)] {
        let accepted = bench.ledger().accept(one, true).await;
        assert_eq!(accepted.expect("an answer"), expected);
    }
    assert_eq!(bench.jobs().await, [job(first.id, 1)]);
    let due = bench.ledger().due(at(0) + JOB_OVERDUE, 10).await;
    let due = due.expect("an answer").due;
    let jobs = due.iter().filter(|what| matches!(what, Due::Job(_)));
    assert_eq!(jobs.count(), 1);
}

async fn a_full_line_takes_nobody(bench: impl Bench) {
    let own = bench.workspace(1).await;
    bench.offered(request(own, 0)).await;
    bench.crowd(own, MAX_WAITING).await;
    let late = request(own, 1);
    let full = Accepted::QueueFull(MAX_WAITING);
    assert_eq!(bench.accept(&late).await, full);
    assert_eq!(bench.load(own).await.0.waiting, MAX_WAITING);
    let found = bench.ledger().request(late.id).await;
    assert_eq!(found.expect("an answer"), None);
    bench.offered(slotless(own, 2)).await;
    bench.gate(own, Gate::Wake).await;
    assert_eq!(bench.accept(&slotless(own, 3)).await, full);
    bench.gate(own, Gate::Paused).await;
    assert_eq!(bench.accept(&late).await, Accepted::Paused);
    bench.gate(own, Gate::Open).await;
    bench.crowd(own, MAX_WAITING - 1).await;
    assert_eq!(bench.accept(&late).await, Accepted::Waiting);
    assert_eq!(bench.load(own).await.0.waiting, MAX_WAITING);
}

async fn in_a_crowd_each_sender_has_a_share(bench: impl Bench) {
    let (own, loud) = (bench.workspace(1).await, WorkspaceId::random());
    bench.offered(request(own, 0)).await;
    let share = i64::try_from(SHARE).expect("a number");
    for number in 0..=share {
        // Where nobody else waits there is room for more than a share.
        let one = by(loud, request(own, number));
        assert_eq!(bench.accept(&one).await, Accepted::Waiting);
    }
    bench.crowd(own, CROWDED).await;
    let late = by(loud, request(own, share + 1));
    let taken = Accepted::ShareTaken(CROWDED);
    assert_eq!(bench.accept(&late).await, taken);
    let found = bench.ledger().request(late.id).await;
    assert_eq!(found.expect("an answer"), None);
    for other in [
        by(WorkspaceId::random(), request(own, 0)),
        request(own, share + 2),
    ] {
        assert_eq!(bench.accept(&other).await, Accepted::Waiting);
    }
    bench.crowd(own, MAX_WAITING).await;
    assert_eq!(bench.accept(&late).await, Accepted::QueueFull(MAX_WAITING));
}

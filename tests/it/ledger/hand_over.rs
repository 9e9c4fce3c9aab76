//! The end of a request hands its slot to the next in line, in the same step, or has somebody look
//! at the line.

use domain::{
    WorkspaceId,
    request::{Hold, OFFER, Priority, Request},
};
use store::ledger::{Counts, Due, Ended, JOB_OVERDUE, Ledger as _};

use super::{
    becomes::then_offered,
    bench::{Bench, Gate},
    make::{NONE, answered, at, hasty, job, request, slotless, urgent},
};

cases! {
    the_next_gets_the_slot
    urgent_ones_first_and_then_by_arrival
    an_end_is_as_good_as_the_moment_it_was_told_to_wait_for
    a_held_one_is_looked_at
    an_expired_one_is_looked_at
    one_that_needs_no_slot_is_looked_at
    a_gate_that_is_not_open_keeps_the_line
    who_had_no_slot_hands_none_over
    counters_without_a_line_are_looked_at
}

async fn end(bench: &impl Bench, request: &Request, seconds: i64) -> Ended {
    let ending = answered(request);
    let ended = bench.ledger().finish(request, &ending, at(seconds)).await;
    ended.expect("an answer")
}

async fn the_next_gets_the_slot(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let second = bench.waiting(request(own, 1)).await;
    let third = bench.waiting(request(own, 2)).await;
    assert_eq!(end(&bench, &first, 9).await, Ended::Now);
    let expected = then_offered(second.clone(), at(9));
    assert_eq!(expected.fence, 1);
    assert_eq!(bench.row(second.id).await, expected);
    let counts = Counts {
        accepted: 3,
        waiting: 1,
        running: 1,
        done: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [second.id].into()));
    let line = bench.line(own).await;
    assert_eq!(line.load.slots[&second.id.to_string()], second.chain);
    assert_eq!(bench.queue(own).await, [third.id]);
    assert_eq!(bench.jobs().await, [job(second.id, 1)]);
    bench.is_due(Due::Request(second.id), at(9) + OFFER).await;
    let early = bench.ledger().due(at(9), 10).await.expect("an answer");
    assert!(!early.due.iter().any(|what| matches!(what, Due::Job(_))));
    let late = bench.ledger().due(at(9) + JOB_OVERDUE, 10).await;
    let late = late.expect("an answer").due;
    assert!(late.iter().any(|what| matches!(what, Due::Job(_))));
}

async fn urgent_ones_first_and_then_by_arrival(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let mut now = bench.running(request(own, 0)).await;
    let mut expected = Vec::new();
    for (priority, seconds) in [
        (Priority::Info, 1),
        (Priority::Task, 3),
        (Priority::Task, 2),
        (Priority::Critical, 4),
        (Priority::Info, 5),
        (Priority::Critical, 6),
    ] {
        let one = bench.waiting(urgent(own, seconds, priority)).await;
        expected.push((-priority.number(), seconds, one.id));
    }
    expected.sort();
    for (n, (_, _, id)) in (1..).zip(expected) {
        assert_eq!(end(&bench, &now, 10 + n).await, Ended::Now);
        assert_eq!(bench.load(own).await.1, [id].into());
        let claimed = bench.ledger().claim(id, 1, at(10 + n)).await;
        now = claimed.expect("an answer").expect("an offer");
    }
}

/// A workspace where one waits again under `hold` since 1, and another one runs.
async fn held(bench: &impl Bench, hold: Hold) -> (WorkspaceId, Request, Request) {
    let own = bench.workspace(2).await;
    let first = bench.running(request(own, 0)).await;
    let second = bench.running(request(own, 0)).await;
    let put = bench.ledger().requeue(&first, hold, "why", true, at(1));
    assert!(put.await.expect("an answer"));
    (own, bench.row(first.id).await, second)
}

async fn an_end_is_as_good_as_the_moment_it_was_told_to_wait_for(bench: impl Bench) {
    let hold = Hold::Until {
        at: at(100),
        since: at(1),
    };
    let (_, waiting, running) = held(&bench, hold).await;
    assert_eq!(end(&bench, &running, 2).await, Ended::Now);
    let expected = then_offered(waiting, at(2));
    assert_eq!(bench.row(expected.id).await, expected);
    assert_eq!(bench.jobs().await, [job(expected.id, 2)]);
}

/// The slot is free, whoever waits still waits, and somebody must look.
async fn is_looked_at(bench: &impl Bench, own: WorkspaceId, running: &Request, seconds: i64) {
    let line = bench.line(own).await;
    let jobs = bench.jobs().await;
    assert_eq!(end(bench, running, seconds).await, Ended::LookAtLine);
    let after = bench.line(own).await;
    assert_eq!(after.entries, line.entries);
    let expected = Counts {
        running: line.load.counts.running - 1,
        done: line.load.counts.done + 1,
        ..line.load.counts
    };
    assert_eq!(after.load.counts, expected);
    assert!(!after.load.slots.contains_key(&running.id.to_string()));
    assert_eq!(bench.jobs().await, jobs);
}

async fn a_held_one_is_looked_at(bench: impl Bench) {
    let (own, _, running) = held(&bench, Hold::Capacity(at(1))).await;
    // Not even a beat that shows capacity: whoever looks at the line decides that.
    bench.beat(own, 0, at(2)).await;
    is_looked_at(&bench, own, &running, 3).await;
}

async fn an_expired_one_is_looked_at(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    bench.waiting(hasty(own, 1, 10)).await;
    is_looked_at(&bench, own, &first, 11).await;
}

async fn one_that_needs_no_slot_is_looked_at(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    bench.gate(own, Gate::Wake).await;
    bench.waiting(slotless(own, 1)).await;
    bench.waiting(request(own, 2)).await;
    bench.gate(own, Gate::Open).await;
    is_looked_at(&bench, own, &first, 3).await;
}

async fn a_gate_that_is_not_open_keeps_the_line(bench: impl Bench) {
    for gate in [Gate::Wake, Gate::Paused, Gate::Closed] {
        let own = bench.workspace(1).await;
        let first = bench.running(request(own, 0)).await;
        bench.waiting(request(own, 1)).await;
        bench.gate(own, gate).await;
        is_looked_at(&bench, own, &first, 3).await;
    }
}

async fn who_had_no_slot_hands_none_over(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let free = bench.running(slotless(own, 1)).await;
    let late = bench.waiting(request(own, 2)).await;
    assert_eq!(end(&bench, &free, 3).await, Ended::Now);
    assert_eq!(bench.load(own).await.1, [first.id].into());
    assert_eq!(bench.queue(own).await, [late.id]);
    assert_eq!(bench.jobs().await, []);
}

async fn counters_without_a_line_are_looked_at(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    bench.crowd(own, 1).await;
    is_looked_at(&bench, own, &first, 3).await;
}

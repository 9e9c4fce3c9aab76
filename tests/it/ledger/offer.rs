//! Offering one that waits: only while its slot, its place and its fence are as they were seen.

use domain::request::{Hold, OFFER, Request};
use store::ledger::{Counts, Due, Ended, Entry, Ledger as _};

use super::{
    becomes::then_offered,
    bench::{Bench, Gate},
    make::{NONE, answered, at, job, request, slotless},
};

cases! {
    one_that_waits_is_offered
    whoever_was_seen_may_go_first_or_not
    without_a_free_slot_nobody_goes
    without_a_slot_one_needs_none
    only_an_open_gate_lets_pass
    an_old_sight_of_it_is_no_use
    nobody_goes_where_there_are_no_slots_any_more
}

async fn offer(bench: &impl Bench, request: &Request) -> bool {
    let entry = Entry::of(request);
    let offered = bench.ledger().offer(request.target, &entry, at(9)).await;
    offered.expect("an answer")
}

/// Nothing changes, but that it is not offered.
async fn stays(bench: &impl Bench, request: &Request) {
    let (line, jobs) = (bench.line(request.target).await, bench.jobs().await);
    assert!(!offer(bench, request).await);
    assert_eq!(bench.line(request.target).await, line);
    assert_eq!(bench.jobs().await, jobs);
}

/// A request that waits though a slot is free.
async fn put_back(bench: &impl Bench, request: Request, hold: Hold) -> Request {
    let one = bench.running(request).await;
    let put = bench.ledger().requeue(&one, hold, "why", true, at(1));
    assert!(put.await.expect("an answer"));
    bench.row(one.id).await
}

async fn one_that_waits_is_offered(bench: impl Bench) {
    let own = bench.workspace(1).await;
    // Whether the hold is over is for whoever looks to say.
    let one = put_back(&bench, request(own, 0), Hold::Capacity(at(1))).await;
    assert!(offer(&bench, &one).await);
    let expected = then_offered(one, at(9));
    assert_eq!((expected.fence, expected.redelivered), (2, true));
    assert_eq!(bench.row(expected.id).await, expected);
    let counts = Counts {
        accepted: 1,
        running: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [expected.id].into()));
    let line = bench.line(own).await;
    assert_eq!(line.load.slots[&expected.id.to_string()], expected.chain);
    assert_eq!(line.entries, []);
    assert_eq!(bench.jobs().await, [job(expected.id, 2)]);
    bench.is_due(Due::Request(expected.id), at(9) + OFFER).await;
}

async fn whoever_was_seen_may_go_first_or_not(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let first = put_back(&bench, request(own, 0), Hold::None).await;
    let second = bench.waiting(request(own, 1)).await;
    assert!(offer(&bench, &second).await);
    assert_eq!(bench.queue(own).await, [first.id]);
    assert!(offer(&bench, &first).await);
    let ids = [first.id, second.id].into();
    assert_eq!(bench.load(own).await.1, ids);
}

async fn without_a_free_slot_nobody_goes(bench: impl Bench) {
    let own = bench.workspace(1).await;
    bench.offered(request(own, 0)).await;
    let late = bench.waiting(request(own, 1)).await;
    stays(&bench, &late).await;
    assert_eq!(bench.row(late.id).await, late);
}

async fn without_a_slot_one_needs_none(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.offered(request(own, 0)).await;
    let free = put_back(&bench, slotless(own, 1), Hold::None).await;
    assert!(offer(&bench, &free).await);
    assert_eq!(bench.load(own).await.1, [first.id].into());
    assert_eq!(bench.jobs().await, [job(free.id, 2)]);
}

async fn only_an_open_gate_lets_pass(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let one = put_back(&bench, request(own, 0), Hold::None).await;
    let free = put_back(&bench, slotless(own, 0), Hold::None).await;
    for gate in [Gate::Wake, Gate::Paused, Gate::Closed] {
        bench.gate(own, gate).await;
        stays(&bench, &one).await;
        stays(&bench, &free).await;
    }
    bench.gate(own, Gate::Open).await;
    assert!(offer(&bench, &one).await && offer(&bench, &free).await);
}

async fn an_old_sight_of_it_is_no_use(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let one = put_back(&bench, request(own, 0), Hold::None).await;
    let wrong = Request {
        fence: 0,
        ..one.clone()
    };
    stays(&bench, &wrong).await;
    assert!(offer(&bench, &one).await);
    stays(&bench, &one).await;
    let offered = bench.row(one.id).await;
    let put = bench
        .ledger()
        .requeue(&offered, Hold::None, "why", true, at(10));
    assert!(put.await.expect("an answer"));
    // In line again, under another fence.
    stays(&bench, &one).await;
    let ended = bench.ledger().finish(&one, &answered(&one), at(11)).await;
    assert_eq!(ended.expect("an answer"), Ended::Now);
    stays(&bench, &offered).await;
    stays(&bench, &request(own, 12)).await;
}

async fn nobody_goes_where_there_are_no_slots_any_more(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let one = put_back(&bench, request(own, 0), Hold::None).await;
    bench.forget(own).await;
    assert!(!offer(&bench, &one).await);
    assert_eq!(bench.row(one.id).await, one);
    assert_eq!(bench.jobs().await, []);
}

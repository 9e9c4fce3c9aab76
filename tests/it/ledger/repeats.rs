//! Repeats, by their key: found while they may still be asked for, free when the first try never
//! reached its agent.

use domain::request::{EXPIRY, Hold, Request, State};
use store::ledger::{Accepted, Ending, Ledger as _};

use super::{
    bench::{Bench, Gate},
    make::{answered, at, ended, failed, named, seconds},
};

cases! {
    a_repeat_finds_the_first_and_records_nothing
    a_repeat_is_told_whatever_the_gate
    a_refused_one_leaves_no_key
    a_key_ends
    a_failure_that_never_arrived_frees_the_key
    what_may_have_arrived_keeps_the_key
}

fn repeat(first: &Request) -> Accepted {
    let own = first.idempotency.as_ref().expect("a key");
    Accepted::Repeat {
        of: first.id,
        digest: own.digest.clone(),
    }
}

async fn a_repeat_finds_the_first_and_records_nothing(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let first = bench.offered(named(own, 0, "key", "one")).await;
    for digest in ["one", "other"] {
        let again = named(own, 1, "key", digest);
        assert_eq!(bench.accept(&again).await, repeat(&first));
        let by_queue = bench.ledger().accept(&again, true).await;
        assert_eq!(by_queue.expect("an answer"), repeat(&first));
        let found = bench.ledger().request(again.id).await;
        assert_eq!(found.expect("an answer"), None);
    }
    assert_eq!(bench.load(own).await.0.accepted, 1);
    assert_eq!(bench.jobs().await, []);
    bench.offered(named(own, 2, "another", "one")).await;
    // One that waits is found as well.
    let late = bench.waiting(named(own, 3, "late", "one")).await;
    let again = named(own, 4, "late", "one");
    assert_eq!(bench.accept(&again).await, repeat(&late));
    assert_eq!(bench.queue(own).await, [late.id]);
}

async fn a_repeat_is_told_whatever_the_gate(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.offered(named(own, 0, "key", "one")).await;
    let again = named(own, 1, "key", "one");
    for gate in [Gate::Wake, Gate::Paused, Gate::Closed] {
        bench.gate(own, gate).await;
        assert_eq!(bench.accept(&again).await, repeat(&first), "{gate:?}");
    }
    bench.purge(own, at(2)).await;
    assert_eq!(bench.accept(&again).await, repeat(&first));
    bench.forget(own).await;
    assert_eq!(bench.accept(&again).await, repeat(&first));
}

async fn a_refused_one_leaves_no_key(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let one = named(own, 0, "key", "one");
    bench.gate(own, Gate::Paused).await;
    assert_eq!(bench.accept(&one).await, Accepted::Paused);
    bench.gate(own, Gate::Open).await;
    bench.offered(one).await;
}

async fn a_key_ends(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let first = bench.offered(named(own, 0, "key", "one")).await;
    let end = first.valid_until + EXPIRY;
    let mut again = named(own, 0, "key", "two");
    again.accepted_at = end;
    again.valid_until = end + EXPIRY;
    assert_eq!(bench.accept(&again).await, repeat(&first));
    again.accepted_at = end + seconds(1);
    let second = bench.offered(again).await;
    let mut third = named(own, 0, "key", "three");
    third.accepted_at = second.accepted_at + seconds(1);
    assert_eq!(bench.accept(&third).await, repeat(&second));
}

/// Ends a running request with a key, and tries it again.
async fn after(bench: &impl Bench, end: impl Fn(&Request) -> Ending, redelivered: bool) -> bool {
    let own = bench.workspace(2).await;
    let key = own.to_string();
    let mut first = bench.running(named(own, 0, &key, "one")).await;
    if redelivered {
        let put = bench
            .ledger()
            .requeue(&first, Hold::None, "why", true, at(1));
        assert!(put.await.expect("an answer"));
        first = bench.row(first.id).await;
    }
    let ended = bench.ledger().finish(&first, &end(&first), at(2)).await;
    ended.expect("an answer");
    match bench.accept(&named(own, 3, &key, "one")).await {
        Accepted::Offered => true,
        kept => {
            assert_eq!(kept, repeat(&first));
            false
        }
    }
}

async fn a_failure_that_never_arrived_frees_the_key(bench: impl Bench) {
    for state in [State::Failed, State::Expired, State::Dropped] {
        let freed = after(&bench, |it| ended(it, state), false).await;
        assert!(freed, "{state}");
    }
}

async fn what_may_have_arrived_keeps_the_key(bench: impl Bench) {
    let unconfirmed = |it: &Request| Ending {
        delivery_confirmed: false,
        answered: false,
        status: 500,
        ..answered(it)
    };
    let confirmed = |it: &Request| Ending {
        delivery_confirmed: true,
        ..failed(it, "the reply was lost")
    };
    assert!(!after(&bench, answered, false).await, "completed");
    assert!(!after(&bench, unconfirmed, false).await, "completed, 500");
    assert!(!after(&bench, confirmed, false).await, "confirmed");
    let unknown = |it: &Request| failed(it, "outcome_unknown: broken");
    assert!(!after(&bench, unknown, false).await, "unknown");
    let refused = |it: &Request| failed(it, "refused");
    assert!(!after(&bench, refused, true).await, "redelivered");
}

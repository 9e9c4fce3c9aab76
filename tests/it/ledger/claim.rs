//! Claims and leases: one delivery at a time, by the fence of the last offer.

use domain::{
    RequestId,
    request::{Hold, LEASE, OFFER},
};
use store::ledger::{Due, Ended, Ledger as _};

use super::{
    becomes::{as_offered, then_running},
    bench::Bench,
    make::{answered, at, request, seconds},
};

cases! {
    an_offer_is_claimed_once
    what_is_not_offered_is_not_claimed
    an_offer_by_the_line_has_its_own_fence
    a_lease_is_renewed_while_it_holds
    an_expired_offer_can_still_be_claimed
}

async fn claims(bench: &impl Bench, id: RequestId, fence: u32) -> bool {
    let claimed = bench.ledger().claim(id, fence, at(50)).await;
    claimed.expect("an answer").is_some()
}

async fn an_offer_is_claimed_once(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.offered(request(own, 0)).await;
    let before = bench.line(own).await;
    for fence in [0, 2] {
        assert!(!claims(&bench, first.id, fence).await, "{fence}");
    }
    assert_eq!(bench.row(first.id).await, first);
    let expected = then_running(first.clone(), at(5));
    let claimed = bench.ledger().claim(first.id, 1, at(5)).await;
    assert_eq!(claimed.expect("an answer").as_ref(), Some(&expected));
    assert!(!claims(&bench, first.id, 1).await);
    assert_eq!(bench.row(first.id).await, expected);
    assert_eq!(bench.line(own).await, before);
    bench.is_due(Due::Request(first.id), at(5) + LEASE).await;
}

async fn what_is_not_offered_is_not_claimed(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.offered(request(own, 0)).await;
    let late = bench.waiting(request(own, 1)).await;
    assert!(!claims(&bench, late.id, late.fence).await, "it waits");
    let ended = bench
        .ledger()
        .finish(&first, &answered(&first), at(2))
        .await;
    assert_eq!(ended.expect("an answer"), Ended::Now);
    assert!(!claims(&bench, first.id, 1).await, "it has ended");
    let nobody = store::ledger::new_id();
    assert!(!claims(&bench, nobody, 1).await, "there is none");
}

async fn an_offer_by_the_line_has_its_own_fence(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let ledger = bench.ledger();
    let put = ledger.requeue(&first, Hold::None, "why", false, at(1));
    assert!(put.await.expect("an answer"));
    let entries = bench.line(own).await.entries;
    let offered = ledger.offer(own, &entries[0], at(2)).await;
    assert!(offered.expect("an answer"));
    assert!(!claims(&bench, first.id, 1).await, "an old job");
    assert!(claims(&bench, first.id, 2).await);
    assert_eq!(bench.row(first.id).await.attempts, 2);
    let renewed = ledger.renew(first.id, 1, at(51)).await;
    assert!(!renewed.expect("an answer"), "an old delivery");
}

async fn a_lease_is_renewed_while_it_holds(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let ledger = bench.ledger();
    let mut first = bench.offered(request(own, 0)).await;
    let renewed = ledger.renew(first.id, 1, at(1)).await;
    assert!(!renewed.expect("an answer"), "not claimed yet");
    assert_eq!(bench.row(first.id).await, as_offered(&first));
    first = then_running(first, at(2));
    assert!(claims_at(&bench, first.id, 2).await);
    for (fence, expected) in [(0, false), (1, true), (2, false)] {
        let renewed = ledger.renew(first.id, fence, at(20)).await;
        assert_eq!(renewed.expect("an answer"), expected, "{fence}");
    }
    first.lease_until = Some(at(20) + LEASE);
    assert_eq!(bench.row(first.id).await, first);
    // Whoever meets the entry moves it: a write a minute instead of four.
    bench.is_due(Due::Request(first.id), at(2) + LEASE).await;
    // A lease that ran out holds until somebody takes it away.
    let late = ledger.renew(first.id, 1, at(900)).await;
    assert!(late.expect("an answer"));
    let ended = ledger.finish(&first, &answered(&first), at(901)).await;
    ended.expect("an answer");
    for id in [first.id, store::ledger::new_id()] {
        let renewed = ledger.renew(id, 1, at(902)).await;
        assert!(!renewed.expect("an answer"));
    }
}

async fn claims_at(bench: &impl Bench, id: RequestId, seconds: i64) -> bool {
    let claimed = bench.ledger().claim(id, 1, at(seconds)).await;
    claimed.expect("an answer").is_some()
}

async fn an_expired_offer_can_still_be_claimed(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.offered(request(own, 0)).await;
    let late = at(0) + OFFER + seconds(1);
    let claimed = bench.ledger().claim(first.id, 1, late).await;
    let expected = then_running(first, late);
    assert_eq!(claimed.expect("an answer"), Some(expected));
}

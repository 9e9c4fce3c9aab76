//! Requests that outlive their workspace: each still comes to its end.

use domain::request::{Hold, State};
use store::ledger::{Due, Ended, Ledger as _};

use super::{
    bench::Bench,
    make::{answered, at, ended, request, slotless, then_ended},
};

cases! {
    whatever_state_it_is_in_it_ends
    it_is_claimed_and_renewed_but_not_put_back
    who_waits_waits_until_it_is_let_go
}

async fn whatever_state_it_is_in_it_ends(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let running = bench.running(request(own, 0)).await;
    let offered = bench.offered(request(own, 0)).await;
    let free = bench.running(slotless(own, 0)).await;
    let late = bench.waiting(request(own, 1)).await;
    bench.purge(own).await;
    for one in [running, offered, free, late] {
        let ending = ended(&one, State::Dropped);
        let ended = bench.ledger().finish(&one, &ending, at(9)).await;
        assert_eq!(ended.expect("an answer"), Ended::Now, "{}", one.state);
        bench.has_ended(one.id, State::Dropped).await;
        let expected = then_ended(one, &ending, at(9));
        assert_eq!(bench.row(expected.id).await, expected);
        let ended = bench
            .ledger()
            .finish(&expected, &answered(&expected), at(10))
            .await;
        assert_eq!(ended.expect("an answer"), Ended::Before);
    }
    let line = bench.ledger().line(own).await;
    assert_eq!(line.expect("an answer"), None);
    assert_eq!(bench.jobs().await, []);
}

async fn it_is_claimed_and_renewed_but_not_put_back(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let offered = bench.offered(request(own, 0)).await;
    bench.purge(own).await;
    let ledger = bench.ledger();
    let put = ledger.requeue(&offered, Hold::None, "why", false, at(1));
    assert!(!put.await.expect("an answer"));
    let claimed = ledger.claim(offered.id, 1, at(1)).await;
    let running = claimed.expect("an answer").expect("an offer");
    let renewed = ledger.renew(running.id, 1, at(2)).await;
    assert!(renewed.expect("an answer"));
    let put = ledger.requeue(&running, Hold::None, "why", true, at(3));
    assert!(!put.await.expect("an answer"));
    assert_eq!(bench.row(running.id).await.state, State::Running);
}

async fn who_waits_waits_until_it_is_let_go(bench: impl Bench) {
    let own = bench.workspace(1).await;
    bench.offered(request(own, 0)).await;
    let (second, third) = (request(own, 1), request(own, 2));
    let (second, third) = (bench.waiting(second).await, bench.waiting(third).await);
    bench.purge(own).await;
    let place = async |one| bench.ledger().place(one).await.expect("an answer");
    assert_eq!(place(&third).await, (2, 2));
    bench
        .is_due(Due::Request(second.id), second.valid_until)
        .await;
    let ending = ended(&second, State::Expired);
    let ended = bench.ledger().finish(&second, &ending, at(3)).await;
    assert_eq!(ended.expect("an answer"), Ended::Now);
    assert_eq!(place(&third).await, (1, 1));
}

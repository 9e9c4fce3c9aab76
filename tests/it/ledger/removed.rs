//! Requests that outlive their workspace, or even its load: each still comes to its end.

use domain::{
    job::Job,
    request::{Hold, State},
};
use store::ledger::{Counts, Due, Ended, Entry, Ledger as _};

use super::{
    becomes::then_ended,
    bench::{Bench, Gate},
    make::{NONE, answered, at, ended, request, slotless},
};

cases! {
    a_purge_keeps_the_books_of_those_who_run_or_wait
    a_purge_with_nobody_there_keeps_nothing
    whatever_state_it_is_in_it_ends
    it_is_claimed_and_renewed_but_not_put_back
    who_waits_waits_until_it_is_let_go
}

async fn a_purge_keeps_the_books_of_those_who_run_or_wait(bench: impl Bench) {
    let own = bench.workspace(1).await;
    bench.beat(own, 1, at(0)).await;
    let first = bench.running(request(own, 0)).await;
    let late = bench.waiting(request(own, 1)).await;
    let before = bench.line(own).await;
    bench.purge(own, at(3)).await;
    let line = bench.line(own).await;
    assert_eq!(line.load.gate, Gate::Closed);
    assert_eq!(line.load.counts, before.load.counts);
    assert_eq!(line.entries, before.entries);
    assert_eq!((line.beat_at, line.active_tasks), (None, 0));
    let look = Job::OfferV1 { workspace_id: own };
    assert_eq!(bench.jobs().await, [look]);
    let put = bench
        .ledger()
        .requeue(&first, Hold::None, "why", false, at(4));
    assert!(!put.await.expect("an answer"), "nobody waits anew");
    for one in [&late, &first] {
        let ending = ended(one, State::Dropped);
        let ended = bench.ledger().finish(one, &ending, at(5)).await;
        assert_eq!(ended.expect("an answer"), Ended::Now);
    }
    let counts = Counts {
        accepted: 2,
        dropped: 2,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [].into()));
    // Nobody hears of the hint any more.
    bench.ledger().look_again(own, None).await.expect("written");
    bench.is_never_due(Due::Line(own)).await;
}

async fn a_purge_with_nobody_there_keeps_nothing(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let ended = bench
        .ledger()
        .finish(&first, &answered(&first), at(1))
        .await;
    ended.expect("an answer");
    bench.purge(own, at(3)).await;
    let line = bench.ledger().line(own).await;
    assert_eq!(line.expect("an answer"), None);
    assert_eq!(bench.row(first.id).await.state, State::Completed);
}

async fn whatever_state_it_is_in_it_ends(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let running = bench.running(request(own, 0)).await;
    let offered = bench.offered(request(own, 0)).await;
    let free = bench.running(slotless(own, 0)).await;
    let late = bench.waiting(request(own, 1)).await;
    bench.forget(own).await;
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
    // And nobody is left in line.
    let line = bench.ledger().line(own).await;
    assert_eq!(line.expect("an answer"), None);
    assert_eq!(bench.jobs().await, []);
}

async fn it_is_claimed_and_renewed_but_not_put_back(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let offered = bench.offered(request(own, 0)).await;
    bench.forget(own).await;
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
    bench.forget(own).await;
    let place = async |one| bench.ledger().place(one).await.expect("an answer");
    assert_eq!(place(&third).await, (2, 2));
    let line = bench.line(own).await;
    assert_eq!(line.load.gate, Gate::Closed);
    assert_eq!(line.entries, [Entry::of(&second), Entry::of(&third)]);
    bench
        .is_due(Due::Request(second.id), second.valid_until)
        .await;
    let ending = ended(&second, State::Expired);
    let ended = bench.ledger().finish(&second, &ending, at(3)).await;
    assert_eq!(ended.expect("an answer"), Ended::Now);
    assert_eq!(place(&third).await, (1, 1));
}

//! Ending a request in whatever state it is: the first result of any fence stands.

use domain::{
    activity::Source,
    request::{Hold, State},
};
use store::ledger::{Counts, Ended, Ending, Ledger as _};

use super::{
    becomes::then_ended,
    bench::Bench,
    make::{NONE, answered, at, ended, failed, request, slotless},
};

cases! {
    a_running_one_ends_with_its_result
    each_end_has_its_counter
    an_offered_one_ends_before_anybody_claims_it
    a_waiting_one_leaves_the_line
    the_first_end_stands
    whoever_read_it_earlier_may_end_it
    whoever_gives_up_must_have_seen_it_as_it_is
    nobody_ends_what_is_not_there
    the_asker_got_an_answer
}

async fn finish(bench: &impl Bench, request: &domain::request::Request, ending: &Ending) -> Ended {
    let ended = bench.ledger().finish(request, ending, at(9)).await;
    ended.expect("an answer")
}

async fn a_running_one_ends_with_its_result(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let ending = answered(&first);
    assert_eq!(finish(&bench, &first, &ending).await, Ended::Now);
    bench.has_ended(first.id, State::Completed).await;
    let expected = then_ended(first, &ending, at(9));
    assert_eq!(bench.row(expected.id).await, expected);
    let counts = Counts {
        accepted: 1,
        done: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [].into()));
    assert_eq!(bench.jobs().await, []);
}

async fn each_end_has_its_counter(bench: impl Bench) {
    let own = bench.workspace(1).await;
    for state in [State::Failed, State::Expired, State::Dropped] {
        let one = bench.running(request(own, 0)).await;
        let ending = ended(&one, state);
        assert_eq!(finish(&bench, &one, &ending).await, Ended::Now);
        bench.has_ended(one.id, state).await;
        let expected = then_ended(one, &ending, at(9));
        assert_eq!(bench.row(expected.id).await, expected);
    }
    let counts = Counts {
        accepted: 3,
        failed: 1,
        expired: 1,
        dropped: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [].into()));
}

async fn an_offered_one_ends_before_anybody_claims_it(bench: impl Bench) {
    let own = bench.workspace(1).await;
    for one in [request(own, 0), slotless(own, 0)] {
        let one = bench.offered(one).await;
        let ending = failed(&one, "why");
        assert_eq!(finish(&bench, &one, &ending).await, Ended::Now);
        let expected = then_ended(one, &ending, at(9));
        assert_eq!(bench.row(expected.id).await, expected);
    }
    let counts = Counts {
        accepted: 2,
        failed: 2,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [].into()));
}

async fn a_waiting_one_leaves_the_line(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let second = bench.waiting(request(own, 1)).await;
    let third = bench.waiting(request(own, 2)).await;
    let ending = ended(&second, State::Expired);
    assert_eq!(finish(&bench, &second, &ending).await, Ended::Now);
    bench.has_ended(second.id, State::Expired).await;
    let counts = Counts {
        accepted: 3,
        waiting: 1,
        running: 1,
        expired: 1,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [first.id].into()));
    assert_eq!(bench.queue(own).await, [third.id]);
    let expected = then_ended(second, &ending, at(9));
    assert_eq!(bench.row(expected.id).await, expected);
}

async fn the_first_end_stands(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let ending = failed(&first, "why");
    assert_eq!(finish(&bench, &first, &ending).await, Ended::Now);
    let (row, line) = (bench.row(first.id).await, bench.line(own).await);
    // Whether it is known to have ended or not.
    for seen in [&first, &row] {
        let ended = finish(&bench, seen, &answered(&first)).await;
        assert_eq!(ended, Ended::Before, "{}", seen.state);
        assert_eq!(bench.row(first.id).await, row);
        assert_eq!(bench.line(own).await, line);
    }
}

async fn whoever_read_it_earlier_may_end_it(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let ledger = bench.ledger();
    let offered = bench.offered(request(own, 0)).await;
    let claimed = ledger.claim(offered.id, 1, at(1)).await;
    let running = claimed.expect("an answer").expect("an offer");
    let ending = answered(&offered);
    assert_eq!(finish(&bench, &offered, &ending).await, Ended::Now);
    let expected = then_ended(running, &ending, at(9));
    assert_eq!(bench.row(offered.id).await, expected);

    // Its delivery lost the lease, and the request is in line, or offered again.
    for again in [false, true] {
        let lost = bench.running(request(own, 2)).await;
        let put = ledger.requeue(&lost, Hold::None, "why", true, at(3));
        assert!(put.await.expect("an answer"));
        if again {
            let entry = bench.line(own).await.entries.remove(0);
            let offered = ledger.offer(own, &entry, at(4)).await;
            assert!(offered.expect("an answer"));
        }
        let row = bench.row(lost.id).await;
        let ending = answered(&lost);
        assert_eq!(finish(&bench, &lost, &ending).await, Ended::Now);
        assert_eq!(bench.row(lost.id).await, then_ended(row, &ending, at(9)));
        assert!(bench.queue(own).await.is_empty());
    }
    let counts = Counts {
        accepted: 3,
        done: 3,
        ..NONE
    };
    assert_eq!(bench.load(own).await, (counts, [].into()));
}

async fn whoever_gives_up_must_have_seen_it_as_it_is(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let offered = bench.offered(request(own, 0)).await;
    let claimed = bench.ledger().claim(offered.id, 1, at(1)).await;
    let running = claimed.expect("an answer").expect("an offer");
    let line = bench.line(own).await;
    for state in [State::Expired, State::Dropped] {
        let ending = ended(&offered, state);
        assert_eq!(finish(&bench, &offered, &ending).await, Ended::Before);
    }
    assert_eq!(bench.row(running.id).await, running);
    assert_eq!(bench.line(own).await, line);
}

async fn nobody_ends_what_is_not_there(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let never = request(own, 0);
    let ended = finish(&bench, &never, &answered(&never)).await;
    assert_eq!(ended, Ended::Before);
    let found = bench.ledger().request(never.id).await;
    assert_eq!(found.expect("an answer"), None);
    assert_eq!(bench.load(own).await, (NONE, [].into()));
}

async fn the_asker_got_an_answer(bench: impl Bench) {
    let (own, asker) = (bench.workspace(2).await, bench.workspace(1).await);
    let told = async |id| bench.line(id).await.load.last_outbound_at;
    let by = |caller, slot| {
        let mut one = request(own, 0);
        (one.caller, one.slot) = (Source::Workspace(caller), slot);
        one
    };
    let one = bench.running(by(asker, true)).await;
    finish(&bench, &one, &failed(&one, "why")).await;
    assert_eq!((told(asker).await, told(own).await), (None, None));
    let one = bench.running(by(asker, true)).await;
    finish(&bench, &one, &answered(&one)).await;
    assert_eq!((told(asker).await, told(own).await), (Some(at(9)), None));
    // A call to oneself.
    let one = bench.running(by(own, false)).await;
    finish(&bench, &one, &answered(&one)).await;
    assert_eq!(told(own).await, Some(at(9)));
    // A person has no load, and who is gone has none any more.
    let gone = domain::WorkspaceId::random();
    for one in [request(own, 1), by(gone, true)] {
        let one = bench.running(one).await;
        let ended = finish(&bench, &one, &answered(&one)).await;
        assert_eq!(ended, Ended::Now);
        bench.has_ended(one.id, State::Completed).await;
    }
}

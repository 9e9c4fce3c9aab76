//! Looking at a line: who waits, what the agent said last, when to look again.

use domain::request::LOOK_AGAIN;
use store::ledger::{Due, Ended, Entry, Ledger as _, Line, Load};

use super::{
    bench::Bench,
    make::{answered, at, request},
};

cases! {
    nobody_has_no_line
    an_empty_line
    the_first_of_many
    a_place_is_counted_from_one
    what_the_agent_said_last
    a_line_with_somebody_is_looked_at_again
    an_empty_line_rests
}

async fn nobody_has_no_line(bench: impl Bench) {
    let nobody = domain::WorkspaceId::random();
    let ledger = bench.ledger();
    assert_eq!(ledger.line(nobody).await.expect("an answer"), None);
    let place = ledger.place(&request(nobody, 0)).await;
    assert_eq!(place.expect("an answer"), (0, 0));
    for at in [Some(at(0)), None] {
        ledger.look_again(nobody, at).await.expect("no matter");
    }
    bench.is_never_due(Due::Line(nobody)).await;
}

async fn an_empty_line(bench: impl Bench) {
    let own = bench.workspace(3).await;
    let expected = Line {
        load: Load::new(3),
        entries: Vec::new(),
        beat_at: None,
        active_tasks: 0,
        asleep: false,
    };
    assert_eq!(bench.line(own).await, expected);
}

async fn the_first_of_many(bench: impl Bench) {
    let own = bench.workspace(1).await;
    bench.offered(request(own, 0)).await;
    let mut all = Vec::new();
    for n in 1..=27 {
        all.push(bench.waiting(request(own, n)).await);
    }
    let line = bench.line(own).await;
    let entries: Vec<Entry> = all.iter().take(25).map(Entry::of).collect();
    assert_eq!(line.entries, entries);
    assert_eq!(line.load.counts.waiting, 27);
    let place = bench.ledger().place(&all[26]).await;
    assert_eq!(place.expect("an answer"), (27, 27));
}

async fn a_place_is_counted_from_one(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let second = bench.waiting(request(own, 1)).await;
    let third = bench.waiting(request(own, 2)).await;
    let place = async |one| bench.ledger().place(one).await.expect("an answer");
    assert_eq!(place(&first).await, (2, 0));
    assert_eq!(place(&second).await, (2, 1));
    assert_eq!(place(&third).await, (2, 2));
    let ended = bench
        .ledger()
        .finish(&first, &answered(&first), at(3))
        .await;
    assert_eq!(ended.expect("an answer"), Ended::Now);
    assert_eq!(place(&second).await, (1, 0));
    assert_eq!(place(&third).await, (1, 1));
}

async fn what_the_agent_said_last(bench: impl Bench) {
    let own = bench.workspace(1).await;
    for (seconds, tasks) in [(5, 2), (35, 0)] {
        bench.beat(own, tasks, at(seconds)).await;
        let line = bench.line(own).await;
        let said = (line.beat_at, line.active_tasks);
        assert_eq!(said, (Some(at(seconds)), tasks));
    }
}

async fn a_line_with_somebody_is_looked_at_again(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let ledger = bench.ledger();
    let first = bench.running(request(own, 0)).await;
    ledger
        .look_again(own, Some(at(1)))
        .await
        .expect("no matter");
    bench.is_never_due(Due::Line(own)).await;
    bench.waiting(request(own, 2)).await;
    bench.is_due(Due::Line(own), at(2) + LOOK_AGAIN).await;
    for seconds in [10, 400] {
        let look = ledger.look_again(own, Some(at(seconds)));
        look.await.expect("written");
        bench.is_due(Due::Line(own), at(seconds)).await;
    }
    // Somebody came since the line was seen empty.
    ledger.look_again(own, None).await.expect("no matter");
    bench.is_due(Due::Line(own), at(400)).await;
    assert!(bench.hint(own).await);
    // The last one in line is offered: it is still looked at once.
    let ended = ledger.finish(&first, &answered(&first), at(5)).await;
    assert_eq!(ended.expect("an answer"), Ended::Now);
    bench.is_due(Due::Line(own), at(400)).await;
}

async fn an_empty_line_rests(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let ledger = bench.ledger();
    let first = bench.running(request(own, 0)).await;
    bench.waiting(request(own, 1)).await;
    let ended = ledger.finish(&first, &answered(&first), at(2)).await;
    assert_eq!(ended.expect("an answer"), Ended::Now);
    assert!(bench.hint(own).await);
    ledger
        .look_again(own, Some(at(3)))
        .await
        .expect("no matter");
    bench.is_due(Due::Line(own), at(1) + LOOK_AGAIN).await;
    ledger.look_again(own, None).await.expect("written");
    bench.is_never_due(Due::Line(own)).await;
    assert!(!bench.hint(own).await);
    // And wakes up with the next to come.
    bench.waiting(request(own, 100)).await;
    bench.is_due(Due::Line(own), at(100) + LOOK_AGAIN).await;
    assert!(bench.hint(own).await);
}

//! What is due: jobs, requests and lines, oldest first, so much of each kind and shard.

use domain::{
    WorkspaceId,
    request::{EXPIRY, LEASE, LOOK_AGAIN, OFFER, Request},
};
use store::{
    keys,
    ledger::{Backlog, Due, JOB_OVERDUE, Ledger as _},
};
use uuid::Uuid;

use super::{
    bench::Bench,
    make::{answered, at, request, seconds},
};

cases! {
    nothing_is_due
    all_three_kinds_are_due_in_their_time
    the_oldest_come_first_whatever_their_shard
    so_much_of_each_kind_and_shard
    a_lease_is_looked_at_later
    what_has_changed_since_is_not_put_off
    a_job_that_was_sent_is_forgotten
}

/// A workspace in this shard.
fn in_shard(shard: u8) -> WorkspaceId {
    let mut bytes = *Uuid::new_v4().as_bytes();
    bytes[15] = shard;
    let id = WorkspaceId::from_uuid(Uuid::from_bytes(bytes));
    assert_eq!(keys::shard(id), shard);
    id
}

/// What is due without the jobs' own names, which nobody knows before.
fn names(due: &[Due]) -> Vec<String> {
    let name = |what: &Due| match what {
        Due::Job(job) => job.job.clone(),
        other => format!("{other:?}"),
    };
    due.iter().map(name).collect()
}

async fn nothing_is_due(bench: impl Bench) {
    let due = bench.ledger().due(at(0), 10).await.expect("an answer");
    assert_eq!(due, Backlog::default());
}

async fn all_three_kinds_are_due_in_their_time(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let (first, late) = (request(own, 0), request(own, 1));
    for one in [&first, &late] {
        bench.ledger().accept(one, true).await.expect("an answer");
    }
    let jobs = bench.jobs().await;
    assert_eq!(jobs.len(), 1);
    let job = serde_json::to_string(&jobs[0]).expect("a job");
    let offered = format!("{:?}", Due::Request(first.id));
    let line = format!("{:?}", Due::Line(own));
    let waiting = format!("{:?}", Due::Request(late.id));
    let (a, b, c) = (at(1) + LOOK_AGAIN, at(0) + OFFER, at(0) + JOB_OVERDUE);
    for (now, expected) in [
        (a, vec![&line]),
        (b, vec![&offered, &line]),
        (c, vec![&job, &offered, &line]),
        (at(1) + EXPIRY, vec![&job, &offered, &waiting, &line]),
    ] {
        let backlog = bench.ledger().due(now, 10).await.expect("an answer");
        assert_eq!(names(&backlog.due).iter().collect::<Vec<_>>(), expected);
        assert_eq!((backlog.oldest, backlog.more), (Some(a), false));
    }
}

/// Requests due in this order, each to a workspace in another shard than the one before.
async fn spread(bench: &impl Bench) -> Vec<Request> {
    let mut all = Vec::new();
    for (n, shard) in (0..).zip([3, 1, 2, 0, 3, 0]) {
        let own = in_shard(shard);
        bench.add(own, 1).await;
        all.push(bench.offered(request(own, n)).await);
        bench.waiting(request(own, n)).await;
    }
    all
}

async fn the_oldest_come_first_whatever_their_shard(bench: impl Bench) {
    let all = spread(&bench).await;
    let due = bench.ledger().due(at(1000), 10).await.expect("an answer");
    let requests = all.iter().map(|one| Due::Request(one.id));
    let lines = all.iter().map(|one| Due::Line(one.target));
    let expected: Vec<Due> = requests.chain(lines).collect();
    assert_eq!(due.due, expected);
    assert_eq!(due.oldest, Some(at(0) + LOOK_AGAIN));
}

async fn so_much_of_each_kind_and_shard(bench: impl Bench) {
    let all = spread(&bench).await;
    for (limit, more) in [(1, true), (2, true), (3, false)] {
        let due = bench.ledger().due(at(1000), limit).await;
        let due = due.expect("an answer");
        // The last two are the second of their shards.
        let seen = if limit == 1 { &all[..4] } else { &all[..] };
        let requests = seen.iter().map(|one| Due::Request(one.id));
        let lines = seen.iter().map(|one| Due::Line(one.target));
        let expected: Vec<Due> = requests.chain(lines).collect();
        assert_eq!((due.due, due.more), (expected, more), "{limit}");
    }
}

async fn a_lease_is_looked_at_later(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let first = bench.running(request(own, 0)).await;
    let ledger = bench.ledger();
    let lease = at(40) + LEASE;
    let renewed = ledger.renew(first.id, 1, at(40)).await;
    assert!(renewed.expect("an answer"));
    let seen = bench.row(first.id).await;
    ledger.postpone(&seen, lease).await.expect("written");
    bench.is_due(Due::Request(first.id), lease).await;
    assert_eq!(bench.row(first.id).await, seen);
    // And sooner again.
    ledger.postpone(&seen, at(41)).await.expect("written");
    bench.is_due(Due::Request(first.id), at(41)).await;
}

async fn what_has_changed_since_is_not_put_off(bench: impl Bench) {
    let own = bench.workspace(1).await;
    let ledger = bench.ledger();
    let offered = bench.offered(request(own, 0)).await;
    let claimed = ledger.claim(offered.id, 1, at(1)).await;
    let running = claimed.expect("an answer").expect("an offer");
    let wrong = Request {
        fence: 2,
        ..running.clone()
    };
    for seen in [&offered, &wrong] {
        ledger.postpone(seen, at(500)).await.expect("no matter");
        bench.is_due(Due::Request(offered.id), at(1) + LEASE).await;
    }
    let ended = ledger.finish(&running, &answered(&running), at(2)).await;
    ended.expect("an answer");
    let ended = bench.row(running.id).await;
    for seen in [&running, &ended, &request(own, 3)] {
        ledger.postpone(seen, at(500)).await.expect("no matter");
        bench.is_never_due(Due::Request(seen.id)).await;
    }
    assert_eq!(bench.row(running.id).await, ended);
}

async fn a_job_that_was_sent_is_forgotten(bench: impl Bench) {
    let own = bench.workspace(2).await;
    let ledger = bench.ledger();
    for n in 0..2 {
        let accepted = ledger.accept(&request(own, n), true).await;
        accepted.expect("an answer");
    }
    let late = at(1) + JOB_OVERDUE + seconds(1);
    let due = ledger.due(late, 10).await.expect("an answer").due;
    let jobs: Vec<_> = due
        .into_iter()
        .filter_map(|what| match what {
            Due::Job(job) => Some(job),
            Due::Request(_) | Due::Line(_) => None,
        })
        .collect();
    assert_eq!(jobs.len(), 2);
    // Twice is as good as once.
    for _ in 0..2 {
        ledger.sent(&jobs[0]).await.expect("written");
        bench
            .is_due(Due::Job(jobs[1].clone()), at(1) + JOB_OVERDUE)
            .await;
        bench.is_never_due(Due::Job(jobs[0].clone())).await;
    }
}

//! An operation played on a ledger.

use domain::request::Request;
use jiff::Timestamp;
use store::ledger::{Accepted, Due, Ended, Ledger as _, Line};

use super::op::Op;
use crate::ledger::{bench::Bench, make::at};

/// What an operation answers.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Accepted(Accepted),
    Request(Option<Box<Request>>),
    Done(bool),
    Ended(Ended),
    Line(Option<Line>),
    Place((usize, usize)),
    Due(Vec<String>, Option<Timestamp>, bool),
    Nothing,
}

pub(super) async fn play(bench: &impl Bench, op: &Op) -> Answer {
    let ledger = bench.ledger();
    match op {
        Op::Accept(request, by_queue) => {
            let accepted = ledger.accept(request, *by_queue).await;
            Answer::Accepted(accepted.expect("an answer"))
        }
        Op::Claim(id, fence, now) => {
            let claimed = ledger.claim(*id, *fence, *now).await;
            Answer::Request(claimed.expect("an answer").map(Box::new))
        }
        Op::Renew(id, fence, now) => {
            Answer::Done(ledger.renew(*id, *fence, *now).await.expect("an answer"))
        }
        Op::Finish(seen, ending, now) => {
            let ended = ledger.finish(seen, ending, *now).await;
            Answer::Ended(ended.expect("an answer"))
        }
        Op::Requeue(seen, hold, redelivered, now) => {
            let put = ledger.requeue(seen, *hold, "why", *redelivered, *now);
            Answer::Done(put.await.expect("an answer"))
        }
        Op::Offer(target, entry, now) => {
            let offered = ledger.offer(*target, entry, *now).await;
            Answer::Done(offered.expect("an answer"))
        }
        Op::LookAgain(target, at) => {
            ledger.look_again(*target, *at).await.expect("an answer");
            Answer::Nothing
        }
        Op::Postpone(seen, at) => {
            ledger.postpone(seen, *at).await.expect("an answer");
            Answer::Nothing
        }
        Op::Send => {
            // The oldest job: each has another name for it.
            let due = ledger.due(at(10_000_000), 500).await.expect("an answer");
            for what in due.due {
                if let Due::Job(job) = what {
                    ledger.sent(&job).await.expect("written");
                    break;
                }
            }
            Answer::Nothing
        }
        Op::Gate(id, gate) => {
            bench.gate(*id, *gate).await;
            Answer::Nothing
        }
        Op::Beat(id, tasks, now) => {
            bench.beat(*id, *tasks, *now).await;
            Answer::Nothing
        }
        Op::Purge(id, now) => {
            bench.purge(*id, *now).await;
            Answer::Nothing
        }
        Op::Forget(id) => {
            bench.forget(*id).await;
            Answer::Nothing
        }
        Op::Place(seen) => Answer::Place(ledger.place(seen).await.expect("an answer")),
        Op::Due(now, limit) => due(bench, *now, *limit).await,
    }
}

pub(super) async fn due(bench: &impl Bench, now: Timestamp, limit: i32) -> Answer {
    let due = bench.ledger().due(now, limit).await.expect("an answer");
    let name = |what: &Due| match what {
        Due::Job(job) => job.job.clone(),
        other => format!("{other:?}"),
    };
    Answer::Due(due.due.iter().map(name).collect(), due.oldest, due.more)
}

/// What it came to, by name.
pub(super) fn name(op: &Op, answer: &Answer) -> String {
    let op = format!("{op:?}");
    let answer = match answer {
        Answer::Due(..) => "Due".to_owned(),
        other => format!("{other:?}"),
    };
    let op = op.split(['(', ' ']).next().unwrap_or_default();
    let mut answer = answer.split(['(', ')', ' ']);
    let answer = [answer.next(), answer.next()].map(Option::unwrap_or_default);
    format!("{op} {}", answer.join(" ").trim_end())
}

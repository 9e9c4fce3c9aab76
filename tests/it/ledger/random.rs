//! The same operations, by the dice, on the table and on its twin: every answer and every state must
//! be the same. Ids and times are arguments, so they can be.

use std::collections::BTreeSet;

use domain::{RequestId, WorkspaceId, activity::Source, request::Request};
use fastrand::Rng;
use futures_util::future::join_all;
use jiff::Timestamp;
use store::ledger::{Accepted, Due, Ended, Ledger, Line};

use super::{
    bench::{Bench, InMemory, Table},
    make::at,
};

mod draw;

use draw::{Op, Seen};

/// How many sequences, and how long each is.
const SEEDS: u64 = 30;
const LENGTH: usize = 40;
/// After so many operations everything is compared, and not only what was touched.
const ALL_AFTER: usize = 20;

/// What an operation answers.
#[derive(Debug, PartialEq)]
enum Answer {
    Accepted(Accepted),
    Request(Option<Box<Request>>),
    Done(bool),
    Ended(Ended),
    Line(Option<Line>),
    Place((usize, usize)),
    Due(Vec<String>, Option<Timestamp>, bool),
    Nothing,
}

async fn play(bench: &impl Bench, op: &Op) -> Answer {
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

async fn due(bench: &impl Bench, now: Timestamp, limit: i32) -> Answer {
    let due = bench.ledger().due(now, limit).await.expect("an answer");
    let name = |what: &Due| match what {
        Due::Job(job) => job.job.clone(),
        other => format!("{other:?}"),
    };
    Answer::Due(due.due.iter().map(name).collect(), due.oldest, due.more)
}

/// What can be seen of a workspace.
async fn place(bench: &impl Bench, id: WorkspaceId) -> (Answer, bool) {
    let line = bench.ledger().line(id).await.expect("an answer");
    (Answer::Line(line), bench.hint(id).await)
}

async fn row(bench: &impl Bench, id: RequestId) -> Answer {
    let row = bench.ledger().request(id).await.expect("an answer");
    Answer::Request(row.map(Box::new))
}

/// Both at once.
macro_rules! same {
    ($ask:ident($table:expr, $twin:expr, $($argument:expr),*), $what:expr) => {
        let (table, twin) = tokio::join!($ask($table, $($argument),*), $ask($twin, $($argument),*));
        assert_eq!(table, twin, "{}", $what);
    };
}

async fn everything(table: &Table, twin: &InMemory, seen: &Seen, what: &str) {
    for id in seen.workspaces() {
        same!(place(table, twin, id), what);
    }
    for id in seen.requests() {
        same!(row(table, twin, id), what);
    }
    for ahead in [0, 45, 10_000_000] {
        same!(due(table, twin, seen.now(ahead), 500), what);
    }
}

/// Plays a sequence; what each operation came to, by name.
async fn run(seed: u64) -> BTreeSet<String> {
    let mut rng = Rng::with_seed(seed);
    let (table, twin) = (Table::new().await, InMemory::new());
    let mut seen = Seen::new(&mut rng);
    for id in seen.workspaces() {
        let slots = rng.i64(1..=2);
        table.add(id, slots).await;
        twin.add(id, slots).await;
    }
    let (mut done, mut names) = (Vec::new(), BTreeSet::new());
    for n in 1..=LENGTH {
        let op = seen.draw(&mut rng);
        done.push(format!("{op:?}"));
        let what = format!("seed {seed}, after\n{}", done.join("\n"));
        let (answer, other) = tokio::join!(play(&table, &op), play(&twin, &op));
        assert_eq!(answer, other, "{what}");
        names.insert(name(&op, &answer));
        if let Some(id) = op.request() {
            same!(row(&table, &twin, id), what);
        }
        for id in seen.workspaces() {
            let line = twin.ledger().line(id).await.expect("an answer");
            same!(place(&table, &twin, id), what);
            seen.line(id, line);
        }
        for id in seen.requests() {
            let row = twin.ledger().request(id).await.expect("an answer");
            seen.row(row);
        }
        if n % ALL_AFTER == 0 {
            everything(&table, &twin, &seen, &what).await;
        }
    }
    names
}

fn name(op: &Op, answer: &Answer) -> String {
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

#[tokio::test]
async fn the_table_and_its_twin_are_alike() {
    let seeds: Vec<u64> = (1..=SEEDS).collect();
    let mut names = BTreeSet::new();
    for some in seeds.chunks(6) {
        let runs = some.iter().map(|seed| run(*seed));
        names.extend(join_all(runs).await.into_iter().flatten());
    }
    // Else nothing was compared.
    for expected in [
        "Accept Accepted Offered",
        "Accept Accepted Waiting",
        "Accept Accepted Repeat",
        "Accept Accepted Paused",
        "Accept Accepted Closed",
        "Claim Request Some",
        "Claim Request None",
        "Renew Done true",
        "Renew Done false",
        "Finish Ended Now",
        "Finish Ended Before",
        "Finish Ended LookAtLine",
        "Requeue Done true",
        "Requeue Done false",
        "Offer Done true",
        "Offer Done false",
        "LookAgain Nothing",
        "Postpone Nothing",
        "Send Nothing",
        "Purge Nothing",
        "Forget Nothing",
    ] {
        assert!(names.contains(expected), "no {expected} in {names:#?}");
    }
}

/// Somebody asks: nobody, a workspace of this run, or one that is gone.
fn caller(rng: &mut Rng, workspaces: &[WorkspaceId]) -> Source {
    match rng.u8(0..4) {
        0 | 1 => Source::Person,
        2 => Source::Workspace(workspaces[rng.usize(0..workspaces.len())]),
        _ => Source::Workspace(WorkspaceId::from_uuid(uuid::Uuid::from_u128(rng.u128(..)))),
    }
}

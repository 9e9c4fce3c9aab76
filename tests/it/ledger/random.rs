//! The same operations, by the dice, on the table and on its twin: every answer and every state must
//! be the same. Ids and times are arguments, so they can be.

use std::collections::BTreeSet;

use domain::{RequestId, WorkspaceId, activity::Source};
use fastrand::Rng;
use futures_util::future::join_all;
use store::ledger::Ledger as _;

use super::bench::{Bench, InMemory, Table};

mod draw;
mod op;
mod play;

use draw::Seen;
use play::{Answer, due, name, play};

/// How many sequences, and how long each is.
const SEEDS: u64 = 30;
const LENGTH: usize = 40;
/// After so many operations everything is compared, and not only what was touched.
const ALL_AFTER: usize = 20;

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

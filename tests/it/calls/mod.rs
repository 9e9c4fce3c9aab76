//! What an operation costs: its calls to AWS, how many of them wait for one another, and the units
//! DynamoDB charges, computed from the bytes of the items.

mod budgets;
mod chat_files;
mod heartbeats;
mod secrets;
mod templates;

use budgets::Budget;
use domain::Mode;
use e2e::{
    cost::Counted,
    counted::{AwsCall, InProcess, PUBLIC, round_trips, show},
};
use serde_json::json;

fn names(calls: &[AwsCall]) -> String {
    let names = calls.iter().map(AwsCall::name);
    names.collect::<Vec<_>>().join(" ").replace("dynamodb:", "")
}

/// What was counted.
struct Count {
    round_trips: usize,
    write_units: usize,
    index_units: usize,
    read_units: f64,
    calls: String,
    others: String,
}

impl Count {
    fn of(calls: Vec<AwsCall>) -> Self {
        let (ours, others): (Vec<_>, Vec<_>) = calls
            .into_iter()
            .partition(|call| call.service == "dynamodb");
        Self {
            round_trips: round_trips(&ours),
            write_units: ours.iter().map(AwsCall::write_units).sum(),
            index_units: ours.iter().map(AwsCall::index_units).sum(),
            read_units: ours.iter().fold(0.0, |sum, call| sum + call.read_units()),
            calls: names(&ours),
            others: names(&others),
        }
    }
}

#[tokio::test]
async fn every_operation_keeps_to_its_budget() {
    let inside = InProcess::weighing(Mode::DevClosed).await;
    let top = inside.online("Top").await;
    let own = inside.child("Own", &top).await;
    let peer = inside.child("Peer", &top).await;
    for workspace in [&own, &peer] {
        inside.register(workspace, PUBLIC).await.expect(200);
    }
    inside.beat(&own, json!({})).await.expect(200);
    // Used once: that is noted, and is not counted here.
    let org = inside.org_token().await;
    inside.get("/workspaces").bearer(&org).await.expect(200);

    let mut table = vec![format!(
        "{:26} round trips  write  index   read  calls",
        "operation (units)"
    )];
    for budget in budgets::of(&inside, &top, &own, &peer, &org) {
        let Budget {
            what,
            round_trips,
            write_units,
            call,
        } = budget;
        let function = call.function();
        let (answer, calls) = call.counted().await;
        Counted::of(what, &function, &calls).leave();
        assert!(
            answer.status < 400 || what == "no such route",
            "{what}: {answer:?}"
        );
        let count = Count::of(calls);
        let line = format!(
            "{what:26} {:>11} {:>6} {:>6} {:>6}  {}",
            count.round_trips, count.write_units, count.index_units, count.read_units, count.calls
        );
        assert!(
            count.round_trips <= round_trips,
            "too many round trips: {line}"
        );
        assert!(
            count.write_units <= write_units,
            "too many write units: {line}"
        );
        assert_eq!(count.others, "", "{what} calls another service");
        table.push(line);
    }
    show(&table.join("\n"));
}

#[tokio::test]
async fn the_list_of_workspaces_reads_one_index_and_full_batches() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let list = inside.get("/workspaces").bearer(&inside.admin);
    let (answer, calls) = list.counted().await;
    let listed = answer.expect(200).json.as_array().expect("a list").len();
    let (queries, gets): (Vec<_>, Vec<_>) =
        calls.iter().partition(|call| call.operation == "Query");
    assert_eq!(queries.len(), 1, "{}", names(&calls));
    let keys = |call: &&AwsCall| {
        let wanted = call.request["RequestItems"].as_object();
        let tables = wanted.into_iter().flatten();
        let keys = tables.filter_map(|(_, it)| it["Keys"].as_array());
        keys.map(Vec::len).sum::<usize>()
    };
    let asked: usize = gets.iter().map(keys).sum();
    assert!(asked >= 3 * listed, "{asked} keys for {listed} workspaces");
    assert_eq!(gets.len(), asked.div_ceil(100), "{asked} keys");
}

//! What the sweeps cost: ten thousand workspaces, and none.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, PutRequest, WriteRequest},
};
use domain::WorkspaceId;
use e2e::{
    cost::Counted,
    counted::{AwsCall, item_bytes, show},
};
use fleet::sweeps::{
    Watch,
    overdue::{self, Overdue},
    silent::{self, Silent, silence::Limits},
};
use futures_util::{StreamExt as _, stream};
use store::keys;

use super::{World, id};

const WORKSPACES: usize = 10_000;
/// The most one batch may write.
const BATCH: usize = 25;
/// A page of a query, and a read unit of an eventual read.
const PAGE: usize = 1024 * 1024;
const UNIT: usize = 8 * 1024;

/// Beats like this one, until there are so many. Returns the bytes of each shard.
async fn fill(world: &World, like: WorkspaceId) -> BTreeMap<u8, usize> {
    let sdk = edge::sdk_config().load().await;
    let (db, table) = (Client::new(&sdk), &world.inside.app.settings.table);
    let key = keys::beat(like);
    let got = db.get_item().table_name(table);
    let got = got.key("pk", AttributeValue::S(key.pk.clone()));
    let got = got.key("sk", AttributeValue::S(key.sk.clone()));
    let beat = got.send().await.expect("an answer").item.expect("there");
    let json = world.inside.scale.item_at(&key).await.expect("there");
    let bytes = item_bytes(&json);
    let mut shards = BTreeMap::from([(keys::shard(like), bytes)]);
    let ids: Vec<_> = (1..WORKSPACES).map(|_| WorkspaceId::random()).collect();
    for id in &ids {
        *shards.entry(keys::shard(*id)).or_default() += bytes;
    }
    let put = |id: &WorkspaceId| {
        let key = keys::beat(*id);
        let mut item: HashMap<_, _> = beat.clone();
        item.insert("pk".to_owned(), AttributeValue::S(key.pk));
        item.insert("sk".to_owned(), AttributeValue::S(key.sk));
        let put = PutRequest::builder().set_item(Some(item)).build();
        let put = put.expect("an item");
        WriteRequest::builder().put_request(put).build()
    };
    let batches = ids.chunks(BATCH).map(|some| {
        let puts = some.iter().map(put).collect();
        let write = db.batch_write_item().request_items(table, puts);
        async move { write.send().await.expect("written") }
    });
    stream::iter(batches)
        .buffer_unordered(4)
        .for_each(|_| async {})
        .await;
    shards
}

/// Its last run, four partitions of beats, this run.
const SILENT: [&str; 6] = [
    "BatchGetItem",
    "Query",
    "Query",
    "Query",
    "Query",
    "UpdateItem",
];
const OVERDUE: [&str; 5] = ["Query", "Query", "Query", "Query", "UpdateItem"];

fn names(calls: &[AwsCall]) -> Vec<&str> {
    calls.iter().map(|call| call.operation.as_str()).collect()
}

#[tokio::test]
async fn ten_thousand_workspaces_are_four_hundred_read_units_a_minute() {
    let world = World::new().await;
    let own = world.inside.online("Own").await;
    let working = serde_json::json!({
        "active_tasks": 1, "current_task": "reading", "uptime_seconds": 86_400,
        "monthly_spend": 1_234, "error_rate": 0.01,
        "runtime_metadata": {"capabilities": {"heartbeat": true}, "idle_timeout_seconds": 600},
    });
    world.inside.beat(&own, working).await.expect(200);
    let shards = fill(&world, id(&own)).await;
    let silent = Silent::over(world.inside.app, Limits::default(), "tests");
    world.inside.wire.take();
    let began = Instant::now();
    let report = silent::sweep(silent, Watch::at(world.after(1))).await;
    let took = began.elapsed();
    let calls = world.inside.wire.take();
    assert_eq!(report.expect("a sweep").found, 0);
    assert_eq!(names(&calls), SILENT);
    for call in &calls[1..5] {
        assert_ne!(call.request["ConsistentRead"], true, "half the price");
        let some = call.request["ProjectionExpression"].as_str();
        assert!(some.is_some_and(|some| !some.contains("tokens")));
    }
    // DynamoDB charges whole items, projected or not.
    let units: usize = shards.values().map(|bytes| bytes.div_ceil(UNIT)).sum();
    let each = shards.values().sum::<usize>() / WORKSPACES;
    assert!(shards.values().all(|bytes| *bytes < PAGE));
    show(&format!(
        "silent: {WORKSPACES} workspaces, {each} bytes each: {units} read units a minute, ${:.2} a month; \
         {:.1} s here",
        f64::from(u32::try_from(units).unwrap_or(u32::MAX)) * 43_800.0 * 0.125e-6,
        took.as_secs_f64()
    ));
    assert!(units < 400, "{units}, and one for its last run");
}

#[tokio::test]
async fn where_nothing_is_a_sweep_is_four_empty_reads_and_a_note() {
    let world = World::new().await;
    let (silent, overdue) = (
        Silent::over(world.inside.app, Limits::default(), "tests"),
        Overdue::over(world.inside.app, "tests"),
    );
    world.inside.wire.take();
    let report = silent::sweep(silent, Watch::start()).await;
    assert_eq!(report.expect("a sweep").found, 0);
    let beats = world.inside.wire.take();
    let report = overdue::sweep(overdue, Watch::start()).await;
    assert_eq!(report.expect("a sweep").found, 0);
    let due = world.inside.wire.take();
    assert_eq!(
        (names(&beats), names(&due)),
        (SILENT.into(), OVERDUE.into())
    );
    for (what, handler, calls) in [
        ("sweep of silent agents, none there", "fleet.silent", &beats),
        ("sweep of late boots, none there", "fleet.overdue", &due),
    ] {
        Counted::of(what, handler, calls).leave();
    }
    for (calls, expected) in [(beats, 3.0), (due, 2.0)] {
        let reads = calls.iter().filter(|call| call.operation != "UpdateItem");
        let units: f64 = reads.map(AwsCall::read_units).sum();
        assert!((units - expected).abs() < f64::EPSILON, "{units}");
    }
}

//! What a tick and a fire cost.

use domain::Mode;
use e2e::{
    Agent,
    cost::Counted,
    counted::{AwsCall, InProcess, round_trips, show},
};
use reqwest::Method;
use schedules::tick::{Ticking, tick};
use serde_json::json;

use crate::calls_messages::permitted;

#[tokio::test]
pub(crate) async fn a_tick_where_nothing_is_due_is_eight_queries_and_a_note_and_a_slot_is_one_transaction()
 {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let (own, agent) = (inside.workspace("Own").await, Agent::start().await);
    inside.register(&own, &agent.url).await.expect(200);
    let path = format!("/workspaces/{}/schedules", own.id);
    let prompt = "p".repeat(10_000);
    let body = json!({"name": "Cost", "cron_expr": "* * * * *", "prompt": prompt});
    let create = inside.call(Method::POST, &path).bearer(&inside.admin);
    let made = create.json(&body).await.expect(201);
    let slot = made.text("next_run_at").parse().expect("a time");
    let ticking = Ticking::over(inside.app, "tests");

    let mut table = Vec::new();
    for (what, now, trips, writes) in [
        ("tick, nothing due", jiff::Timestamp::UNIX_EPOCH, 9, 1),
        ("tick, one slot", slot, 11, 9),
    ] {
        inside.wire.take();
        tick(ticking, now).await.expect("a tick");
        let calls = inside.wire.take();
        permitted("schedules.tick", &calls);
        Counted::of(&format!("schedules {what}"), "schedules.tick", &calls).leave();
        let units: usize = calls.iter().map(AwsCall::write_units).sum();
        assert!(
            round_trips(&calls) <= trips,
            "{what}: {}",
            round_trips(&calls)
        );
        assert!(units <= writes, "{what}: {units} write units");
        let reads: f64 = calls.iter().fold(0.0, |sum, call| sum + call.read_units());
        table.push(format!(
            "{what:20} {} round trips, {units} write and {reads} read units",
            round_trips(&calls)
        ));
    }
    show(&table.join("\n"));
}

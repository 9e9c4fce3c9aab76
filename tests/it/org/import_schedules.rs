//! `POST /org/import`: the schedules of its workspaces (contract: lifecycle-and-sweepers 7.4)

use domain::{Mode, WorkspaceId, schedule::Asked};
use e2e::{
    Answer, World,
    counted::{Fault, InProcess, gate},
};
use jiff::Timestamp;
use reqwest::Method;
use schedules::tick::{Ticking, tick};
use serde_json::{Value, json};
use store::schedules::Placed;

use super::import::import;

/// An organisation of one, with these schedules.
fn org(schedules: Value) -> Value {
    json!({"template": {"name": "Timed", "workspaces": [
        {"name": "Root", "external": true, "schedules": schedules}]}})
}

fn root(answer: &Answer) -> String {
    let id = answer.json["workspaces"][0]["id"].as_str();
    id.expect("an id").to_owned()
}

async fn listed(world: &World, id: &str) -> Vec<Value> {
    let list = world.get(&format!("/workspaces/{id}/schedules"));
    let rows = list.bearer(&world.admin).await.expect(200).json;
    rows.as_array().expect("a list").clone()
}

#[tokio::test]
async fn they_are_made_with_their_workspace() {
    let world = World::new();
    let made = import(&world, &json!({"dir": "trio"})).await.expect(201);
    let rows = listed(&world, &root(&made)).await;
    let short: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!([
                row["name"],
                row["cron_expr"],
                row["timezone"],
                row["source"],
                row["enabled"]
            ])
        })
        .collect();
    let expected = [
        json!([
            "morning",
            "0 8 * * mon-fri",
            "Europe/Berlin",
            "template",
            true
        ]),
        json!(["friday", "0 16 * * fri", "UTC", "template", true]),
    ];
    assert_eq!(short, expected);
    assert_eq!(rows[0]["prompt"], "What is to be done today?");
    let file = include_str!("../../../infra/local/org-templates/trio/lead/friday.md");
    assert_eq!(rows[1]["prompt"], file);
    for row in rows {
        let next: Timestamp = row["next_run_at"]
            .as_str()
            .expect("one")
            .parse()
            .expect("a time");
        assert!(next > Timestamp::now(), "{row}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_one_is_told_and_keeps_no_other() {
    let world = World::new();
    let made = import(
        &world,
        &org(json!([
            {"name": "fine", "cron_expr": "0 9 * * *", "prompt": "one\r\ntwo"},
            {"name": "off", "cron_expr": "0 9 * * *", "prompt": "p", "enabled": false},
            {"name": "silent", "cron_expr": "0 9 * * *", "prompt": "\r\n"},
            {"name": "nowhere", "cron_expr": "0 9 * * *", "prompt": "p", "timezone": "Mars/Olympus"},
            {"name": "no file", "cron_expr": "0 9 * * *", "prompt_file": "../secret.md"},
            {"name": "never", "cron_expr": "0 0 30 2 *", "prompt": "p"},
            {"name": "fine", "cron_expr": "0 10 * * *", "prompt": "again"},
        ])),
    )
    .await
    .expect(201);
    let row = &made.json["workspaces"][0];
    assert_eq!(row["schedules"], 2);
    let skipped = row["schedules_skipped"].as_array().expect("a list");
    let names: Vec<&Value> = skipped.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["silent", "nowhere", "no file", "never"]);
    assert_eq!(skipped[1]["reason"], "invalid timezone: Mars/Olympus");
    assert!(skipped.iter().all(|it| it["reason"] != ""), "{skipped:?}");
    assert_eq!(made.json["skipped"], json!([]));

    let rows = listed(&world, &root(&made)).await;
    let short: Vec<Value> = rows
        .iter()
        .map(|row| json!([row["name"], row["cron_expr"], row["prompt"], row["enabled"]]))
        .collect();
    // The same name again is the same schedule, as the template last says it.
    let expected = [
        json!(["fine", "0 10 * * *", "again", true]),
        json!(["off", "0 9 * * *", "p", false]),
    ];
    assert_eq!(short, expected);
}

#[tokio::test]
async fn templates_change_what_templates_made_and_nothing_else() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let id: WorkspaceId = own.id.parse().expect("an id");
    let path = format!("/workspaces/{id}/schedules");
    let by_hand = json!({"name": "mine", "cron_expr": "0 7 * * *", "prompt": "by hand"});
    let create = inside.post(&path).bearer(&own.token).json(&by_hand);
    create.await.expect(201);
    let place = async |name: &str, cron_expr: &str, prompt: &str| {
        let now = Timestamp::now();
        let asked = Asked {
            name,
            cron_expr,
            prompt,
            ..Asked::default()
        };
        let draft = asked.draft(now).expect("a draft");
        let placed = inside.app.store.place_schedule(id, &draft, now).await;
        placed.expect("an answer")
    };
    let listed = async || {
        let list = inside.get(&path).bearer(&own.token).await.expect(200);
        list.json.as_array().expect("a list").clone()
    };
    assert_eq!(place("ours", "0 8 * * *", "one").await, Placed::Created);
    let before = listed().await;
    assert_eq!(place("ours", "0 9 * * *", "two").await, Placed::Updated);
    assert_eq!(place("mine", "0 9 * * *", "two").await, Placed::Kept);
    let after = listed().await;
    assert_eq!(after[0], before[0], "the user's stays");
    assert_eq!(after[1]["id"], before[1]["id"]);
    assert_eq!(
        (
            &after[1]["cron_expr"],
            &after[1]["prompt"],
            &after[1]["source"]
        ),
        (&json!("0 9 * * *"), &json!("two"), &json!("template"))
    );
    assert_ne!(after[1]["next_run_at"], before[1]["next_run_at"]);
    // One that its owner has deleted is made anew.
    let gone = format!("{path}/{}", after[1]["id"].as_str().expect("an id"));
    let delete = inside.call(Method::DELETE, &gone).bearer(&own.token);
    delete.await.expect(200);
    assert_eq!(place("ours", "0 9 * * *", "two").await, Placed::Created);

    let remove = format!("/workspaces/{id}?confirm=true");
    let remove = inside.call(Method::DELETE, &remove).bearer(&inside.admin);
    remove.await.expect(200);
    assert_eq!(place("late", "0 9 * * *", "p").await, Placed::NoWorkspace);
}

#[tokio::test]
async fn a_schedule_that_the_datastore_refuses_fails_no_import() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let org = org(json!([
        {"name": "lost", "cron_expr": "0 9 * * *", "prompt": "p"},
        {"name": "made", "cron_expr": "0 9 * * *", "prompt": "p"},
    ]));
    let import = inside.post("/org/import").bearer(&inside.admin).json(&org);
    // The first write is the workspace's, the second its first schedule's.
    let first = gate();
    let hold = Fault::Hold(first.clone());
    inside.wire.fail("TransactWriteItems", 1, hold);
    inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Unreachable);
    let (answer, ()) = tokio::join!(import, async {
        first.wait().await;
        first.wait().await;
    });
    let answer = answer.expect(201);
    let row = &answer.json["workspaces"][0];
    let unavailable = "platform datastore unavailable — retry shortly";
    assert_eq!(row["schedules"], 1);
    let skipped = json!([{"name": "lost", "reason": unavailable}]);
    assert_eq!(row["schedules_skipped"], skipped);
}

#[tokio::test]
async fn a_tick_fires_them_as_any_other() {
    let inside = InProcess::apart(Mode::DevClosed).await;
    let org = org(json!([{"name": "often", "cron_expr": "* * * * *", "prompt": "p"}]));
    let import = inside.post("/org/import").bearer(&inside.admin).json(&org);
    let made = import.await.expect(201);
    let list = format!("/workspaces/{}/schedules", root(&made));
    let rows = inside.get(&list).bearer(&inside.admin).await.expect(200);
    let slot = rows.json[0]["next_run_at"].as_str().expect("a slot");
    let slot: Timestamp = slot.parse().expect("a time");
    let report = tick(Ticking::over(inside.app, "tests"), slot).await;
    assert_eq!(report.expect("a tick").fired, 1);
}

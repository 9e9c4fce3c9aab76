//! `GET /workspaces/{id}/activity` where the rows are more than a function could take apart.

use domain::{
    ActivityId, Mode,
    activity::{Activity, Content, Source},
};
use e2e::{
    Workspace,
    counted::InProcess,
    runtime_api::{self, Running, RuntimeApi},
    template::Template,
};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// As many as one list shows.
const ROWS: usize = 500;
/// Just under what stays in the table. Taken apart, each is sixteen times as big: 260 MB all together.
const ZEROS: usize = 8_000;
/// What the function has, in bytes.
const MEMORY: u64 = 256 * 1024 * 1024;

/// A row as agents report them, with two bodies.
fn row(of: &Workspace, body: &Content) -> Activity {
    Activity {
        id: ActivityId::from_uuid(Uuid::now_v7()),
        workspace: of.id.parse().expect("an id"),
        activity_type: "agent_log".to_owned(),
        source: Source::Person,
        target_id: None,
        method: None,
        summary: None,
        request_body: body.clone(),
        response_body: body.clone(),
        tool_trace: Content::Absent,
        duration_ms: None,
        status: "ok".to_owned(),
        error_detail: None,
        created_at: Timestamp::now(),
    }
}

/// What the function lists of [`ROWS`] such rows to their workspace, and the most memory it had.
async fn listed(own: &Workspace, inside: &InProcess, row: &Activity) -> (Vec<Value>, Option<u64>) {
    for _ in 0..ROWS {
        let id = ActivityId::from_uuid(Uuid::now_v7());
        let row = Activity { id, ..row.clone() };
        let written = inside.app.store.log_activity(row).await;
        assert!(written.expect("written"));
    }
    let mut runtime = RuntimeApi::start().await;
    let mut functions = Template::ours().functions();
    let function = functions.find(|it| it.handler() == "activity.list");
    let process = Running::start(
        &function.expect("a function"),
        &runtime.address,
        &[
            ("TABLE_NAME", inside.app.settings.table.clone()),
            ("BUCKET_NAME", inside.app.settings.bucket.clone()),
            ("ADMIN_TOKEN", inside.admin.clone()),
            ("MOLECULE_ORG_ID", String::new()),
        ],
    );
    let process = process.expect("started");
    runtime.asked().await;
    let now = Timestamp::now().as_millisecond();
    let path = format!("/workspaces/{}/activity", own.id);
    let by = json!({"authorization": format!("Bearer {}", own.token)});
    let mut asked = runtime_api::event(&Method::GET, &path, "limit=500", &by, now);
    asked["pathParameters"] = json!({"id": own.id});
    let answer = runtime.invoke(asked, now + 60_000).await.rest().await;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["headers"]["x-bodies-truncated"], "true");
    let rows = answer["body"].as_str().expect("text");
    let rows = serde_json::from_str(rows).expect("a list");
    (rows, process.most_memory())
}

#[tokio::test]
async fn rows_of_many_numbers_are_listed_within_the_functions_memory() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Loud").await;
    let row = row(&own, &Content::from(json!(vec![0; ZEROS])));
    let (rows, most) = listed(&own, &inside, &row).await;
    assert_eq!(rows.len(), ROWS);
    assert_eq!(
        rows[0]["request_body"].as_array().map(Vec::len),
        Some(ZEROS)
    );
    assert!(rows[ROWS - 1].get("request_body").is_none());
    assert!(most.is_none_or(|most| most < MEMORY / 2), "{most:?} bytes");
}

#[tokio::test]
async fn rows_of_long_texts_are_listed_within_the_functions_memory() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Verbose").await;
    // As long as a report can make them. They are young, and so they are read twice.
    let text = Some("x".repeat(16 * 1024));
    let row = Activity {
        summary: text.clone(),
        error_detail: text,
        ..row(&own, &Content::from(json!(vec![0; ZEROS])))
    };
    let (rows, most) = listed(&own, &inside, &row).await;
    assert!((1..ROWS).contains(&rows.len()), "{} rows", rows.len());
    assert!(most.is_none_or(|most| most < MEMORY / 2), "{most:?} bytes");
}

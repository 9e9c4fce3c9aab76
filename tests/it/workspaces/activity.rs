//! `POST /workspaces/{id}/activity`

use e2e::{STRANGER, World, without};
use serde_json::{Value, json};

const MAX_BYTES: usize = 256 * 1024;
const TYPES: [&str; 7] = [
    "a2a_send",
    "a2a_receive",
    "task_update",
    "agent_log",
    "skill_promotion",
    "memory_write",
    "error",
];

#[tokio::test]
async fn a_report_becomes_a_row() {
    let world = World::new();
    let workspace = world.workspace("Reporter").await;
    let bare = json!({
        "workspace_id": workspace.id,
        "activity_type": "agent_log",
        "source_id": workspace.id,
        "target_id": null,
        "method": null,
        "summary": null,
        "duration_ms": null,
        "status": "ok",
        "error_detail": null,
    });
    let plus = |extra: Value| {
        let mut row = bare.clone();
        let (row_keys, extra) = (row.as_object_mut(), extra.as_object().cloned());
        row_keys
            .expect("an object")
            .extend(extra.expect("an object"));
        row
    };
    let full = json!({
        "target_id": "anybody",
        "method": "tool_use",
        "summary": "read a file",
        "status": "half done",
        "error_detail": "no such file",
        "duration_ms": 12,
        "request_body": {"tool": "read", "n": 1.0},
        "response_body": [1, null, "two"],
    });

    for (said, row) in [
        (json!({}), bare.clone()),
        (full.clone(), plus(full)),
        (
            json!({"source_id": workspace.id, "duration_ms": 0}),
            plus(json!({"duration_ms": 0})),
        ),
        (
            json!({"source_id": workspace.id.to_uppercase()}),
            bare.clone(),
        ),
        (
            json!({"method": "", "summary": "", "status": "", "source_id": ""}),
            bare.clone(),
        ),
        (
            json!({"target_id": null, "status": null, "request_body": null, "duration_ms": null}),
            bare.clone(),
        ),
        // Metadata stands in for a request body, and only that.
        (
            json!({"metadata": {"a": 1}}),
            plus(json!({"request_body": {"a": 1}})),
        ),
        (
            json!({"metadata": {"a": 1}, "request_body": null}),
            plus(json!({"request_body": {"a": 1}})),
        ),
        (
            json!({"metadata": {"a": 1}, "request_body": false}),
            plus(json!({"request_body": false})),
        ),
        // Tools are the platform's to tell.
        (
            json!({"tool_trace": [1], "id": "x", "workspace_id": STRANGER}),
            bare.clone(),
        ),
    ] {
        let mut body = said.clone();
        body["activity_type"] = json!("agent_log");
        let answer = world.report(&workspace, &body).await.expect(200);
        assert_eq!(answer.json, json!({"status": "logged"}));
        let rows = world.activity(&workspace.id, "limit=1").await;
        assert_eq!(without(&rows[0], &["id", "created_at"]), row, "{said}");
    }
}

#[tokio::test]
async fn long_texts_are_cut_at_a_character() {
    const TEXT: usize = 16 * 1024;
    let world = World::new();
    let workspace = world.workspace("Verbose").await;
    // Of two bytes each: the last one would be split.
    let long = format!("x{}", "ü".repeat(15_000));
    let report = json!({
        "activity_type": "agent_log", "target_id": long, "method": long, "summary": long,
        "status": long, "error_detail": long, "request_body": long,
    });
    world.report(&workspace, &report).await.expect(200);
    let row = &world.activity(&workspace.id, "").await[0];
    for (key, most) in [
        ("target_id", 1024),
        ("method", 1024),
        ("summary", TEXT),
        ("status", 1024),
        ("error_detail", TEXT),
    ] {
        let text = row[key].as_str().expect(key);
        assert!(long.starts_with(text), "{key}");
        assert_eq!(text.len(), most - 1, "{key}");
    }
    assert_eq!(row["request_body"], long);
}

#[tokio::test]
async fn reports_that_are_refused_leave_nothing() {
    let world = World::new();
    let workspace = world.workspace("Sloppy").await;
    let other = world.child("Other", &workspace).await;
    let path = format!("/workspaces/{}/activity", workspace.id);
    let invalid = (400, "invalid request body");
    let types = format!(
        "invalid activity_type, must be one of: {}",
        TYPES.join(", ")
    );
    let own = (403, "source_id must match authenticated workspace");
    let log = |extra: &str| format!(r#"{{"activity_type":"agent_log",{extra}}}"#);

    for (body, expected) in [
        (String::new(), invalid),
        ("{".to_owned(), invalid),
        ("[]".to_owned(), invalid),
        ("{}".to_owned(), invalid),
        (r#"{"activity_type":""}"#.to_owned(), invalid),
        (r#"{"activity_type":7}"#.to_owned(), invalid),
        (log(r#""summary":7"#), invalid),
        (log(r#""duration_ms":"1""#), invalid),
        (log(r#""duration_ms":1.5"#), invalid),
        (
            r#"{"activity_type":"delegation"}"#.to_owned(),
            (400, &types),
        ),
        (r#"{"activity_type":"cron_run"}"#.to_owned(), (400, &types)),
        (r#"{"activity_type":"AGENT_LOG"}"#.to_owned(), (400, &types)),
        (log(&format!(r#""source_id":"{}""#, other.id)), own),
        (log(r#""source_id":"somebody\nelse""#), own),
    ] {
        let call = world.post(&path).by(&workspace).body(body.clone());
        assert_eq!(call.await.error(), expected, "{body}");
    }
    // An operator reports for a workspace, not for another one in its name.
    let theirs = log(&format!(r#""source_id":"{}""#, other.id));
    let call = world.post(&path).bearer(&world.admin).body(theirs);
    assert_eq!(call.await.error(), own);
    assert!(world.activity(&workspace.id, "").await.is_empty());

    let frame = json!({"activity_type": "error", "response_body": ""});
    let most = "x".repeat(MAX_BYTES - frame.to_string().len());
    let sized = |text: String| json!({"activity_type": "error", "response_body": text});
    let over = world.report(&workspace, &sized(format!("{most}x"))).await;
    assert_eq!(
        over.expect(413).json,
        json!({"error": "request body too large", "max_bytes": MAX_BYTES})
    );
    world
        .report(&workspace, &sized(most.clone()))
        .await
        .expect(200);
    assert_eq!(
        world.activity(&workspace.id, "").await[0]["response_body"],
        most
    );
}

//! What a new workspace is to remember is kept before it is there, and nowhere else.

use domain::Mode;
use e2e::counted::{AwsCall, InCall, InProcess};
use serde_json::{Value, json};
use store::keys;

use crate::calls_messages::permitted;

fn create(inside: &InProcess, memories: &Value) -> InCall {
    let call = inside.post("/workspaces").bearer(&inside.admin);
    call.json(&json!({"name": "Own", "external": true, "initial_memories": memories}))
}

async fn kept(inside: &InProcess, id: &str) -> Option<Value> {
    let key = keys::initial_memories(id.parse().expect("an id"));
    let file = inside.app.store.file(&key).await.expect("read");
    file.map(|bytes| serde_json::from_slice(&bytes).expect("JSON"))
}

#[tokio::test]
async fn memories_are_kept_as_far_as_they_count() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let long = "é".repeat(60_000);
    let given = json!([
        {"content": "one"},
        {"content": "two", "scope": "team"},
        {"content": "for nobody", "scope": "PRIVATE"},
        {"content": "", "scope": "GLOBAL"},
        {"content": long, "scope": "GLOBAL"},
    ]);
    let (made, calls) = create(&inside, &given).counted().await;
    let id = made.expect(201).text("id");
    permitted("workspaces.create", &calls);
    let kept = kept(&inside, &id).await.expect("kept");
    assert_eq!(kept["namespace"], format!("workspace:{id}"));
    let memories = kept["memories"].as_array().expect("a list");
    assert_eq!(memories[0], json!({"content": "one", "scope": "LOCAL"}));
    assert_eq!(memories[1], json!({"content": "two", "scope": "TEAM"}));
    assert_eq!(memories.len(), 3);
    let cut = memories[2]["content"].as_str().expect("a text");
    assert_eq!(cut.len(), 100_000);
    assert!(long.starts_with(cut));
    // Neither the list nor an event tells of them.
    let shown = inside.get("/events").bearer(&inside.admin).await;
    assert!(!shown.expect(200).json.to_string().contains("for nobody"));
}

#[tokio::test]
async fn a_purge_leaves_none_of_them() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for (query, left) in [("?confirm=true", true), ("?purge=true", false)] {
        let made = create(&inside, &json!([{"content": "one"}])).await;
        let id = made.expect(201).text("id");
        let path = format!("/workspaces/{id}{query}");
        let call = inside.call(reqwest::Method::DELETE, &path);
        let (gone, calls) = call.bearer(&inside.admin).counted().await;
        gone.expect(200);
        permitted("workspaces.delete", &calls);
        assert_eq!(kept(&inside, &id).await.is_some(), left, "{query}");
    }
}

#[tokio::test]
async fn a_refused_creation_leaves_none_behind() {
    let inside = InProcess::limited(Mode::DevClosed, 2).await;
    let gone = inside.workspace("Gone").await;
    let path = format!("/workspaces/{}?confirm=true", gone.id);
    let delete = inside.call(reqwest::Method::DELETE, &path);
    delete.bearer(&inside.admin).await.expect(200);
    let create = |name: &str, parent: Option<&str>| {
        let call = inside.post("/workspaces").bearer(&inside.admin);
        call.header("idempotency-key", "refused").json(&json!({
            "name": name, "external": true, "parent_id": parent,
            "initial_memories": [{"content": "one"}], "secrets": {"KEY": "value"},
        }))
    };
    let written = |calls: &[AwsCall]| {
        let files = calls.iter().filter(|call| call.service != "dynamodb");
        files.map(|call| call.operation.clone()).collect::<Vec<_>>()
    };
    let (refused, calls) = create("Own", Some(&gone.id)).counted().await;
    assert_eq!(refused.error(), (400, "parent workspace not found"));
    assert!(written(&calls).is_empty(), "{:?}", written(&calls));
    let (made, calls) = create("Own", None).counted().await;
    let id = made.expect(201).text("id");
    permitted("workspaces.create", &calls);
    assert!(kept(&inside, &id).await.is_some());
    for (name, status) in [("Own", 201), ("Another", 409)] {
        let (again, calls) = create(name, None).counted().await;
        assert_eq!(again.status, status, "{name}");
        assert!(written(&calls).is_empty(), "{name}: {:?}", written(&calls));
    }
    inside.workspace("Last").await;
    let call = inside
        .post("/workspaces")
        .bearer(&inside.admin)
        .json(&json!({
            "name": "Too many", "external": true, "initial_memories": [{"content": "one"}],
        }));
    let (full, calls) = call.counted().await;
    assert_eq!(full.error(), (409, "workspace quota reached"));
    assert!(written(&calls).is_empty(), "{:?}", written(&calls));
}

#[tokio::test]
async fn nothing_is_written_without_any_and_nothing_created_with_too_much() {
    let inside = InProcess::new(Mode::DevClosed).await;
    for none in [json!(null), json!([]), json!([{"content": ""}])] {
        let (made, calls) = create(&inside, &none).counted().await;
        let id = made.expect(201).text("id");
        assert!(calls.iter().all(|call| call.service != "s3"), "{none}");
        assert_eq!(kept(&inside, &id).await, None);
    }
    let many = vec![json!({"content": "x".repeat(100_000)}); 11];
    let refused = create(&inside, &json!(many)).await;
    assert_eq!(refused.error(), (413, "request body too large"));
    assert_eq!(refused.json["max_bytes"], 1024 * 1024);
    for odd in [json!(7), json!([7]), json!([{"content": {}}])] {
        let refused = create(&inside, &odd).await;
        assert_eq!(refused.error(), (400, "invalid workspace payload"), "{odd}");
    }
}

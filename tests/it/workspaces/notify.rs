//! `POST /workspaces/{id}/notify`

use e2e::{World, without};
use serde_json::{Value, json};

const MAX_BYTES: usize = 256 * 1024;

#[tokio::test]
async fn a_note_is_an_agents_bubble_in_chat_history() {
    let world = World::new();
    let (workspace, _agent) = world.online("Worker").await;
    let call = world.notify(&workspace.id).by(&workspace);
    let answer = call.json(&json!({"message": "done", "type": "x"})).await;
    assert_eq!(answer.expect(200).json, json!({"status": "sent"}));

    let rows = world.chat(&workspace.id).await;
    assert_eq!(rows.len(), 1);
    // A request body would read as a person's bubble, a source as another agent's.
    assert_eq!(
        without(&rows[0], &["id", "created_at"]),
        json!({
            "workspace_id": workspace.id,
            "activity_type": "a2a_receive",
            "source_id": null,
            "target_id": null,
            "method": "notify",
            "summary": "Agent message: done",
            "response_body": {"result": "done"},
            "duration_ms": null,
            "status": "ok",
            "error_detail": null,
        })
    );
    // It is pushed to who listens; the log of events does not have it.
    let events = world.event_names(&workspace.id).await;
    assert!(!events.contains(&"AGENT_MESSAGE".to_owned()), "{events:?}");

    // Each call posts again.
    for n in 0..2 {
        let call = world.notify(&workspace.id).bearer(&world.admin);
        call.json(&json!({"message": "done"})).await.expect(200);
        assert_eq!(world.chat(&workspace.id).await.len(), n + 2);
    }
}

#[tokio::test]
async fn long_notes_are_kept_whole_and_summed_up() {
    let world = World::new();
    let workspace = world.workspace("Writer").await;
    let frame = json!({"message": ""}).to_string().len();

    for (message, summary) in [
        ("x".repeat(80), "x".repeat(80)),
        ("x".repeat(81), format!("{}…", "x".repeat(80))),
        // 80 bytes end within the 27th of these.
        ("日".repeat(27), format!("{}…", "日".repeat(26))),
        // Beyond what a row holds itself.
        (
            "y".repeat(MAX_BYTES - frame),
            format!("{}…", "y".repeat(80)),
        ),
    ] {
        let call = world.notify(&workspace.id).by(&workspace);
        call.json(&json!({"message": message})).await.expect(200);
        let row = &world.chat(&workspace.id).await[0];
        assert_eq!(row["summary"], format!("Agent message: {summary}"));
        assert_eq!(row["response_body"], json!({"result": message}));
    }
    let over = json!({"message": "y".repeat(MAX_BYTES - frame + 1)});
    let call = world.notify(&workspace.id).by(&workspace);
    assert_eq!(
        call.json(&over).await.expect(413).json,
        json!({"error": "request body too large", "max_bytes": MAX_BYTES})
    );
    assert_eq!(world.chat(&workspace.id).await.len(), 4);
}

#[tokio::test]
async fn attachments_become_parts() {
    let world = World::new();
    let workspace = world.workspace("Courier").await;
    let file = |file: Value| json!({"kind": "file", "file": file});
    let most = json!({"uri": "u".repeat(2048), "name": "n".repeat(255)});

    for (attachments, parts) in [
        (json!(null), None),
        (json!([]), None),
        (
            json!([
                {"uri": "workspace:/a", "name": "a.txt", "mimeType": "text/plain", "size": 3},
                {"uri": "https://b", "name": "b", "mimeType": "", "size": 0, "kind": "x"},
                {"uri": "anything", "name": "c", "mimeType": null, "size": -1},
            ]),
            Some(json!([
                file(
                    json!({"uri": "workspace:/a", "name": "a.txt", "mimeType": "text/plain",
                    "size": 3})
                ),
                file(json!({"uri": "https://b", "name": "b"})),
                file(json!({"uri": "anything", "name": "c"})),
            ])),
        ),
        (
            json!(vec![most.clone(); 20]),
            Some(json!(vec![file(most); 20])),
        ),
    ] {
        let call = world.notify(&workspace.id).by(&workspace);
        let body = json!({"message": "files", "attachments": attachments});
        call.json(&body).await.expect(200);
        let row = &world.chat(&workspace.id).await[0];
        assert_eq!(row["response_body"]["result"], "files");
        assert_eq!(row["response_body"].get("parts"), parts.as_ref());
    }
}

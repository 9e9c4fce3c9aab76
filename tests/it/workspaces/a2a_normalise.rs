//! `POST /workspaces/{id}/a2a`: the envelope that agents get, whatever callers write.

use e2e::{World, envelope};
use serde_json::{Value, json};

const MESSAGE_ID: &str = "/params/message/messageId";

/// Puts `"<new>"` where an id was made up, so that the rest can be compared.
fn masked(mut got: Value, made_up: &[&str]) -> Value {
    for pointer in made_up {
        let id = got.pointer_mut(pointer).expect("an id");
        let text = id.as_str().expect("text");
        let uuid = uuid::Uuid::parse_str(text).expect("a UUID");
        assert_eq!(uuid.get_version_num(), 4);
        *id = json!("<new>");
    }
    got
}

#[tokio::test]
async fn agents_get_whole_envelopes() {
    let world = World::new();
    let (workspace, agent) = world.online("Reader").await;

    let cases: Vec<(Value, &[&str], Value)> = vec![
        // A bare call is wrapped, and loses what else it has.
        (
            json!({"id": 7, "method": "message/send", "extra": 1, "params": {"message": {"x": [1]}}}),
            &["/id", MESSAGE_ID],
            json!({"jsonrpc": "2.0", "id": "<new>", "method": "message/send",
                "params": {"message": {"x": [1], "messageId": "<new>"}}}),
        ),
        (
            json!({}),
            &["/id"],
            json!({"jsonrpc": "2.0", "id": "<new>", "method": null, "params": null}),
        ),
        (
            Value::Null,
            &["/id"],
            json!({"jsonrpc": "2.0", "id": "<new>", "method": null, "params": null}),
        ),
        // A whole one is kept, and gets no id.
        (
            json!({"jsonrpc": "1.0", "method": 5, "extra": {"deep": [null]}}),
            &[],
            json!({"jsonrpc": "1.0", "method": 5, "extra": {"deep": [null]}}),
        ),
        // A message id is made up only where the key is missing.
        (
            json!({"jsonrpc": "2.0", "params": {"message": {}, "metadata": {"history": []}}}),
            &[MESSAGE_ID],
            json!({"jsonrpc": "2.0",
                "params": {"message": {"messageId": "<new>"}, "metadata": {"history": []}}}),
        ),
        (
            json!({"jsonrpc": "2.0", "params": {"message": {"messageId": ""}}}),
            &[],
            json!({"jsonrpc": "2.0", "params": {"message": {"messageId": ""}}}),
        ),
        (
            json!({"jsonrpc": "2.0", "params": {"message": {"messageId": null}}}),
            &[],
            json!({"jsonrpc": "2.0", "params": {"message": {"messageId": null}}}),
        ),
        (
            json!({"jsonrpc": "2.0", "params": {"message": "no object"}}),
            &[],
            json!({"jsonrpc": "2.0", "params": {"message": "no object"}}),
        ),
        // Parts are nobody's business but the agent's.
        (
            json!({"jsonrpc": "2.0", "id": 1.5, "method": "message/send", "params": {"message":
                {"messageId": "m-1", "parts": [{"type": "text", "text": "grüße 😀 \u{0}"}, 7]}}}),
            &[],
            json!({"jsonrpc": "2.0", "id": 1.5, "method": "message/send", "params": {"message":
                {"messageId": "m-1", "parts": [{"type": "text", "text": "grüße 😀 \u{0}"}, 7]}}}),
        ),
    ];
    for (n, (sent, made_up, expected)) in cases.into_iter().enumerate() {
        let call = world.send(&workspace.id).bearer(&world.admin);
        call.body(sent.to_string()).await.expect(200);
        let got = agent.received()[n].body.clone();
        assert_eq!(masked(got.clone(), made_up), expected, "{sent}");
        // What is kept is what was sent on; a method that is no text is logged as none.
        let rows = world.activity(&workspace.id, "limit=1").await;
        assert_eq!(rows[0]["request_body"], got);
        assert_eq!(
            rows[0]["method"],
            sent["method"].as_str().unwrap_or_default()
        );
    }
}

#[tokio::test]
async fn anything_but_one_object_is_refused() {
    let world = World::new();
    let (workspace, agent) = world.online("Reader").await;
    let whole = envelope("hello").to_string();

    let trailing = format!("{whole} trailing");
    for body in [
        "",
        " ",
        "[]",
        "7",
        "\"text\"",
        "{\"jsonrpc\":",
        "{} {}",
        &trailing,
    ] {
        let call = world.send(&workspace.id).bearer(&world.admin);
        let answer = call.body(body.to_owned()).await;
        assert_eq!(answer.error(), (400, "invalid JSON"), "{body}");
    }
    assert!(agent.received().is_empty());
    assert!(world.activity(&workspace.id, "").await.is_empty());
}

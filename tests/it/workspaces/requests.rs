//! `GET /workspaces/{id}/a2a/requests/{request_id}`

use e2e::{Script, Workspace, World, envelope};
use serde_json::json;

/// A workspace whose agent fetches its messages: those answer with the id of their request.
async fn polling(world: &World, name: &str) -> Workspace {
    let workspace = world.workspace(name).await;
    world.register_polling(&workspace).await.expect(200);
    workspace
}

#[tokio::test]
async fn a_request_is_shown_to_both_ends_and_to_operators() {
    let world = World::new();
    let sender = world.workspace("Sender").await;
    let (target, other) = (
        polling(&world, "Target").await,
        polling(&world, "Other").await,
    );
    let body = envelope("hello");
    let sent = world.send(&target.id).by(&sender).json(&body).await;
    let id = sent.expect(200).text("queue_id");
    let path = format!("/workspaces/{}/a2a/requests/{id}", target.id);
    let (get, admin) = (|| world.get(&path), world.admin.as_str());

    let mut seen = Vec::new();
    for call in [
        get().bearer(admin),
        get().by(&sender),
        get().by(&target),
        get().bearer(&sender.token),
    ] {
        seen.push(call.await.expect(200).json);
    }
    assert!(seen.iter().all(|request| *request == seen[0]));
    for (who, call, expected) in [
        ("nobody", get(), (401, "missing auth token")),
        (
            "a made-up token",
            get().bearer("x"),
            (401, "invalid auth token"),
        ),
        ("a bystander", get().by(&other), (404, "request not found")),
    ] {
        assert_eq!(call.await.error(), expected, "{who}");
    }
    let unknown = uuid::Uuid::new_v4();
    for (path, expected) in [
        (
            format!("/workspaces/{}/a2a/requests/{id}", other.id),
            (404, "request not found"),
        ),
        (
            format!("/workspaces/{}/a2a/requests/{id}", sender.id),
            (404, "request not found"),
        ),
        (
            format!("/workspaces/{}/a2a/requests/{unknown}", target.id),
            (404, "request not found"),
        ),
        (
            format!("/workspaces/{}/a2a/requests/x", target.id),
            (400, "invalid request ID"),
        ),
        (
            format!("/workspaces/x/a2a/requests/{id}"),
            (400, "invalid workspace ID"),
        ),
    ] {
        assert_eq!(
            world.get(&path).bearer(admin).await.error(),
            expected,
            "{path}"
        );
    }
    // Who sent it is not told any more once it is gone; operators are.
    world.delete(&sender.id).await;
    assert_eq!(get().by(&sender).await.error(), (401, "invalid auth token"));
    get().bearer(admin).await.expect(200);
}

#[tokio::test]
async fn a_request_tells_its_story() {
    let world = World::new();
    let (target, sender) = (polling(&world, "Target").await, world.workspace("S").await);
    for (caller, call) in [
        (json!(sender.id), world.send(&target.id).by(&sender)),
        (json!(null), world.send(&target.id).bearer(&world.admin)),
    ] {
        let mut body = envelope("hello");
        body["params"]["message"]["messageId"] = json!("m-1");
        let sent = call.json(&body).await.expect(200);
        let id = sent.text("queue_id");
        let path = format!("/workspaces/{}/a2a/requests/{id}", target.id);
        let request = world.get(&path).bearer(&world.admin).await.expect(200).json;

        for (key, expected) in [
            ("id", json!(id)),
            ("state", json!("completed")),
            ("caller_id", caller),
            ("target_id", json!(target.id)),
            ("message_id", json!("m-1")),
            ("attempts", json!(0)),
        ] {
            assert_eq!(request[key], expected, "{key}");
        }
        for key in ["result", "error"] {
            assert_eq!(request.get(key), None, "{key}");
        }
        let steps = request["timeline"].as_array().expect("a list");
        let (first, last) = (&steps[0], &steps[steps.len() - 1]);
        assert_eq!(first["at"], request["accepted_at"]);
        assert_eq!(last["at"], request["ended_at"]);
        assert_eq!(last["state"], "completed");
    }
}

#[tokio::test]
async fn a_result_is_the_reply_as_far_as_an_answer_can_carry_it() {
    let world = World::new();
    let (target, agent) = world.online("Author").await;
    let long = format!("\"{}\"", "x".repeat(9_000_000)).into_bytes();
    let cut = r#"{"result":{"text":"cut \ud83d"}}"#.as_bytes();
    for (reply, expected) in [
        (cut, Some(json!({"result": {"text": "cut \u{fffd}"}}))),
        (&b"plain words"[..], Some(json!(null))),
        (&long[..], None),
    ] {
        agent.next(Script::Busy(120));
        agent.next(Script::Raw(200, Vec::new(), reply.to_vec()));
        let kept = world.message(&target.id, "write").await.expect(202);
        world
            .beat(&target, json!({"active_tasks": 0}))
            .await
            .expect(200);
        let request = world.settled(&target.id, &kept.text("queue_id")).await;
        assert_eq!(request["state"], "completed");
        let result = &request["result"];

        // The log has the same, and both are JSON to a strict reader.
        let rows = world.activity(&target.id, "limit=1").await;
        if let Some(expected) = expected {
            assert_eq!(*result, expected);
            assert_eq!(rows[0]["response_body"], expected);
            continue;
        }
        assert_eq!(result["truncated"], true);
        let url = result["result_url"].as_str().expect("an address");
        let stored = world.fetch(url).await.expect(200);
        assert!(stored.bytes == reply, "{} bytes came", stored.bytes.len());
        assert_eq!(rows[0].get("response_body"), None);
    }
}

#[tokio::test]
async fn a_body_with_half_a_pair_breaks_no_list() {
    let world = World::new();
    let (target, agent) = world.online("Author").await;
    let reply = br#"{"result":{"parts":[{"kind":"text","text":"cut \ud83d"}]}}"#;
    agent.next(Script::Raw(200, Vec::new(), reply.to_vec()));
    let answer = world.message(&target.id, "write").await.expect(200);
    assert_eq!(answer.bytes, reply, "its caller gets the bytes");

    let expected = json!({"result": {"parts": [{"kind": "text", "text": "cut \u{fffd}"}]}});
    let rows = world.activity(&target.id, "").await;
    assert_eq!(rows[0]["response_body"], expected);
    let path = format!("/workspaces/{}/session-search?q=write", target.id);
    let found = world.get(&path).by(&target).await.expect(200).json;
    assert_eq!(found[0]["response_body"], expected);
}

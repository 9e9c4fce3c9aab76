//! What is refused of approvals, and to whom.

use e2e::{STRANGER, Workspace, World, at_once};
use serde_json::json;

use super::approvals::{ask, decide, listed, path, pending, told};

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let world = World::new();
    let own = world.workspace("Sloppy").await;
    let invalid = "invalid request body";
    for (body, expected) in [
        (String::new(), invalid),
        ("[]".to_owned(), invalid),
        ("{}".to_owned(), invalid),
        (r#"{"action":""}"#.to_owned(), invalid),
        (r#"{"action":7}"#.to_owned(), invalid),
        (r#"{"action":"a","context":"text"}"#.to_owned(), invalid),
        (r#"{"action":"a","context":[1]}"#.to_owned(), invalid),
        (
            json!({"action": "a".repeat(1025)}).to_string(),
            "action may have 1024 bytes",
        ),
        (
            json!({"action": "a", "reason": "r".repeat(8193)}).to_string(),
            "reason may have 8192 bytes",
        ),
        (
            json!({"action": "a", "context": {"k": "v".repeat(32 * 1024)}}).to_string(),
            "context may have 32768 bytes",
        ),
    ] {
        let call = world.post(&path(&own)).by(&own).body(body.clone());
        assert_eq!(call.await.error(), (400, expected), "{body:.60}");
    }
    let big = json!({"action": "a", "unknown": "u".repeat(256 * 1024)});
    let call = world.post(&path(&own)).by(&own).json(&big);
    call.await.expect(413);
    assert!(listed(&world, &own).await.is_empty());

    let id = ask(&world, &own, &json!({"action": "go"})).await;
    let words = "decision must be 'approved' or 'denied'";
    for (body, expected) in [
        (json!({}), invalid),
        (json!({"decision": ""}), invalid),
        (json!({"decision": true}), invalid),
        (json!({"decision": "yes"}), words),
        (json!({"decision": "escalated"}), words),
        (
            json!({"decision": "denied", "decided_by": "x".repeat(256)}),
            "decided_by may have 255 bytes",
        ),
    ] {
        let refused = decide(&world, &own, &id, &body).await;
        assert_eq!(refused.error(), (400, expected), "{body}");
    }
    let yes = json!({"decision": "approved"});
    let other = world.workspace("Other").await;
    let gone = (404, "approval not found or already decided");
    for (of, id, expected) in [
        (&own, "x", (400, "invalid approval ID")),
        (&own, STRANGER, gone),
        (&other, id.as_str(), gone),
    ] {
        assert_eq!(decide(&world, of, id, &yes).await.error(), expected);
    }
    assert_eq!(pending(&world, &own).await.len(), 1);
    assert_eq!(told(&world, &own).await.len(), 1);
    decide(&world, &own, &id, &yes).await.expect(200);
}

#[tokio::test]
async fn a_workspace_asks_and_an_operator_decides() {
    let world = World::new();
    let parent = world.workspace("Parent").await;
    let own = world.child("Child", &parent).await;
    let id = ask(&world, &own, &json!({"action": "go"})).await;
    let missing = (401, "missing workspace auth token");
    let invalid = (401, "invalid workspace auth token");
    let itself = (
        403,
        "an operator decides: a workspace cannot decide its own request",
    );
    let no_operator = (401, "invalid admin auth token");
    let at = path(&own);
    for (who, bearer, asking, deciding, everywhere) in [
        ("nobody", "", missing, missing, (401, "admin auth required")),
        ("a made-up token", "x", invalid, invalid, no_operator),
        ("its parent", &*parent.token, invalid, invalid, no_operator),
        ("itself", &own.token, (200, ""), itself, no_operator),
    ] {
        let list = world.get(&at).bearer(bearer).await;
        assert_eq!(list.error(), asking, "{who} lists");
        let decide = world.post(&format!("{at}/{id}/decide")).bearer(bearer);
        let decide = decide.json(&json!({"decision": "approved"})).await;
        assert_eq!(decide.error(), deciding, "{who} decides");
        let all = world.get("/approvals/pending").bearer(bearer).await;
        assert_eq!(all.error(), everywhere, "{who} looks at all");
        if asking.0 == 401 {
            let ask = world.post(&at).bearer(bearer).json(&json!({"action": "a"}));
            assert_eq!(ask.await.error(), asking, "{who} asks");
        }
    }
    assert_eq!(pending(&world, &own).await.len(), 1);
    // Operators ask for a workspace, if it is there.
    let asked = |at: &str| {
        world
            .post(at)
            .bearer(&world.admin)
            .json(&json!({"action": "a"}))
    };
    asked(&at).await.expect(201);
    let nowhere = asked(&format!("/workspaces/{STRANGER}/approvals")).await;
    assert_eq!(nowhere.error(), (404, "workspace not found"));
    let bad = asked("/workspaces/x/approvals").await;
    assert_eq!(bad.error(), (400, "invalid workspace ID"));
}

#[tokio::test]
async fn who_asks_without_end_hides_nobody() {
    let world = World::new();
    let (eager, calm) = (
        world.workspace("Eager").await,
        world.workspace("Calm").await,
    );
    let ask_for = |workspace: &Workspace| {
        let call = world.post(&path(workspace)).by(workspace);
        call.json(&json!({"action": "again"}))
    };
    for answer in at_once((0..25).map(|_| ask_for(&eager))).await {
        answer.expect(201);
    }
    let refused = ask_for(&eager).await;
    let why = "25 requests for approval in ten minutes are the most: wait for answers to them";
    assert_eq!(refused.error(), (429, why));
    let wait: u32 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=600).contains(&wait), "{wait}");
    assert_eq!(listed(&world, &eager).await.len(), 25);
    ask_for(&calm).await.expect(201);
}

//! `POST /workspaces/{id}/notify`: what is refused

use e2e::{STRANGER, World};
use serde_json::{Value, json};

#[tokio::test]
async fn a_note_that_is_refused_leaves_nothing() {
    let world = World::new();
    let workspace = world.workspace("Sloppy").await;
    let with = |attachments: Value| json!({"message": "m", "attachments": attachments}).to_string();
    let fine = json!({"uri": "u", "name": "n"});
    let required = "message is required";
    let incomplete = "attachment[0]: uri and name are required";

    for (body, sentence) in [
        (String::new(), required),
        ("{".to_owned(), required),
        ("[]".to_owned(), required),
        (r#"{"attachments":[]}"#.to_owned(), required),
        (r#"{"message":""}"#.to_owned(), required),
        (r#"{"message":null}"#.to_owned(), required),
        (r#"{"message":7}"#.to_owned(), required),
        (with(json!({})), required),
        (with(json!([7])), required),
        (with(json!([{"uri": 7, "name": "n"}])), required),
        (
            with(json!([{"uri": "u", "name": "n", "size": "1"}])),
            required,
        ),
        (with(json!([{"uri": "", "name": "n"}])), incomplete),
        (with(json!([{"name": "n"}, {}])), incomplete),
        (
            with(json!([fine, {"uri": "u"}])),
            "attachment[1]: uri and name are required",
        ),
        (
            with(json!(vec![fine; 21])),
            "at most 20 attachments are allowed",
        ),
        (
            with(json!([{"uri": "u".repeat(2049), "name": "n"}])),
            "attachment[0]: uri may have 2048 bytes and name 255",
        ),
        (
            with(json!([{"uri": "u", "name": "n".repeat(256)}])),
            "attachment[0]: uri may have 2048 bytes and name 255",
        ),
    ] {
        let call = world.notify(&workspace.id).by(&workspace);
        assert_eq!(
            call.body(body.clone()).await.error(),
            (400, sentence),
            "{body}"
        );
    }
    assert!(world.chat(&workspace.id).await.is_empty());
}

#[tokio::test]
async fn only_itself_and_operators_notify_for_a_workspace() {
    let world = World::new();
    let workspace = world.workspace("Parent").await;
    let child = world.child("Child", &workspace).await;
    let removed = world.workspace("Removed").await;
    world.delete(&removed.id).await;
    let (own, admin) = (workspace.token.as_str(), world.admin.as_str());
    let invalid = (401, "invalid workspace auth token");
    let missing = (404, "workspace not found");

    for (who, id, bearer, expected) in [
        (
            "nobody",
            &*workspace.id,
            None,
            (401, "missing workspace auth token"),
        ),
        ("a made-up token", &workspace.id, Some("x"), invalid),
        ("its child", &workspace.id, Some(&*child.token), invalid),
        ("its parent", &child.id, Some(own), invalid),
        ("a removed one", &removed.id, Some(&removed.token), invalid),
        (
            "the admin for a removed one",
            &removed.id,
            Some(admin),
            missing,
        ),
        ("the admin for a stranger", STRANGER, Some(admin), missing),
        (
            "the admin for no id",
            "x",
            Some(admin),
            (400, "invalid workspace ID"),
        ),
    ] {
        let mut call = world.notify(id).json(&json!({"message": "m"}));
        if let Some(token) = bearer {
            call = call.bearer(token);
        }
        assert_eq!(call.await.error(), expected, "{who}");
    }
    // The note is looked at before its workspace, and its sender before the note.
    let call = world.notify(STRANGER).bearer(admin).json(&json!({}));
    assert_eq!(call.await.error(), (400, "message is required"));
    let call = world.notify(&workspace.id).json(&json!({}));
    assert_eq!(call.await.status, 401);
    assert!(world.chat(&workspace.id).await.is_empty());
    assert!(world.chat(&child.id).await.is_empty());
}

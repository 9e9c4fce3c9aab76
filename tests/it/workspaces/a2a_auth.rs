//! `POST /workspaces/{id}/a2a`: who may send to whom.

use e2e::{Call, STRANGER, Workspace, World, envelope};
use reqwest::Method;
use serde_json::{Value, json};

const DENIED: &str = "access denied: workspaces cannot communicate per hierarchy rules";

async fn revoke_all(world: &World, workspace: &Workspace) {
    let path = format!("/workspaces/{}/tokens", workspace.id);
    let live = world.get(&path).by(workspace).await.expect(200).json;
    for token in live["tokens"].as_array().expect("a list") {
        let path = format!("{path}/{}", token["id"].as_str().expect("an id"));
        let call = world.call(Method::DELETE, &path).bearer(&world.admin);
        call.await.expect(200);
    }
}

#[tokio::test]
async fn senders_prove_who_they_are() {
    let world = World::new();
    let (target, agent) = world.online("Target").await;
    let (a, b) = (world.workspace("A").await, world.workspace("B").await);
    let revoked = world.workspace("Revoked").await;
    revoke_all(&world, &revoked).await;
    let removed = world.workspace("Removed").await;
    world.delete(&removed.id).await;
    let send = || world.send(&target.id).json(&envelope("hello"));
    let claim = |id: &str| send().header("X-Workspace-ID", id);
    let (admin, missing, invalid) = (
        world.admin.as_str(),
        (401, "missing caller auth token"),
        (401, "invalid caller auth token"),
    );

    let refused: Vec<(&str, Call, (u16, &str))> = vec![
        ("nobody", send(), missing),
        ("a name", claim(&a.id), missing),
        ("the target's name", claim(&target.id), missing),
        (
            "a scheme in lower case",
            send().header("Authorization", "bearer x"),
            missing,
        ),
        (
            "a blank bearer",
            send().header("Authorization", "Bearer  "),
            missing,
        ),
        ("a made-up token", send().bearer("x"), invalid),
        (
            "a made-up token and a name",
            claim(&a.id).bearer("x"),
            invalid,
        ),
        ("another's token", claim(&a.id).bearer(&b.token), invalid),
        (
            "another's token at the target",
            claim(&target.id).bearer(&a.token),
            invalid,
        ),
        ("a revoked token", send().by(&revoked), invalid),
        ("a removed workspace's token", send().by(&removed), invalid),
        (
            "no id",
            claim("alpha").bearer(admin),
            (400, "invalid workspace ID"),
        ),
        (
            "a stranger's name",
            claim(STRANGER).bearer(admin),
            (403, DENIED),
        ),
    ];
    for (who, call, expected) in refused {
        assert_eq!(call.await.error(), expected, "{who}");
    }
    for prefix in ["webhook:", "system:", "test:", "channel:"] {
        for call in [claim(&format!("{prefix}x")).bearer(admin), claim(prefix)] {
            assert_eq!(call.await.error(), (403, "invalid caller ID"), "{prefix}");
        }
    }
    assert!(agent.received().is_empty());
    assert!(world.activity(&target.id, "").await.is_empty());

    let person = Value::Null;
    for (who, call, source) in [
        ("a workspace", send().by(&a), json!(a.id)),
        ("its token alone", send().bearer(&a.token), json!(a.id)),
        ("the admin", send().bearer(admin), person.clone()),
        ("a blank name", claim(" ").bearer(admin), person),
        (
            "the admin as a workspace",
            claim(&a.id).bearer(admin),
            json!(a.id),
        ),
        ("itself", send().by(&target), json!(target.id)),
        (
            "its own token alone",
            send().bearer(&target.token),
            json!(target.id),
        ),
        (
            "the admin as the target",
            claim(&target.id).bearer(admin),
            json!(target.id),
        ),
    ] {
        assert_eq!(call.await.status, 200, "{who}");
        let rows = world.activity(&target.id, "limit=1").await;
        assert_eq!(rows[0]["source_id"], source, "{who}");
    }
}

#[tokio::test]
async fn only_relatives_may_send() {
    let world = World::new();
    let root = world.workspace("Root").await;
    let left = world.child("Left", &root).await;
    let right = world.child("Right", &root).await;
    let leaf = world.child("Leaf", &left).await;
    let cousin = world.child("Cousin", &right).await;
    let other = world.workspace("Other").await;
    // None of them has an address: who gets past the rule is told so.
    let (yes, no) = ((503, "workspace has no URL"), (403, DENIED));

    for (from, to, expected) in [
        (&root, &left, yes),
        (&left, &root, yes),
        (&left, &right, yes),
        (&root, &leaf, yes),
        (&leaf, &root, yes),
        (&root, &other, yes),
        (&leaf, &cousin, no),
        (&leaf, &right, no),
        (&right, &leaf, no),
        (&leaf, &other, no),
        (&other, &leaf, no),
    ] {
        let answer = world.message_from(from, &to.id, "hello").await;
        assert_eq!(answer.error(), expected, "{from:?} to {to:?}");
        let acting = world.send(&to.id).bearer(&world.admin);
        let acting = acting.header("X-Workspace-ID", &from.id).json(&json!({}));
        assert_eq!(acting.await.error(), expected, "as {from:?} to {to:?}");
    }
}

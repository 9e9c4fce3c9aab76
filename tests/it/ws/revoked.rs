//! A connection lasts no longer than the token it came with.

use std::time::Duration;

use e2e::{Listener, Workspace, World, until};
use reqwest::Method;
use serde_json::json;

async fn listens(by: &Workspace) -> Listener {
    let bearer = format!("Bearer {}", by.token);
    let open = Listener::open("", &[("authorization", &bearer)]).await;
    open.expect("a workspace may listen")
}

#[tokio::test]
async fn a_revoked_token_closes_its_connections_and_no_others() {
    let world = World::new();
    let workspace = world.workspace("Revoked").await;
    let second = Workspace {
        token: world.test_token(&workspace.id).await,
        ..workspace.clone()
    };
    let (kept, cut) = (listens(&workspace).await, listens(&second).await);
    let bearer = format!("Bearer {}", world.admin);
    let headers = [
        ("authorization", &*bearer),
        ("x-workspace-id", &*workspace.id),
    ];
    let operator = Listener::open("", &headers).await;
    let operator = operator.expect("an operator may listen");
    // What is read of a connection that has hardly come tells nothing of its token.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let tokens = format!("/workspaces/{}/tokens", workspace.id);
    let list = world.get(&tokens).by(&workspace).await.expect(200).json;
    let prefix = &second.token[..8];
    let mut rows = list["tokens"].as_array().expect("a list").iter();
    let row = rows.find(|row| row["prefix"] == prefix);
    let id = row.and_then(|row| row["id"].as_str()).expect("its row");
    let revoke = world.call(Method::DELETE, &format!("{tokens}/{id}"));
    revoke.by(&workspace).await.expect(200);

    super::closed(&world, &workspace, &cut).await;
    let told = cut.names(&workspace.id).len();
    world
        .beat(&workspace, json!({"current_task": "after the end"}))
        .await
        .expect(200);
    for open in [&kept, &operator] {
        until(60, "the last task", || async {
            let frames = open.about(&workspace.id);
            let last = |it: &serde_json::Value| it["payload"]["current_task"] == "after the end";
            frames.iter().any(last).then_some(())
        })
        .await;
        assert!(!open.is_closed());
    }
    assert_eq!(
        cut.names(&workspace.id).len(),
        told,
        "it is told nothing more"
    );
}

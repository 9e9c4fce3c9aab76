//! Connections of operators last no longer than the credential they came with.

use domain::{Mode, WorkspaceId};
use e2e::{Listener, Workspace, World, counted::InProcess, until};
use events::{connect, relay};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use super::gateway;

/// Connects, a minute ago.
async fn listens(inside: &InProcess, name: &str, token: &str, workspace: Option<&Workspace>) {
    let mut headers = json!({"Authorization": format!("Bearer {token}")});
    if let Some(workspace) = workspace {
        headers["X-Workspace-ID"] = json!(workspace.id);
    }
    let context = json!({"connectionId": name, "routeKey": "$connect"});
    let handshake = json!({"headers": headers, "requestContext": context});
    let handshake = serde_json::from_value(handshake).expect("a handshake");
    let answer = connect::handle(gateway::door(inside).await, handshake).await;
    assert_eq!(answer.expect("an answer")["statusCode"], 200, "{name}");
    let store = &inside.app.store;
    let open = store.connections(Timestamp::now()).await.expect("read");
    let mut open = open.into_iter().find(|it| it.id == name).expect("its row");
    open.connected_at -= SignedDuration::from_mins(1);
    store.connect(&open).await.expect("written");
}

async fn open(inside: &InProcess) -> Vec<String> {
    let open = inside.app.store.connections(Timestamp::now()).await;
    let mut open: Vec<_> = open.expect("read").into_iter().map(|it| it.id).collect();
    open.sort_unstable();
    open
}

#[tokio::test]
async fn they_end_with_the_admin_token_and_with_the_organisations() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Told").await;
    let about: WorkspaceId = own.id.parse().expect("an id");
    let (first, second) = (inside.org_token().await, inside.org_token().await);
    for (name, token, workspace) in [
        ("well-admin", &inside.admin, None),
        ("well-named", &inside.admin, Some(&own)),
        ("well-org-1", &first, None),
        ("well-org-2", &second, None),
        ("well-own", &own.token, None),
    ] {
        listens(&inside, name, token, workspace).await;
    }
    let (address, told) = gateway::gateway().await;
    let tell = async |inside: &InProcess| {
        told.lock().expect("no panic").clear();
        // A process of its own: it has read nothing yet.
        let relay = gateway::relay(inside, address.clone());
        let batch = serde_json::from_value(gateway::batch(about, 1)).expect("a batch");
        let answer = relay::handle(relay, batch).await.expect("told");
        assert_eq!(answer, json!({"batchItemFailures": []}));
        let told = told.lock().expect("no panic");
        told.keys().cloned().collect::<Vec<String>>()
    };
    let all = [
        "well-admin",
        "well-named",
        "well-org-1",
        "well-org-2",
        "well-own",
    ];
    assert_eq!(tell(&inside).await, all);
    assert_eq!(open(&inside).await, all);

    let tokens = inside.app.store.org_tokens().await.expect("read");
    let row = tokens.iter().find(|row| first.starts_with(&row.prefix));
    let revoked = inside
        .app
        .store
        .revoke_org_token(row.expect("its row").id)
        .await;
    assert!(revoked.expect("revoked"));
    let rest = ["well-admin", "well-named", "well-org-2", "well-own"];
    assert_eq!(tell(&inside).await, rest);
    assert_eq!(open(&inside).await, rest);

    let rotated = inside.set(|settings| settings.admin_token = "another".to_owned());
    let rest = ["well-org-2", "well-own"];
    assert_eq!(tell(&rotated).await, rest);
    assert_eq!(open(&rotated).await, rest);
}

#[tokio::test]
async fn a_revoked_organisation_token_closes_its_socket() {
    let world = World::new();
    let workspace = world.workspace("Watched").await;
    let mint = world.post("/org/tokens").bearer(&world.admin);
    let minted = mint
        .json(&json!({"name": "listener"}))
        .await
        .expect(200)
        .json;
    let text = |key: &str| minted[key].as_str().expect("text").to_owned();
    let (token, id) = (text("auth_token"), text("id"));
    let (kept, cut) = (
        Listener::person(&world.admin).await,
        Listener::person(&token).await,
    );
    // What has hardly come is not looked at.
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    let revoke = world.call(Method::DELETE, &format!("/org/tokens/{id}"));
    revoke.bearer(&world.admin).await.expect(200);
    super::closed(&world, &workspace, &cut).await;
    let last = json!({"current_task": "after the end"});
    world.beat(&workspace, last).await.expect(200);
    until(60, "the last task", || async {
        let frames = kept.about(&workspace.id);
        let is_last = |it: &Value| it["payload"]["current_task"] == "after the end";
        frames.iter().any(is_last).then_some(())
    })
    .await;
    assert!(!kept.is_closed());
}

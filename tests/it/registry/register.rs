//! `POST /registry/register`

use e2e::{Agent, Call, Workspace, World, at_once};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const URL: &str = "http://127.0.0.1:1";

pub(super) fn register(world: &World, bearer: &str, body: &Value) -> Call {
    world.post("/registry/register").json(body).bearer(bearer)
}

pub(super) fn body(id: &str) -> Value {
    json!({"id": id, "url": URL, "agent_card": {"name": "test"}})
}

/// An external workspace made with its URL: nobody holds a token of it yet.
async fn tokenless(world: &World) -> String {
    world
        .post("/workspaces")
        .bearer(&world.admin)
        .json(&json!({"name": "Tokenless", "external": true, "url": URL}))
        .await
        .expect(201)
        .text("id")
}

#[tokio::test]
async fn registering_brings_online_and_each_time_tells_so() {
    let world = World::new();
    let (workspace, agent) = (world.workspace("New").await, Agent::start().await);
    let card = json!({"name": "Writer", "skills": [{"id": "write"}]});
    let request = json!({"id": workspace.id, "url": agent.url, "agent_card": card, "extra": 1});

    let reply = register(&world, &workspace.token, &request)
        .await
        .expect(200);
    // It had its token from the start: none is minted.
    assert_eq!(reply.json, json!({"status": "registered"}));
    let shown = world.show(&workspace.id).await;
    assert_eq!(shown["status"], "online");
    assert_eq!(shown["url"], agent.url);
    assert_eq!(shown["agent_card"], card);
    assert_eq!(
        world.events(&workspace.id).await[0],
        (
            "WORKSPACE_ONLINE".to_owned(),
            json!({"url": agent.url, "agent_card": card})
        )
    );

    // A loopback URL is not kept over a newer one. Upper case is the same id.
    let upper = body(&workspace.id.to_uppercase());
    let again = register(&world, &workspace.token, &upper).await.expect(200);
    assert_eq!(again.json, json!({"status": "registered"}));
    assert_eq!(world.show(&workspace.id).await["url"], URL);
    assert_eq!(
        world.event_names(&workspace.id).await,
        [
            "WORKSPACE_ONLINE",
            "WORKSPACE_ONLINE",
            "WORKSPACE_AWAITING_AGENT",
            "WORKSPACE_PROVISIONING"
        ]
    );
}

#[tokio::test]
async fn the_card_may_be_any_json() {
    let world = World::new();
    let workspace = world.workspace("Cards").await;
    let deep = (0..100).fold(json!("deep"), |inner, _| json!([inner]));
    for card in [
        json!(null),
        json!([]),
        json!("text"),
        json!(7),
        json!({"": null, "é": [1.5, -0.25, true]}),
        deep,
    ] {
        let request = json!({"id": workspace.id, "url": URL, "agent_card": card});
        register(&world, &workspace.token, &request)
            .await
            .expect(200);
        assert_eq!(world.show(&workspace.id).await["agent_card"], card);
        assert_eq!(
            world.events(&workspace.id).await[0].1,
            json!({"url": URL, "agent_card": card})
        );
    }
}

#[tokio::test]
async fn an_operator_registers_a_tokenless_workspace_and_gets_its_token() {
    let world = World::new();
    let (id, stranger) = (
        tokenless(&world).await,
        world.workspace("Stranger").await.token,
    );
    let before = world.snapshot(&id).await;
    for (bearer, sentence) in [
        ("", "missing workspace auth token"),
        ("nonsense", "invalid workspace auth token"),
        (&stranger, "invalid workspace auth token"),
    ] {
        let refused = register(&world, bearer, &body(&id)).await.expect(401);
        assert_eq!(refused.json, json!({"error": sentence}), "{bearer}");
    }
    assert_eq!(world.snapshot(&id).await, before);

    let reply = register(&world, &world.admin, &body(&id)).await.expect(200);
    let token = reply.text("auth_token");
    assert_eq!(
        reply.json,
        json!({"status": "registered", "auth_token": token})
    );
    assert_eq!(token.len(), 43);
    let workspace = Workspace { id, token };
    world.beat(&workspace, json!({})).await.expect(200);
    // With a live token there is none for the operator, who may still register.
    let again = register(&world, &world.admin, &body(&workspace.id)).await;
    assert_eq!(again.expect(200).json, json!({"status": "registered"}));
}

#[tokio::test]
async fn parallel_first_registrations_mint_one_token() {
    let world = World::new();
    // Known without a token, and not known at all.
    for id in [tokenless(&world).await, Uuid::new_v4().to_string()] {
        let calls = (0..8).map(|_| register(&world, &world.admin, &body(&id)));
        let replies = at_once(calls).await;
        assert!(replies.iter().all(|reply| reply.status == 200));
        let minted: Vec<_> = replies
            .iter()
            .filter_map(|reply| reply.json["auth_token"].as_str())
            .collect();
        assert_eq!(minted.len(), 1);
        let tokens = world.get(&format!("/workspaces/{id}/tokens"));
        let tokens = tokens.bearer(minted[0]).await.expect(200).json;
        assert_eq!(tokens["count"], 1);
        let told = world.event_names(&id).await;
        let online = told.iter().filter(|name| *name == "WORKSPACE_ONLINE");
        assert!(online.count() >= 8, "{told:?}");
    }
}

#[tokio::test]
async fn only_operators_register_unknown_ids() {
    let world = World::new();
    let (id, stranger) = (
        Uuid::new_v4().to_string(),
        world.workspace("Stranger").await.token,
    );
    for (bearer, sentence) in [
        ("", "missing workspace auth token"),
        (&stranger, "invalid workspace auth token"),
    ] {
        let refused = register(&world, bearer, &body(&id)).await;
        assert_eq!(refused.error(), (401, sentence), "{bearer}");
    }
    let shown = world.get(&format!("/workspaces/{id}")).bearer(&world.admin);
    assert_eq!(shown.await.error(), (404, "workspace not found"));

    let reply = register(&world, &world.admin, &body(&id)).await.expect(200);
    let token = reply.text("auth_token");
    let shown = world.show(&id).await;
    for (key, value) in [
        ("name", json!(id)),
        ("status", json!("online")),
        ("role", json!(null)),
        ("parent_id", json!(null)),
        ("runtime", json!("langgraph")),
        ("url", json!(URL)),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    assert_eq!(world.event_names(&id).await, ["WORKSPACE_ONLINE"]);
    world
        .beat(&Workspace { id, token }, json!({}))
        .await
        .expect(200);
}

#[tokio::test]
async fn registering_heals_and_forgets_capabilities() {
    let world = World::new();
    let (workspace, agent) = world.online("Native").await;
    let native = json!({"error_rate": 0.9, "runtime_state": "wedged",
        "runtime_metadata": {"capabilities": {"status_mgmt": true}}});
    world.beat(&workspace, native).await.expect(200);
    assert_eq!(world.show(&workspace.id).await["status"], "degraded");

    world.register(&workspace, &agent.url).await.expect(200);
    assert_eq!(world.show(&workspace.id).await["status"], "online");
    // Its error rate counts again: the new process has not said that it minds its own status.
    let failing = json!({"error_rate": 0.9});
    world.beat(&workspace, failing).await.expect(200);
    assert_eq!(world.show(&workspace.id).await["status"], "degraded");
}

#[tokio::test]
async fn an_agent_that_fetches_needs_no_url() {
    let world = World::new();
    let workspace = world.workspace("Fetcher").await;
    let poll = json!({"id": workspace.id, "delivery_mode": "poll", "agent_card": {}});
    let reply = register(&world, &workspace.token, &poll).await.expect(200);
    assert_eq!(
        reply.json,
        json!({"status": "registered", "delivery_mode": "poll"})
    );
    let shown = world.show(&workspace.id).await;
    assert_eq!(shown["status"], "online");
    assert_eq!(shown["url"], "");
    assert_eq!(shown["delivery_mode"], "poll");

    // Back to being called: the key is gone from the view.
    register(&world, &workspace.token, &body(&workspace.id))
        .await
        .expect(200);
    let shown = world.show(&workspace.id).await;
    assert!(shown.get("delivery_mode").is_none());
}

//! `POST /registry/update-card`

use e2e::{Call, World};
use serde_json::{Value, json};
use uuid::Uuid;

fn update(world: &World, bearer: &str, body: &Value) -> Call {
    world
        .post("/registry/update-card")
        .json(body)
        .bearer(bearer)
}

#[tokio::test]
async fn the_card_is_replaced_and_nothing_else() {
    let world = World::new();
    let (workspace, _agent) = world.online("Carded").await;
    let mut expected = world.show(&workspace.id).await;
    let told = world.event_names(&workspace.id).await.len();
    for card in [
        json!({"name": "new", "n": {"a": [1, null]}}),
        json!("x"),
        json!(null),
    ] {
        let request = json!({"workspace_id": workspace.id, "agent_card": card});
        let reply = update(&world, &workspace.token, &request).await.expect(200);
        assert_eq!(reply.json, json!({"status": "updated"}));
        expected["agent_card"] = card.clone();
        assert_eq!(world.show(&workspace.id).await, expected);
        assert_eq!(
            world.events(&workspace.id).await[0],
            ("AGENT_CARD_UPDATED".to_owned(), json!({"agent_card": card}))
        );
    }
    assert_eq!(world.event_names(&workspace.id).await.len(), told + 3);

    // Before the first registration too; it stays a workspace that waits for its agent.
    let waiting = world.workspace("Waiting").await;
    let request = json!({"workspace_id": waiting.id, "agent_card": {"early": true}});
    update(&world, &waiting.token, &request).await.expect(200);
    let shown = world.show(&waiting.id).await;
    assert_eq!(shown["status"], "awaiting_agent");
    assert_eq!(shown["agent_card"], json!({"early": true}));
}

#[tokio::test]
async fn refused_updates_change_nothing() {
    let world = World::new();
    let (workspace, _agent) = world.online("Carded").await;
    let before = world.snapshot(&workspace.id).await;
    let id = &workspace.id;
    let (invalid, bad_id) = ("invalid request body", "invalid workspace ID");
    for (body, sentence) in [
        ("", invalid),
        ("{]", invalid),
        ("{}", invalid),
        (r#"{"workspace_id":"","agent_card":{}}"#, invalid),
        (r#"{"workspace_id":1,"agent_card":{}}"#, invalid),
        (r#"{"workspace_id":"one","agent_card":{}}"#, bad_id),
        (&format!(r#"{{"workspace_id":"{id}"}}"#), invalid),
        (&format!(r#"["{id}",{{}}]"#), invalid),
    ] {
        let call = world.post("/registry/update-card").body(body.to_owned());
        let refused = call.bearer(&workspace.token).await;
        assert_eq!(refused.error(), (400, sentence), "{body}");
    }
    for (request, most) in [
        (json!({"padding": "x".repeat(256 * 1024)}), 262_144),
        (
            json!({"workspace_id": id, "agent_card": "x".repeat(64 * 1024)}),
            65_536,
        ),
    ] {
        let refused = update(&world, &workspace.token, &request).await.expect(413);
        assert_eq!(
            refused.json,
            json!({"error": "request body too large", "max_bytes": most})
        );
    }

    let other = world.workspace("Other").await;
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let removed = world.snapshot(&gone.id).await;
    let invalid = "invalid workspace auth token";
    for target in [id, &gone.id, &Uuid::new_v4().to_string()] {
        let request = json!({"workspace_id": target, "agent_card": {"by": "a stranger"}});
        for (bearer, sentence) in [
            ("", "missing workspace auth token"),
            ("nonsense", invalid),
            (&other.token, invalid),
            (&gone.token, invalid),
            (&world.admin, invalid),
        ] {
            let refused = update(&world, bearer, &request).await;
            assert_eq!(refused.error(), (401, sentence), "{target} {bearer}");
        }
    }
    assert_eq!(world.snapshot(&gone.id).await, removed);
    assert_eq!(world.snapshot(id).await, before);
}

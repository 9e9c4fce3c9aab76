//! `GET /templates`

use e2e::World;
use serde_json::{Value, json};

/// The template with this id, if it is listed.
pub(super) async fn listed(world: &World, id: &str) -> Option<Value> {
    let list = world.get("/templates").bearer(&world.admin);
    let list = list.await.expect(200).json;
    let mut rows = list.as_array().expect("a list").iter();
    rows.find(|row| row["id"] == id).cloned()
}

#[tokio::test]
async fn the_local_stack_has_an_example() {
    let world = World::new();
    let description = "An agent that repeats, asks and summarises, as infra/agent-example does.";
    assert_eq!(
        listed(&world, "example").await.expect("listed"),
        json!({"id": "example", "name": "Example", "description": description, "tier": 2,
            "runtime": "example", "model": "none", "skills": ["echo"], "skill_count": 1,
            "provision_timeout_seconds": 120})
    );
}

#[tokio::test]
async fn only_operators_list() {
    let world = World::new();
    let token = world.workspace("Agent").await.token;
    for path in ["/templates", "/org/templates"] {
        let nobody = world.get(path).await;
        assert_eq!(nobody.error(), (401, "admin auth required"), "{path}");
        let agent = world.get(path).bearer(&token).await;
        assert_eq!(agent.error(), (401, "invalid admin auth token"), "{path}");
    }
}

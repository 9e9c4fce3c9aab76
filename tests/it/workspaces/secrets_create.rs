//! `secrets` of `POST /workspaces`

use e2e::{Workspace, World};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::secrets::values;

fn many(count: usize) -> Map<String, Value> {
    let all = (0..count).map(|n| (format!("KEY_{n}"), json!(format!("value {n}"))));
    all.collect()
}

#[tokio::test]
async fn a_workspace_is_born_with_its_secrets() {
    let world = World::new();
    let parent = world.workspace("Parent").await;
    for (secrets, more) in [
        (json!({}), json!({})),
        (json!({"A": "1", "B": "two\n"}), json!({"external": true})),
        (json!({"A": "1"}), json!({"parent_id": parent.id})),
        // As much as one transaction takes.
        (
            Value::Object(many(50)),
            json!({"external": true, "parent_id": parent.id}),
        ),
    ] {
        let mut body = json!({"name": "Born", "secrets": secrets});
        let map = body.as_object_mut().expect("a map");
        map.extend(more.as_object().cloned().unwrap_or_default());
        let create = world.post("/workspaces").bearer(&world.admin).json(&body);
        let made = create.await.expect(201);
        assert!(!made.json.to_string().contains("value 1"));
        let id = made.text("id");
        let token = world.test_token(&id).await;
        let workspace = Workspace { id, token };
        assert_eq!(values(&world, &workspace).await, secrets);
        // They are as others are.
        let set = world.secret(&workspace.id, "A", "changed");
        set.bearer(&workspace.token).await.expect(200);
        assert_eq!(values(&world, &workspace).await["A"], "changed");
        assert!(
            !world
                .show(&workspace.id)
                .await
                .to_string()
                .contains("changed")
        );
    }
}

#[tokio::test]
async fn what_cannot_be_a_secret_creates_nothing() {
    let world = World::new();
    let name = Uuid::new_v4().to_string();
    for (secrets, detail) in [
        (json!({"a-b": "v"}), "a secret's key must be letters"),
        (json!({"": "v"}), "a secret's key must be letters"),
        (
            json!({"A": "v", "B": ""}),
            "a secret's value must not be empty",
        ),
        (
            json!({"A": "a\0b"}),
            "a secret's value must not contain NUL",
        ),
        (
            json!({"A": "v".repeat(32 * 1024 + 1)}),
            "a secret's value must have at most 32768 bytes",
        ),
        (Value::Object(many(51)), "at most 50 secrets at creation"),
    ] {
        let body = json!({"name": name, "secrets": secrets});
        let create = world.post("/workspaces").bearer(&world.admin).json(&body);
        let refused = create.await;
        assert_eq!(refused.error(), (400, "invalid workspace fields"));
        let said = refused.text("detail");
        assert!(said.starts_with(detail), "{said}");
    }
    let rows = world
        .get("/workspaces")
        .bearer(&world.admin)
        .await
        .expect(200);
    let rows = rows.json.as_array().expect("a list").clone();
    assert!(rows.iter().all(|row| row["name"] != name.as_str()));
}

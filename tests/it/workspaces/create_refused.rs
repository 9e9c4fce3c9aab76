//! `POST /workspaces`, refused

use e2e::World;
use serde_json::{Value, json};
use uuid::Uuid;

use super::create::create;

#[tokio::test]
async fn only_operators_create() {
    let world = World::new();
    let name = Uuid::new_v4().to_string();
    let body = json!({"name": name});
    let token = world.workspace("Agent").await.token;
    let call = || world.post("/workspaces").json(&body);
    let required = (401, "admin auth required");
    assert_eq!(call().await.error(), required);
    // Neither where a page comes from nor a session nor a header is a credential.
    for (header, value) in [
        ("Origin", "http://localhost:3000"),
        ("Cookie", "session=admin"),
        ("X-Workspace-ID", "admin"),
        ("Authorization", "Basic YWRtaW46"),
    ] {
        let refused = call().header(header, value).await;
        assert_eq!(refused.error(), required, "{header}");
    }
    for bearer in [&token, "nonsense"] {
        let refused = call().bearer(bearer).await.expect(401);
        assert_eq!(refused.json, json!({"error": "invalid admin auth token"}));
    }
    assert!(!names(&world).await.contains(&name));
}

async fn names(world: &World) -> Vec<String> {
    let rows = world.get("/workspaces").bearer(&world.admin).await.json;
    let name = |row: &Value| row["name"].as_str().expect("a name").to_owned();
    rows.as_array().expect("a list").iter().map(name).collect()
}

#[tokio::test]
async fn bad_requests_create_nothing() {
    let world = World::new();
    let name = Uuid::new_v4().to_string();
    let (payload, fields) = ("invalid workspace payload", "invalid workspace fields");
    let parent = world.workspace("Parent").await;
    world.delete(&parent.id).await;
    let directory = "invalid workspace directory";
    let access = "invalid workspace access";
    for (change, sentence, detail) in [
        (json!({"name": null}), payload, None),
        (json!({"name": ""}), payload, None),
        (json!({"name": 7}), payload, None),
        (json!({"tier": "3"}), payload, None),
        (json!({"tier": 2.5}), payload, None),
        (json!({"external": "yes"}), payload, None),
        (json!({"secrets": {"K": 1}}), payload, None),
        (json!({"parent_id": "root"}), payload, None),
        (json!({"budget_limit": 1.5}), payload, None),
        (json!({"canvas": {"x": "left"}}), payload, None),
        (json!({"canvas": {"y": 1e200}}), payload, None),
        (
            json!({"name": "a\nb"}),
            fields,
            Some("name must not contain newline characters"),
        ),
        (
            json!({"role": "a\rb"}),
            fields,
            Some("role must not contain newline characters"),
        ),
        (
            json!({"model": "a\nb"}),
            fields,
            Some("model must not contain newline characters"),
        ),
        (
            json!({"name": "x".repeat(256)}),
            fields,
            Some("name must be at most 255 characters"),
        ),
        (
            json!({"role": "x".repeat(1001)}),
            fields,
            Some("role must be at most 1000 characters"),
        ),
        (
            json!({"runtime": "x".repeat(101)}),
            fields,
            Some("runtime must be at most 100 characters"),
        ),
        (json!({"tier": 5}), fields, Some("tier must be 1 to 4")),
        (json!({"tier": -1}), fields, Some("tier must be 1 to 4")),
        (
            json!({"budget_limit": -1}),
            fields,
            Some("budget_limit must be >= 0 (USD cents)"),
        ),
        (json!({"template": "../../etc"}), "invalid template", None),
        (
            json!({"template": "/etc", "runtime": "r", "model": "m"}),
            "invalid template",
            None,
        ),
        (json!({"workspace_dir": "srv"}), directory, None),
        (json!({"workspace_dir": "/srv/../etc"}), directory, None),
        (json!({"workspace_dir": "/etc/x"}), directory, None),
        (json!({"workspace_dir": "//etc"}), directory, None),
        (json!({"workspace_dir": "/./usr//lib"}), directory, None),
        (json!({"workspace_dir": "/usr/lib"}), directory, None),
        (
            json!({"workspace_dir": format!("/{}", "x".repeat(4096))}),
            directory,
            None,
        ),
        (
            json!({"template": "x".repeat(4097)}),
            "invalid template",
            None,
        ),
        (json!({"workspace_access": "read_write"}), access, None),
        (
            json!({"workspace_access": "all", "workspace_dir": "/srv"}),
            access,
            None,
        ),
        (
            json!({"external": true, "url": "http://169.254.169.254/"}),
            fields,
            Some("url may not be called from here"),
        ),
        (
            json!({"parent_id": Uuid::new_v4()}),
            "parent workspace not found",
            None,
        ),
        (
            json!({"parent_id": parent.id}),
            "parent workspace not found",
            None,
        ),
    ] {
        let mut body = json!({"name": name});
        let changed = change.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(changed);
        let refused = create(&world, &body).await;
        assert_eq!(refused.error(), (400, sentence), "{change}");
        assert_eq!(refused.json["detail"].as_str(), detail, "{change}");
    }
    for character in ['{', '}', '[', ']', '|', '>', '*', '&', '!'] {
        for field in ["name", "role"] {
            let mut body = json!({"name": name});
            body[field] = json!(format!("{name} {character}"));
            let refused = create(&world, &body).await.expect(400);
            let detail = format!("{field} contains invalid characters");
            assert_eq!(refused.json, json!({"error": fields, "detail": detail}));
        }
    }
    for body in ["", "{", "null", "[]", r#"["a"]"#] {
        let refused = world.post("/workspaces").bearer(&world.admin);
        let refused = refused.body(body).await;
        assert_eq!(refused.error(), (400, payload), "{body}");
    }
    let huge = json!({"name": name, "padding": "x".repeat(1024 * 1024)});
    let refused = create(&world, &huge).await.expect(413);
    assert_eq!(
        refused.json,
        json!({"error": "request body too large", "max_bytes": 1_048_576})
    );
    assert!(!names(&world).await.iter().any(|made| made.contains(&name)));
}

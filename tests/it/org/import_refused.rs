//! `POST /org/import`, refused

use domain::Mode;
use e2e::{
    World,
    counted::{ALWAYS, Fault, InProcess},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::import::import;

async fn count(world: &World, name: &str) -> usize {
    let rows = world
        .get("/workspaces")
        .bearer(&world.admin)
        .await
        .expect(200)
        .json;
    let rows = rows.as_array().expect("a list").iter();
    rows.filter(|row| row["name"] == name).count()
}

#[tokio::test]
async fn only_operators_import() {
    let world = World::new();
    let token = world.workspace("Agent").await.token;
    let call = || world.post("/org/import").json(&json!({"dir": "trio"}));
    assert_eq!(call().await.error(), (401, "admin auth required"));
    call().bearer(&token).await.expect(401);
}

#[tokio::test]
async fn bad_requests_create_nothing() {
    let world = World::new();
    let name = Uuid::new_v4().to_string();
    // A good one comes first: nothing is created of a template that is wrong further on.
    let with =
        |node: Value| json!({"template": {"workspaces": [{"name": name, "children": [node]}]}});
    let (body, template) = ("invalid request body", "invalid org template");
    for (request, status, sentence) in [
        (json!({}), 400, "provide 'dir' or 'template'"),
        (
            json!({"dir": null, "template": null}),
            400,
            "provide 'dir' or 'template'",
        ),
        (json!({"dir": 7}), 400, body),
        (json!({"force": "yes"}), 400, body),
        (json!({"dir": "../templates"}), 400, "invalid org directory"),
        (json!({"dir": "/etc"}), 400, "invalid org directory"),
        (
            json!({"dir": "no-such"}),
            404,
            "org template not found: no-such",
        ),
        (json!({"template": {}}), 400, template),
        (json!({"template": []}), 400, template),
        (
            json!({"template": {"workspaces": [{"name": 7}]}}),
            400,
            template,
        ),
        (with(json!({"name": ""})), 400, template),
        (with(json!({"name": "a", "tier": 5})), 400, template),
        (
            with(json!({"name": "a", "template": "../x"})),
            400,
            template,
        ),
        (with(json!({"name": "a", "files_dir": "/x"})), 400, template),
        (
            with(json!({"name": "a", "workspace_dir": "/etc"})),
            400,
            template,
        ),
        (
            with(json!({"name": "a", "workspace_dir": "${UNSET}/etc"})),
            400,
            template,
        ),
        (
            with(json!({"name": "a", "required_env": [{"any_of": []}]})),
            400,
            template,
        ),
        (
            with(json!({"name": "a", "external": true, "url": "http://169.254.169.254/"})),
            400,
            template,
        ),
    ] {
        let refused = import(&world, &request).await;
        assert_eq!(refused.error(), (status, sentence), "{request}");
    }
    for raw in ["", "[]", "null", "{"] {
        let call = world.post("/org/import").bearer(&world.admin).body(raw);
        assert_eq!(call.await.error(), (400, body), "{raw}");
    }
    let huge = json!({"dir": "x".repeat(1024 * 1024)});
    import(&world, &huge).await.expect(413);
    assert_eq!(count(&world, &name).await, 0);
}

#[tokio::test]
async fn files_that_lead_nowhere_create_nothing() {
    let world = World::new();
    let store = &InProcess::new(Mode::DevClosed).await.app.store;
    for (root, sentence) in [
        (
            "workspaces: !include missing.yaml",
            "org template expansion failed",
        ),
        (
            "workspaces: !include ../trio/teams/writers.yaml",
            "org template expansion failed",
        ),
        (
            "workspaces: !include org.yaml",
            "org template expansion failed",
        ),
        ("workspaces: [", "org template expansion failed"),
        ("workspaces: {}", "invalid org template"),
    ] {
        let dir = format!("bad-{}", Uuid::new_v4());
        let key = format!("org-templates/{dir}/org.yaml");
        store
            .put_file(&key, root.as_bytes().to_vec())
            .await
            .expect("written");
        let refused = import(&world, &json!({"dir": dir})).await;
        assert_eq!(refused.error(), (400, sentence), "{root}");
    }
    // Lists take `org.yml`, imports do not (contract 7.4).
    let dir = format!("yml-{}", Uuid::new_v4());
    let key = format!("org-templates/{dir}/org.yml");
    store
        .put_file(&key, b"workspaces: [{name: a}]".to_vec())
        .await
        .expect("written");
    let refused = import(&world, &json!({"dir": dir})).await;
    assert_eq!(
        refused.error(),
        (404, format!("org template not found: {dir}").as_str())
    );
}

#[tokio::test]
async fn what_it_requires_must_be_a_global_secret_or_forced() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let template = json!({"name": "Needy", "required_env": ["A_KEY"], "workspaces": [
        {"name": "x", "required_env": [{"any_of": ["B_KEY", "C_KEY"]}, "not a name"]}]});
    let import = |force: bool| {
        let call = inside.post("/org/import").bearer(&inside.admin);
        call.json(&json!({"template": template, "force": force}))
    };
    let set = |key: &str| {
        let call = inside.post("/settings/secrets").bearer(&inside.admin);
        call.json(&json!({"key": key, "value": "v"}))
    };
    let choice = json!({"any_of": ["B_KEY", "C_KEY"]});
    let refused = |missing: Value| {
        json!({"error": "missing required environment variables", "missing_env": missing,
            "required_env": ["A_KEY", choice], "template": "Needy",
            "suggestion": "set these as global secrets (POST /settings/secrets) or pass force=true to override"})
    };
    let first = import(false).await.expect(412).json;
    assert_eq!(first, refused(json!(["A_KEY", choice])));
    set("A_KEY").await.expect(200);
    let second = import(false).await.expect(412).json;
    assert_eq!(second, refused(json!([choice])));
    import(true).await.expect(201);
    set("C_KEY").await.expect(200);
    import(false).await.expect(201);
    // Who cannot look does not go on.
    inside.wire.fail(
        "BatchGetItem",
        ALWAYS,
        Fault::Answer(
            400,
            json!({"__type": "com.amazonaws.dynamodb.v20120810#ValidationException"}),
        ),
    );
    let unsure = import(false).await;
    let sentence =
        "could not verify required environment variables; try again or pass force=true to override";
    assert_eq!(unsure.error(), (500, sentence));
    import(true).await.expect(201);
    inside.wire.mend();
}

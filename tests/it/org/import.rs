//! `POST /org/import`

use domain::Mode;
use e2e::{Answer, World, counted::InProcess};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) async fn import(world: &World, body: &Value) -> Answer {
    let call = world.post("/org/import").json(body);
    call.bearer(&world.admin).await
}

fn id(answer: &Answer, name: &str) -> String {
    let rows = answer.json["workspaces"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["name"] == name).expect(name);
    row["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn the_organisation_of_three() {
    let world = World::new();
    let made = import(&world, &json!({"dir": "trio"})).await.expect(201);
    let ids = ["Lead", "Writer", "Editor"].map(|name| id(&made, name));
    assert_eq!(
        made.json,
        json!({"org": "Trio", "count": 3, "workspaces": [
            {"id": ids[0], "name": "Lead", "tier": 1, "schedules": 2},
            {"id": ids[1], "name": "Writer", "tier": 1},
            {"id": ids[2], "name": "Editor", "tier": 1},
        ], "skipped": ["files_dir", "plugins"], "import_id": made.text("import_id")})
    );
    for (n, x, y) in [(0, 0.0, 0.0), (1, 16.0, 130.0), (2, 270.0, 130.0)] {
        let row = world.listed(&ids[n]).await.expect("listed");
        assert_eq!(row["status"], "online");
        assert_eq!(row["runtime"], "external");
        assert_eq!((&row["x"], &row["y"]), (&json!(x), &json!(y)));
        let parent = if n == 0 { Value::Null } else { json!(ids[0]) };
        assert_eq!(row["parent_id"], parent);
        let mut told =
            json!({"name": row["name"], "tier": 1, "runtime": "external", "x": x, "y": y});
        if n > 0 {
            told["parent_id"] = json!(ids[0]);
        }
        let events = world.events(&ids[n]).await;
        assert_eq!(events[1], ("WORKSPACE_PROVISIONING".to_owned(), told));
        assert_eq!(events[0].0, "WORKSPACE_ONLINE");
    }
    // What nothing acts upon is kept, with whom it is for.
    let store = &InProcess::new(Mode::DevClosed).await.app.store;
    let import = made.text("import_id").parse().expect("an id");
    let kept = store.file(&store::keys::org_import(import)).await;
    let kept: Value = serde_json::from_slice(&kept.expect("read").expect("there")).expect("JSON");
    assert_eq!(kept["defaults"], json!({"plugins": ["notes"]}));
    assert_eq!(kept["workspaces"][0]["workspace_id"], ids[0]);
    assert_eq!(kept["workspaces"][0]["files_dir"], "lead");
    // It can be done again, and makes others.
    let again = super::import::import(&world, &json!({"dir": "trio"}))
        .await
        .expect(201);
    assert_ne!(id(&again, "Lead"), ids[0]);
}

#[tokio::test]
async fn a_template_in_the_request() {
    let world = World::new();
    let template = json!({"name": "Inline", "defaults": {"runtime": "crewai", "tier": 1}, "workspaces": [
        {"name": "A & B: \"the\" root", "role": "one\ntwo\n", "canvas": {"x": 5, "y": 6.5},
            "workspace_dir": "/srv/a", "workspace_access": "read_write", "template": "example",
            "max_concurrent_tasks": 3, "children": [{"name": "Child", "tier": 4, "external": true,
                "url": "http://127.0.0.1:1/a2a", "children": [{"name": "Grandchild"}]}]},
        {"name": "Second"},
    ]});
    let made = import(&world, &json!({"template": template}))
        .await
        .expect(201);
    assert_eq!(made.json["skipped"], json!([]));
    assert!(made.json.get("import_id").is_none());
    let root = id(&made, "A & B: \"the\" root");
    let child = id(&made, "Child");
    let row = world.listed(&root).await.expect("listed");
    for (key, value) in [
        ("role", json!("one two")),
        ("tier", json!(1)),
        ("runtime", json!("crewai")),
        ("status", json!("provisioning")),
        ("workspace_dir", json!("/srv/a")),
        ("max_concurrent_tasks", json!(3)),
        ("x", json!(5.0)),
        ("y", json!(6.5)),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    let row = world.listed(&child).await.expect("listed");
    for (key, value) in [
        ("url", json!("http://127.0.0.1:1/a2a")),
        ("status", json!("online")),
        ("tier", json!(4)),
        ("x", json!(21.0)),
        ("y", json!(136.5)),
        ("parent_id", json!(root)),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    let grandchild = world
        .listed(&id(&made, "Grandchild"))
        .await
        .expect("listed");
    assert_eq!(grandchild["parent_id"], child);
    let second = world.listed(&id(&made, "Second")).await.expect("listed");
    assert_eq!(second["parent_id"], Value::Null);
    // All of it goes together, as any tree does.
    let gone = world.delete(&root).await;
    assert_eq!(gone.json["cascade_deleted"], 2);
}

#[tokio::test]
async fn variables_become_secrets_of_workspaces() {
    let world = World::new();
    let dir = format!("env-{}", Uuid::new_v4());
    let store = &InProcess::new(Mode::DevClosed).await.app.store;
    for (path, text) in [
        (
            "org.yaml",
            "name: Env\nworkspaces:\n- name: A\n  files_dir: a\n  workspace_dir: $ROOT/a\n- name: B\n  workspace_dir: ${ADMIN_TOKEN}\n",
        ),
        (".env", "# all\nROOT=/srv\nKEY='one'\nEMPTY=\n"),
        ("a/.env", "KEY=two\nMORE=\"x y\" # own\n"),
    ] {
        let key = format!("org-templates/{dir}/{path}");
        store
            .put_file(&key, text.as_bytes().to_vec())
            .await
            .expect("written");
    }
    let made = import(&world, &json!({"dir": dir})).await.expect(201);
    assert!(!made.json.to_string().contains("two"));
    for (name, expected) in [
        ("A", json!({"ROOT": "/srv", "KEY": "two", "MORE": "x y"})),
        ("B", json!({"ROOT": "/srv", "KEY": "one"})),
    ] {
        let id = id(&made, name);
        let token = world.test_token(&id).await;
        let values = world
            .get(&format!("/workspaces/{id}/secrets/values"))
            .bearer(&token);
        let mut values = values.await.expect(200).json;
        // Global ones of other tests may be there too.
        values
            .as_object_mut()
            .expect("a map")
            .retain(|key, _| expected.get(key).is_some());
        assert_eq!(values, expected, "{name}");
    }
    let row = world.listed(&id(&made, "A")).await.expect("listed");
    assert_eq!(row["workspace_dir"], "/srv/a");
    // No file says it, and what functions have in their environment is nobody's.
    let row = world.listed(&id(&made, "B")).await.expect("listed");
    assert_eq!(row["workspace_dir"], Value::Null);
}

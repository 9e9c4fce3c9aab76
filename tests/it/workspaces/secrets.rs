//! `GET|POST|PUT /workspaces/{id}/secrets`, `DELETE …/{key}`, `GET …/secrets/values`

use e2e::{Answer, Workspace, World};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// The secrets as listed, without those of all workspaces, which come and go.
async fn own(world: &World, workspace: &Workspace) -> Vec<Value> {
    let path = format!("/workspaces/{}/secrets", workspace.id);
    let rows = world.get(&path).bearer(&workspace.token).await.expect(200);
    let rows = rows.json.as_array().expect("a list").clone();
    let own = rows.into_iter().filter(|row| row["scope"] == "workspace");
    own.collect()
}

/// The environment.
async fn environment(world: &World, workspace: &Workspace) -> Value {
    let path = format!("/workspaces/{}/secrets/values", workspace.id);
    let answer = world.get(&path).bearer(&workspace.token).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json
}

/// The environment without what is called `G_…`: that is everybody's, and comes and goes.
pub(crate) async fn values(world: &World, workspace: &Workspace) -> Value {
    let mut values = environment(world, workspace).await;
    let map = values.as_object_mut().expect("a map");
    map.retain(|key, _| !key.starts_with("G_"));
    values
}

async fn delete(world: &World, workspace: &Workspace, key: &str) -> Answer {
    let path = format!("/workspaces/{}/secrets/{key}", workspace.id);
    let call = world.call(Method::DELETE, &path);
    call.bearer(&workspace.token).await
}

#[tokio::test]
async fn a_secret_is_set_listed_shown_to_its_workspace_and_deleted() {
    let world = World::new();
    let workspace = world.workspace("Keeping").await;
    assert_eq!(own(&world, &workspace).await, Vec::<Value>::new());
    assert_eq!(values(&world, &workspace).await, json!({}));

    let told = world.events(&workspace.id).await;
    for (key, value) in [("B_KEY", "hunter2"), ("_a1", " zwei\n\"Zeilen\" ü ")] {
        let set = world.secret(&workspace.id, key, value);
        let reply = set.bearer(&workspace.token).await.expect(200);
        assert_eq!(reply.json, json!({"status": "saved", "key": key}));
    }
    let rows = own(&world, &workspace).await;
    let keys: Vec<&str> = rows.iter().filter_map(|row| row["key"].as_str()).collect();
    assert_eq!(keys, ["B_KEY", "_a1"], "by name");
    for row in &rows {
        assert_eq!(row["has_value"], true);
        assert_eq!(row["created_at"], row["updated_at"]);
        assert_eq!(row.as_object().map(serde_json::Map::len), Some(5));
    }
    assert!(!format!("{rows:?}").contains("hunter2"));
    assert_eq!(
        values(&world, &workspace).await,
        json!({"B_KEY": "hunter2", "_a1": " zwei\n\"Zeilen\" ü "})
    );
    assert_eq!(world.events(&workspace.id).await, told, "nobody is told");

    let reply = delete(&world, &workspace, "B_KEY").await.expect(200);
    assert_eq!(reply.json, json!({"status": "deleted", "key": "B_KEY"}));
    let again = delete(&world, &workspace, "B_KEY").await;
    assert_eq!(again.error(), (404, "secret not found"));
    let left = values(&world, &workspace).await;
    assert_eq!(left, json!({"_a1": " zwei\n\"Zeilen\" ü "}));
    assert_eq!(own(&world, &workspace).await.len(), 1);
}

#[tokio::test]
async fn setting_again_overwrites_and_keeps_the_beginning() {
    let world = World::new();
    let workspace = world.workspace("Changing its mind").await;
    let path = format!("/workspaces/{}/secrets", workspace.id);
    let mut last = json!(null);
    for (method, value) in [
        (Method::POST, "one"),
        (Method::PUT, "two"),
        (Method::PUT, "two"),
        (Method::POST, "three"),
    ] {
        let set = world.call(method, &path).bearer(&workspace.token);
        let body = json!({"key": "KEY", "value": value, "unknown": 1});
        set.json(&body).await.expect(200);
        let rows = own(&world, &workspace).await;
        assert_eq!(rows.len(), 1);
        let (created, updated) = (&rows[0]["created_at"], &rows[0]["updated_at"]);
        if last.is_null() {
            last = rows[0].clone();
            assert_eq!(created, updated);
        } else {
            assert_eq!(created, &last["created_at"]);
            assert!(updated.as_str() > last["updated_at"].as_str());
            last = rows[0].clone();
        }
        assert_eq!(values(&world, &workspace).await, json!({"KEY": value}));
    }
}

#[tokio::test]
async fn global_secrets_are_everybodys_until_overridden() {
    let world = World::new();
    let (workspace, other) = (world.workspace("One").await, world.workspace("Two").await);
    let key = format!("G_{}", Uuid::new_v4().simple());
    let global = json!({"key": key, "value": "global"});
    let set = world.post("/settings/secrets").bearer(&world.admin);
    set.json(&global).await.expect(200);
    let scopes = |rows: &Value| -> Vec<String> {
        let rows = rows.as_array().into_iter().flatten();
        let named = rows.filter(|row| row["key"] == key);
        named
            .filter_map(|row| row["scope"].as_str().map(str::to_owned))
            .collect()
    };
    let list = || {
        let path = format!("/workspaces/{}/secrets", workspace.id);
        world.get(&path).bearer(&world.admin)
    };
    assert_eq!(scopes(&list().await.expect(200).json), ["global"]);
    assert_eq!(environment(&world, &workspace).await[&key], "global");

    let set = world.secret(&workspace.id, &key, "own");
    set.bearer(&world.admin).await.expect(200);
    // What is the workspace's own comes first.
    let set = world.secret(&workspace.id, "zzz", "own");
    set.bearer(&world.admin).await.expect(200);
    let rows = list().await.expect(200).json;
    assert_eq!(scopes(&rows), ["workspace"]);
    let rows = rows.as_array().expect("a list");
    let order: Vec<&Value> = rows.iter().map(|row| &row["scope"]).collect();
    assert!(order.is_sorted_by_key(|scope| *scope != "workspace"));
    assert_eq!(environment(&world, &workspace).await[&key], "own");
    assert_eq!(environment(&world, &other).await[&key], "global");

    delete(&world, &workspace, &key).await.expect(200);
    assert_eq!(environment(&world, &workspace).await[&key], "global");
    let path = format!("/settings/secrets/{key}");
    let gone = world.call(Method::DELETE, &path).bearer(&world.admin);
    gone.await.expect(200);
    assert!(environment(&world, &workspace).await[&key].is_null());
}

#[tokio::test]
async fn secrets_go_with_their_workspace() {
    let world = World::new();
    for purge in ["", "?purge=true"] {
        let (gone, left) = (world.workspace("Gone").await, world.workspace("Left").await);
        for workspace in [&gone, &left] {
            let set = world.secret(&workspace.id, "KEY", "v");
            set.bearer(&workspace.token).await.expect(200);
        }
        let path = format!("/workspaces/{}{purge}", gone.id);
        let removed = world.call(Method::DELETE, &path).bearer(&world.admin);
        removed.await.expect(200);

        let path = format!("/workspaces/{}/secrets", gone.id);
        let refused = world.get(&format!("{path}/values")).bearer(&gone.token);
        let invalid = (401, "invalid workspace auth token");
        assert_eq!(refused.await.error(), invalid);
        // An operator finds nothing, and can leave nothing.
        let rows = world.get(&path).bearer(&world.admin).await.expect(200);
        let rows = rows.json.as_array().expect("a list").clone();
        assert!(rows.iter().all(|row| row["scope"] == "global"));
        let late = world.secret(&gone.id, "KEY", "late").bearer(&world.admin);
        assert_eq!(late.await.error(), (404, "workspace not found"));
        let late = world.call(Method::DELETE, &format!("{path}/KEY"));
        let late = late.bearer(&world.admin).await;
        assert_eq!(late.error(), (404, "secret not found"));
        assert_eq!(values(&world, &left).await, json!({"KEY": "v"}));
    }
}

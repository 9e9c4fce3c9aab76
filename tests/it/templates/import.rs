//! `POST /templates/import`

use domain::Mode;
use e2e::{
    Call, World, at_once,
    counted::{ALWAYS, Fault, InProcess},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::list::listed;

fn import(world: &World, body: &Value) -> Call {
    let call = world.post("/templates/import").json(body);
    call.bearer(&world.admin)
}

fn fresh() -> String {
    format!("import-{}", Uuid::new_v4())
}

#[tokio::test]
async fn a_template_is_there_at_once() {
    let world = World::new();
    let dir = fresh();
    let name = dir.replace("import-", "../Import ");
    let config = "name: Mine\ntier: 1\nruntime: crewai\nruntime_config:\n  model: m\n  \
        required_env: [A_KEY]\n  provision_timeout_seconds: 7\n  models: [{id: m, name: M}]\n";
    let body = json!({"name": name, "files": {
        "config.yaml": config, "skills/x/SKILL.md": "# x", "./a//b.md": "text"}});
    let made = import(&world, &body).await.expect(201);
    assert_eq!(
        made.json,
        json!({"status": "imported", "id": dir, "name": name})
    );
    assert_eq!(
        listed(&world, &dir).await.expect("listed"),
        json!({"id": dir, "name": "Mine", "description": "", "tier": 1, "runtime": "crewai",
            "model": "m", "skills": [], "skill_count": 0, "models": [{"id": "m", "name": "M"}],
            "required_env": ["A_KEY"], "provision_timeout_seconds": 7})
    );
    let store = &InProcess::new(Mode::DevClosed).await.app.store;
    let key = format!("templates/{dir}/a/b.md");
    let file = store.file(&key).await.expect("read");
    assert_eq!(file.expect("there"), b"text");
    let again = import(&world, &body).await.expect(409);
    assert_eq!(
        again.json,
        json!({"error": "template already exists", "id": dir})
    );
}

#[tokio::test]
async fn a_config_is_made_and_no_name_adds_a_key() {
    let world = World::new();
    let dir = fresh();
    let name = format!("{dir}\nruntime: pwned");
    let body = json!({"name": name, "files": {"b.md": "", "a.md": "", "skills/s/SKILL.md": ""}});
    let made = import(&world, &body).await.expect(201);
    assert_eq!(made.text("name"), name);
    let id = made.text("id");
    let row = listed(&world, &id).await.expect("listed");
    assert_eq!(row["name"], name);
    assert_eq!(row["runtime"], "");
    assert_eq!(row["tier"], 3);
    assert_eq!(row["description"], "Imported agent");
    assert_eq!(row["model"], "anthropic:claude-haiku-4-5-20251001");
    assert_eq!(row["skills"], json!(["s"]));
}

#[tokio::test]
async fn bad_requests_write_nothing() {
    let world = World::new();
    let dir = fresh();
    let many: Value = (0..201)
        .map(|n| (n.to_string(), json!("")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (change, sentence) in [
        (json!({"name": null}), "invalid request body"),
        (json!({"files": null}), "invalid request body"),
        (json!({"files": ["a"]}), "invalid request body"),
        (json!({"files": {"a": 1}}), "invalid request body"),
        (json!({"files": many}), "too many files (201), max 200"),
        (
            json!({"files": {"good.md": "", "../../x": ""}}),
            "invalid file path",
        ),
        (
            json!({"files": {"good.md": "", "/etc/x": ""}}),
            "invalid file path",
        ),
        (
            json!({"files": {"config.yaml": "a: ["}}),
            "invalid config.yaml",
        ),
    ] {
        let mut body = json!({"name": dir, "files": {}});
        let changed = change.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(changed);
        let refused = import(&world, &body).await;
        assert_eq!(refused.error(), (400, sentence), "{sentence}");
    }
    let padding = "x".repeat(5 * 1024 * 1024);
    let huge = json!({"name": dir, "files": {"x": padding}});
    import(&world, &huge).await.expect(413);
    let store = &InProcess::new(Mode::DevClosed).await.app.store;
    let files = store.files(&format!("templates/{dir}/")).await;
    assert_eq!(files.expect("listed"), []);
    assert_eq!(listed(&world, &dir).await, None);
    let agent = world.workspace("Agent").await.token;
    let body = json!({"name": dir, "files": {}});
    let refused = world.post("/templates/import").bearer(&agent).json(&body);
    refused.await.expect(401);
}

#[tokio::test]
async fn one_of_many_at_once_gets_the_name() {
    let world = World::new();
    let dir = fresh();
    let body = json!({"name": dir, "files": {"x.md": "x"}});
    let answers = at_once((0..6).map(|_| import(&world, &body))).await;
    let answers: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let made = answers.iter().filter(|status| **status == 201).count();
    let taken = answers.iter().filter(|status| **status == 409).count();
    assert_eq!((made, taken), (1, 5), "{answers:?}");
}

#[tokio::test]
async fn a_failed_import_can_be_repeated() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let body = json!({"name": fresh(), "files": {"x.md": "x"}});
    let import = || {
        let call = inside.post("/templates/import").bearer(&inside.admin);
        call.json(&body)
    };
    inside.wire.fail("PutObject", ALWAYS, Fault::Unreachable);
    import().await.expect(503);
    inside.wire.mend();
    import().await.expect(201);
    import().await.expect(409);
}

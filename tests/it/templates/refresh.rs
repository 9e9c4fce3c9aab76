//! `POST /templates/refresh`

use domain::Mode;
use e2e::counted::InProcess;
use serde_json::{Value, json};
use uuid::Uuid;

/// Tables of their own: a refresh removes what other tests have written by its folder only.
async fn refresh(inside: &InProcess) -> Value {
    let call = inside.post("/templates/refresh").bearer(&inside.admin);
    call.await.expect(200).json
}

async fn row(inside: &InProcess, path: &str, key: &str, dir: &str) -> Option<Value> {
    let list = inside
        .get(path)
        .bearer(&inside.admin)
        .await
        .expect(200)
        .json;
    let mut rows = list.as_array().expect("a list").iter();
    rows.find(|row| row[key] == dir).cloned()
}

fn reason(answer: &Value, dir: &str) -> Option<String> {
    let mut skipped = answer["skipped"].as_array().expect("a list").iter();
    let skipped = skipped.find(|it| it["dir"] == dir)?;
    Some(skipped["reason"].as_str().expect("a text").to_owned())
}

#[tokio::test]
async fn what_was_copied_by_hand_becomes_known() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let store = &inside.app.store;
    let (dir, bad) = (
        format!("hand-{}", Uuid::new_v4()),
        format!("bad-{}", Uuid::new_v4()),
    );
    let put = |path: String, text: &str| {
        let bytes = text.as_bytes().to_vec();
        async move { store.put_file(&path, bytes).await.expect("written") }
    };
    put(
        format!("templates/{dir}/config.yaml"),
        "name: One\nruntime: r1\n\
        runtime_config: {provision_timeout_seconds: 60, required_env: [A, B]}",
    )
    .await;
    put(
        format!("templates/{dir}/below/config.yaml"),
        "name: Two\nruntime: r1\n\
        runtime_config: {provision_timeout_seconds: 90}",
    )
    .await;
    put(format!("templates/{bad}/config.yaml"), "a: [").await;
    put(format!("templates/{bad}-none/readme.md"), "no template").await;
    put(
        format!("org-templates/{dir}/org.yml"),
        "name: O\nrequired_env: [Z]\n\
        workspaces: !include w.yaml",
    )
    .await;
    put(
        format!("org-templates/{dir}/w.yaml"),
        "[{name: a, required_env: [{any_of: [X, Y]}]}]",
    )
    .await;
    put(
        format!("org-templates/{bad}/org.yaml"),
        "workspaces: !include nowhere.yaml",
    )
    .await;

    assert_eq!(row(&inside, "/templates", "id", &dir).await, None);
    let answer = refresh(&inside).await;
    assert!(answer["templates"].as_u64() >= Some(2), "{answer}");
    assert!(reason(&answer, &bad).is_some(), "{answer}");
    assert_eq!(row(&inside, "/templates", "id", &bad).await, None);
    let one = row(&inside, "/templates", "id", &dir)
        .await
        .expect("listed");
    assert_eq!(one["name"], "One");
    // Folders in folders are known, and not listed.
    let below = format!("{dir}/below");
    assert_eq!(row(&inside, "/templates", "id", &below).await, None);
    assert_eq!(
        store
            .template(&below)
            .await
            .expect("read")
            .expect("known")
            .name,
        "Two"
    );
    for (template, expected) in [
        (dir.as_str(), vec!["A", "B"]),
        (&below, vec![]),
        ("no/such", vec![]),
        ("../x", vec![]),
    ] {
        assert_eq!(
            store.required_env(template).await.expect("read"),
            expected,
            "{template}"
        );
    }
    assert_eq!(
        row(&inside, "/org/templates", "dir", &dir)
            .await
            .expect("listed"),
        json!({"dir": dir, "name": "O", "description": "", "workspaces": 1,
            "required_env": ["Z", {"any_of": ["X", "Y"]}], "recommended_env": []})
    );
    assert_eq!(row(&inside, "/org/templates", "dir", &bad).await, None);

    // The longest time that any template gives to the runtime.
    let timeout = |body: Value| {
        let inside = &inside;
        async move {
            let create = inside.post("/workspaces").bearer(&inside.admin).json(&body);
            let id = create.await.expect(201).text("id");
            let shown = inside
                .get(&format!("/workspaces/{id}"))
                .bearer(&inside.admin);
            let one = shown.await.expect(200).json["provision_timeout_ms"].clone();
            let all = row(inside, "/workspaces", "id", &id).await.expect("listed");
            assert_eq!(all["provision_timeout_ms"], one);
            one
        }
    };
    assert_eq!(timeout(json!({"name": "a", "template": dir})).await, 90_000);
    assert_eq!(
        timeout(json!({"name": "a", "runtime": "r2"})).await,
        Value::Null
    );
}

#[tokio::test]
async fn what_is_gone_is_forgotten_and_what_is_being_written_is_not() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let store = &inside.app.store;
    let (gone, claimed) = (
        format!("gone-{}", Uuid::new_v4()),
        format!("claimed-{}", Uuid::new_v4()),
    );
    let head = domain::template::Template {
        runtime: "r3".to_owned(),
        provision_timeout_seconds: 5,
        ..Default::default()
    };
    store.save_template(&gone, &head).await.expect("written");
    store
        .save_org_template(&gone, &Default::default())
        .await
        .expect("written");
    let now = jiff::Timestamp::now();
    let claim = store
        .claim_template(&claimed, now)
        .await
        .expect("asked")
        .expect("free");
    let answer = refresh(&inside).await;
    assert_eq!(answer["removed"], 2);
    assert_eq!(row(&inside, "/templates", "id", &gone).await, None);
    assert_eq!(row(&inside, "/org/templates", "dir", &gone).await, None);
    let key = store::keys::template_timeouts();
    let rows = store.rows([key]).await.expect("read");
    assert_eq!(rows.template_timeouts().expect("read").of("r3"), None);

    // A claim stands until it is finished, and is void when it is old.
    assert!(
        store
            .claim_template(&claimed, now)
            .await
            .expect("asked")
            .is_none()
    );
    let later = now + jiff::SignedDuration::from_secs(61);
    let second = store
        .claim_template(&claimed, later)
        .await
        .expect("asked")
        .expect("void");
    store
        .finish_template(&claim, &head)
        .await
        .expect("answered");
    assert_eq!(store.template(&claimed).await.expect("read"), None);
    store
        .finish_template(&second, &head)
        .await
        .expect("answered");
    assert_eq!(store.template(&claimed).await.expect("read"), Some(head));
}

#[tokio::test]
async fn a_head_that_was_written_again_is_not_forgotten() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let store = &inside.app.store;
    store
        .save_template("twice", &Default::default())
        .await
        .expect("written");
    let read = store.templates().await.expect("read");
    store
        .save_template("twice", &Default::default())
        .await
        .expect("written");
    assert!(!store.forget_template(&read[0]).await.expect("answered"));
    let read = store.templates().await.expect("read");
    assert!(store.forget_template(&read[0]).await.expect("answered"));
    assert_eq!(store.templates().await.expect("read"), []);
}

//! `GET|POST|PUT /settings/secrets`, `DELETE /settings/secrets/{key}`, and the same below `/admin`

use domain::Mode;
use e2e::{World, counted::InProcess};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const BOTH: [&str; 2] = ["/settings/secrets", "/admin/secrets"];

#[tokio::test]
async fn a_global_secret_is_set_listed_and_deleted_below_either_path() {
    let world = World::new();
    let agent = world.workspace("Reading").await;
    for (path, other) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let key = format!("G_{}", Uuid::new_v4().simple());
        for (method, value) in [(Method::POST, "hunter2"), (Method::PUT, "hunter3")] {
            let set = world.call(method, path).bearer(&world.admin);
            let set = set.json(&json!({"key": key, "value": value}));
            let saved = json!({"status": "saved", "key": key, "scope": "global"});
            assert_eq!(set.await.expect(200).json, saved);
            let values = format!("/workspaces/{}/secrets/values", agent.id);
            let values = world.get(&values).bearer(&agent.token).await;
            assert_eq!(values.expect(200).json[&key], value);
        }
        for path in BOTH {
            let listed = world.get(path).bearer(&world.admin).await.expect(200);
            let rows = listed.json.as_array().expect("a list");
            let keys: Vec<_> = rows.iter().map(|row| row["key"].as_str()).collect();
            assert!(keys.is_sorted(), "{keys:?}");
            let row = rows.iter().find(|row| row["key"] == key.as_str());
            let row = row.expect("listed");
            assert_eq!(
                (&row["scope"], &row["has_value"]),
                (&json!("global"), &json!(true))
            );
            assert!(row["updated_at"].as_str() > row["created_at"].as_str());
            assert!(!listed.json.to_string().contains("hunter"));
        }
        let one = |path: &str| {
            let call = world.call(Method::DELETE, &format!("{path}/{key}"));
            call.bearer(&world.admin)
        };
        let deleted = json!({"status": "deleted", "key": key, "scope": "global"});
        assert_eq!(one(other).await.expect(200).json, deleted);
        assert_eq!(one(path).await.error(), (404, "secret not found"));
    }
}

#[tokio::test]
async fn only_operators_have_them() {
    let world = World::new();
    let agent = world.workspace("Agent").await;
    let key = format!("G_{}", Uuid::new_v4().simple());
    let body = json!({"key": key, "value": "v"});
    for path in BOTH {
        for (method, path) in [
            (Method::GET, path.to_owned()),
            (Method::POST, path.to_owned()),
            (Method::PUT, path.to_owned()),
            (Method::DELETE, format!("{path}/{key}")),
        ] {
            let call = || world.call(method.clone(), &path).json(&body);
            assert_eq!(call().await.error(), (401, "admin auth required"));
            for bearer in [&agent.token, "nonsense"] {
                let refused = call().bearer(bearer).await;
                let invalid = (401, "invalid admin auth token");
                assert_eq!(refused.error(), invalid, "{method} {path}");
            }
        }
        for bad in [
            json!({"key": "A-B", "value": "v"}),
            json!({"key": key, "value": ""}),
            json!({"key": key}),
        ] {
            let call = world.post(path).bearer(&world.admin).json(&bad);
            assert_eq!(call.await.error(), (400, "invalid request body"));
        }
        let large = json!({"key": key, "value": "v".repeat(300_000)});
        let call = world.post(path).bearer(&world.admin).json(&large);
        assert_eq!(call.await.error(), (413, "request body too large"));
        let rows = world.get(path).bearer(&world.admin).await.expect(200).json;
        assert!(!rows.to_string().contains(&key));
    }
}

/// What an environment of all that may be takes: at most an answer, or a clear no.
#[tokio::test]
async fn an_environment_that_fits_no_answer_is_refused_whole() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Large").await;
    let at = format!("/workspaces/{}/secrets", own.id);
    let set = |path: &str, key: String, value: &str| {
        let call = inside.post(path).bearer(&inside.admin);
        call.json(&json!({"key": key, "value": value}))
    };
    // Each of these bytes is two in JSON, and two more in Lambda's answer.
    let value = "\"".repeat(32 * 1024);
    let values = || inside.get(&format!("{at}/values")).bearer(&own.token);
    for n in 0..40 {
        set("/settings/secrets", format!("G{n}"), &value)
            .await
            .expect(200);
    }
    assert_eq!(
        values().await.expect(200).json["G39"],
        Value::from(value.clone())
    );
    for n in 0..3 {
        set(&at, format!("W{n}"), &value).await.expect(200);
    }
    let refused = values().await;
    let sentence = "the secrets are too large for one answer";
    assert_eq!(refused.error(), (413, sentence));
    // Smaller ones help, and so does room.
    for n in 0..3 {
        set(&at, format!("W{n}"), "small").await.expect(200);
    }
    assert_eq!(values().await.expect(200).json["W0"], "small");
    // Beyond this, the number is the limit.
    for n in 40..100 {
        set("/settings/secrets", format!("G{n}"), "v")
            .await
            .expect(200);
    }
    let full = set("/settings/secrets", "G100".to_owned(), "v").await;
    assert_eq!(full.error(), (429, "maximum 100 secrets per scope"));
}

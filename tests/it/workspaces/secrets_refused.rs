//! `/workspaces/{id}/secrets`, refused

use e2e::{STRANGER, World, at_once};
use reqwest::Method;
use serde_json::json;

use super::secrets::values;

const MAX_VALUE: usize = 32 * 1024;
const MAX_BYTES: usize = 6 * MAX_VALUE + 4096;

#[tokio::test]
async fn secrets_are_their_workspaces_and_its_operators_affair() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let set = world.secret(&own.id, "KEY", "v").bearer(&own.token);
    set.await.expect(200);
    let (missing, invalid) = (
        (401, "missing workspace auth token"),
        (401, "invalid workspace auth token"),
    );
    for id in [own.id.as_str(), &gone.id, STRANGER] {
        let path = format!("/workspaces/{id}/secrets");
        let body = json!({"key": "KEY", "value": "stolen"});
        for (method, path) in [
            (Method::GET, path.clone()),
            (Method::GET, format!("{path}/values")),
            (Method::POST, path.clone()),
            (Method::PUT, path.clone()),
            (Method::DELETE, format!("{path}/KEY")),
        ] {
            let call = || world.call(method.clone(), &path).json(&body);
            assert_eq!(call().await.error(), missing, "{method} {path}");
            for bearer in [&other.token, &gone.token, "nonsense"] {
                let refused = call().bearer(bearer).await;
                assert_eq!(refused.error(), invalid, "{method} {path}");
                // Neither does a name help.
                let named = call().bearer(bearer).header("X-Workspace-ID", id).await;
                assert_eq!(named.error(), invalid, "{method} {path}");
            }
        }
        // Values are for the workspace: not even an operator sees them.
        let refused = world.get(&format!("{path}/values")).bearer(&world.admin);
        assert_eq!(refused.await.error(), invalid);
    }
    assert_eq!(values(&world, &own).await, json!({"KEY": "v"}));
    for path in ["/workspaces/own/secrets", "/workspaces/own/secrets/values"] {
        let bad = world.get(path).bearer(&world.admin).await;
        assert_eq!(bad.error(), (400, "invalid workspace ID"));
    }
    // The operator sees no secrets where there is no workspace, and leaves none there.
    let set = world.secret(STRANGER, "KEY", "v").bearer(&world.admin);
    assert_eq!(set.await.error(), (404, "workspace not found"));
}

#[tokio::test]
async fn keys_are_names_of_variables_and_values_are_not_empty() {
    let world = World::new();
    let own = world.workspace("Odd").await;
    let path = format!("/workspaces/{}/secrets", own.id);
    let post = |body: String| world.post(&path).bearer(&own.token).body(body);
    let refusal = (400, "invalid request body");
    for body in [
        "",
        "null",
        "[]",
        "{",
        r#""KEY""#,
        "{}",
        r#"{"key":"KEY"}"#,
        r#"{"value":"v"}"#,
        r#"{"key":"KEY","value":null}"#,
        r#"{"key":null,"value":"v"}"#,
        r#"{"key":"","value":"v"}"#,
        r#"{"key":"KEY","value":""}"#,
        r#"{"key":"KEY","value":7}"#,
        r#"{"key":7,"value":"v"}"#,
        r#"{"key":"KEY","value":{"hunter2":1}}"#,
        r#"{"key":"KEY","value":"a\u0000b"}"#,
    ] {
        let refused = post(body.to_owned()).await;
        assert_eq!(refused.error(), refusal, "{body}");
        assert!(!refused.json.to_string().contains("hunter2"), "{body}");
    }
    let long = "K".repeat(129);
    for key in [
        "1A", "A-B", "A B", " A", "A ", "A.B", "A=B", "A/B", "A|B", "A#B", "a\nb", "Ä", "К", "🔑",
        &long,
    ] {
        let refused = world.secret(&own.id, key, "hunter2").bearer(&own.token);
        let refused = refused.await;
        assert_eq!(refused.error(), refusal, "{key:?}");
        assert!(refused.text("detail").contains("a secret's key must be"));
        assert!(!refused.json.to_string().contains("hunter2"));
    }
    // What cannot be a name is the name of no secret.
    for key in ["A-B", "1", "%41%20B", "%C3%84", "KEY"] {
        let call = world.call(Method::DELETE, &format!("{path}/{key}"));
        let missing = call.bearer(&own.token).await;
        assert_eq!(missing.error(), (404, "secret not found"), "{key}");
    }
    assert_eq!(values(&world, &own).await, json!({}));
}

#[tokio::test]
async fn sizes_have_limits() {
    let world = World::new();
    let own = world.workspace("Large").await;
    let set = |key: &str, value: &str| world.secret(&own.id, key, value).bearer(&own.token);
    let longest = "K".repeat(128);
    // Written as two bytes each, it is still as long as it is.
    let largest = "\n".repeat(MAX_VALUE);
    set(&longest, &largest).await.expect(200);
    assert_eq!(values(&world, &own).await, json!({&longest: largest}));

    let refused = set("KEY", &"v".repeat(MAX_VALUE + 1)).await;
    assert_eq!(refused.error(), (400, "invalid request body"));
    let detail = "a secret's value must have at most 32768 bytes";
    assert_eq!(refused.text("detail"), detail);
    let refused = set("KEY", &"v".repeat(MAX_BYTES)).await;
    let body = json!({"error": "request body too large", "max_bytes": MAX_BYTES});
    assert_eq!((refused.status, refused.json), (413, body));
    assert_eq!(values(&world, &own).await, json!({&longest: largest}));
}

#[tokio::test]
async fn a_workspace_has_at_most_a_hundred() {
    let world = World::new();
    let own = world.workspace("Greedy").await;
    let set = |n: usize| {
        world
            .secret(&own.id, &format!("K{n}"), "v")
            .bearer(&own.token)
    };
    // All at once, the first ones meet over the keyring: none of them may be lost.
    for batch in [0..20, 20..60, 60..110] {
        for answer in at_once(batch.map(set)).await {
            if answer.status != 200 {
                assert_eq!(answer.error(), (429, "maximum 100 secrets per scope"));
            }
        }
    }
    let found = values(&world, &own).await;
    let found = found.as_object().expect("a map");
    assert_eq!(found.len(), 100);
    // Overwriting needs no room, deleting makes some.
    let there = found.keys().next().expect("one").clone();
    let set = |key: &str| world.secret(&own.id, key, "again").bearer(&own.token);
    set(&there).await.expect(200);
    set("ONE_MORE").await.expect(429);
    let path = format!("/workspaces/{}/secrets/{there}", own.id);
    let delete = world.call(Method::DELETE, &path).bearer(&own.token);
    delete.await.expect(200);
    set("ONE_MORE").await.expect(200);
    set(&there).await.expect(429);
}

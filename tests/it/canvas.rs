//! `GET|PUT /canvas/viewport`

use e2e::{Call, World};
use reqwest::Method;
use serde_json::{Value, json};

fn put(world: &World, body: impl Into<String>) -> Call {
    world
        .call(Method::PUT, "/canvas/viewport")
        .body(body.into())
}

/// What anybody sees: three numbers, whole or not.
async fn viewport(world: &World) -> [f64; 3] {
    let json = world.get("/canvas/viewport").await.expect(200).json;
    assert_eq!(json.as_object().map(|keys| keys.len()), Some(3));
    ["x", "y", "zoom"].map(|key| json[key].as_f64().expect("a number"))
}

/// There is one viewport for all, so all of it is one test.
#[tokio::test]
async fn the_viewport_is_everybodys_and_saved_with_a_credential() {
    let world = World::new();
    let agent = world.workspace("Agent").await;
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    assert_eq!(viewport(&world).await, [0.0, 0.0, 1.0]);

    let saved = json!({"status": "saved"});
    for (bearer, body, expected) in [
        (
            &world.admin,
            json!({"x": 10, "y": -2.5, "zoom": 0.75}),
            [10.0, -2.5, 0.75],
        ),
        (
            &agent.token,
            json!({"x": 1e6, "y": 1e-6, "zoom": 1e-200}),
            [1e6, 1e-6, 0.0],
        ),
        // What is absent or null is zero, the zoom too.
        (
            &world.admin,
            json!({"x": 3, "other": "key"}),
            [3.0, 0.0, 0.0],
        ),
        (&world.admin, json!({"x": null, "zoom": 1}), [0.0, 0.0, 1.0]),
        (&world.admin, json!({}), [0.0; 3]),
        (
            &world.admin,
            json!({"x": 7, "y": 8, "zoom": 1.5}),
            [7.0, 8.0, 1.5],
        ),
    ] {
        let reply = put(&world, body.to_string()).bearer(bearer).await;
        assert_eq!(reply.expect(200).json, saved, "{body}");
        assert_eq!(viewport(&world).await, expected, "{body}");
    }

    for body in [
        "",
        "{",
        "null",
        "[1,2,3]",
        r#"{"x":"1"}"#,
        r#"{"zoom":true}"#,
        r#"{"y":1e400}"#,
        r#"{"y":1e126}"#,
    ] {
        let refused = put(&world, body).bearer(&world.admin).await;
        assert_eq!(refused.error(), (400, "invalid viewport data"), "{body}");
    }
    let huge = json!({"padding": "x".repeat(16 * 1024)}).to_string();
    let refused = put(&world, huge).bearer(&world.admin).await.expect(413);
    assert_eq!(refused.json["max_bytes"], 16_384);

    let body = || put(&world, json!({"x": 666}).to_string());
    assert_eq!(body().await.error(), (401, "admin auth required"));
    // A listed page is no credential.
    let page = body().header("Origin", "http://localhost:3000").await;
    assert_eq!(page.error(), (401, "admin auth required"));
    for bearer in ["nonsense", &gone.token] {
        let refused = body().bearer(bearer).await.expect(401);
        let sentence: Value = json!({"error": "invalid admin auth token"});
        assert_eq!(refused.json, sentence);
    }
    assert_eq!(viewport(&world).await, [7.0, 8.0, 1.5]);
}

//! `GET|PUT /workspaces/{id}/model`

use e2e::{Call, World};
use reqwest::Method;
use serde_json::{Value, json};

fn put(world: &World, id: &str, body: &Value) -> Call {
    let call = world.call(Method::PUT, &format!("/workspaces/{id}/model"));
    call.json(body)
}

#[tokio::test]
async fn a_model_is_a_secret_that_shows() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let path = format!("/workspaces/{}/model", own.id);
    let shown = || async { world.get(&path).bearer(&own.token).await.expect(200).json };
    let none = json!({"model": "", "source": "default"});
    assert_eq!(shown().await, none);
    for model in ["openai:gpt-4.1", "anthropic:claude-opus-4-7"] {
        let set = put(&world, &own.id, &json!({"model": model}));
        let saved = set.bearer(&own.token).await.expect(200);
        assert_eq!(saved.json, json!({"status": "saved", "model": model}));
        assert_eq!(
            shown().await,
            json!({"model": model, "source": "workspace_secrets"})
        );
    }
    let values = world.get(&format!("/workspaces/{}/secrets/values", own.id));
    let values = values.bearer(&own.token).await.expect(200);
    assert_eq!(values.text("MODEL_PROVIDER"), "anthropic:claude-opus-4-7");
    // Twice: what is cleared may be cleared.
    for body in [json!({"model": ""}), json!({})] {
        let cleared = put(&world, &own.id, &body).bearer(&own.token);
        assert_eq!(cleared.await.expect(200).json, json!({"status": "cleared"}));
        assert_eq!(shown().await, none);
    }
    // Set as a secret it is the same.
    let secret = json!({"key": "MODEL_PROVIDER", "value": "local"});
    let set = world.post(&format!("/workspaces/{}/secrets", own.id));
    set.bearer(&own.token).json(&secret).await.expect(200);
    assert_eq!(shown().await["model"], "local");
    assert_eq!(world.get(&path).bearer(&world.admin).await.status, 200);
}

#[tokio::test]
async fn a_secret_may_be_called_model() {
    let world = World::new();
    let own = world.workspace("Own").await;
    let secrets = format!("/workspaces/{}/secrets", own.id);
    let secret = json!({"key": "model", "value": "none of ours"});
    let set = world.post(&secrets).bearer(&own.token).json(&secret);
    set.await.expect(200);
    let delete = || {
        let path = format!("{secrets}/model");
        world.call(Method::DELETE, &path).bearer(&own.token)
    };
    let deleted = delete().await.expect(200).json;
    assert_eq!(deleted, json!({"status": "deleted", "key": "model"}));
    assert_eq!(delete().await.error(), (404, "secret not found"));
}

#[tokio::test]
async fn what_is_no_model_and_who_is_no_caller() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    for body in [
        json!({"model": 7}),
        json!({"model": "a\nb"}),
        json!({"model": "x".repeat(1025)}),
        json!([]),
    ] {
        let refused = put(&world, &own.id, &body).bearer(&own.token).await;
        assert_eq!(refused.error(), (400, "invalid request body"), "{body}");
    }
    let model = json!({"model": "m"});
    let large = json!({"model": "x".repeat(5000)});
    let large = put(&world, &own.id, &large).bearer(&own.token).await;
    assert_eq!(large.status, 413);
    assert_eq!(put(&world, &own.id, &model).await.status, 401);
    let foreign = put(&world, &own.id, &model).bearer(&other.token);
    assert_eq!(foreign.await.status, 401);
    let odd = put(&world, "not-an-id", &model).bearer(&world.admin);
    assert_eq!(odd.await.status, 400);
    let nobody = uuid::Uuid::new_v4().to_string();
    let unknown = put(&world, &nobody, &model).bearer(&world.admin).await;
    assert_eq!(unknown.error(), (404, "workspace not found"));
    let shown = world.get(&format!("/workspaces/{}/model", own.id));
    let shown = shown.bearer(&own.token).await.expect(200);
    assert_eq!(shown.json["source"], "default");
}

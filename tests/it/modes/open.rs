//! Open development: the doors that the reference opens are open.

use domain::Mode;
use e2e::counted::{InProcess, PUBLIC};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::answers;

#[tokio::test]
async fn nobody_needs_a_credential() {
    let open = InProcess::new(Mode::Dev).await;
    let made = json!({"name": "Nobody's", "runtime": "langgraph"});
    let made = open.post("/workspaces").json(&made).await.expect(201);
    let id = made.text("id");
    let at = |rest: &str| format!("/workspaces/{id}{rest}");
    let patch = open.call(Method::PATCH, &at("")).json(&json!({"tier": 2}));
    let card = json!({"workspace_id": id, "agent_card": {"name": "x"}});
    let question = json!({"caller_id": id, "target_id": id});
    let view = json!({"x": 1, "y": 2, "zoom": 1});
    let report = json!({"activity_type": "agent_log"});
    let secret = json!({"key": "K", "value": "v"});
    let org = json!({"template": {"workspaces": [{"name": "n"}]}});
    answers([
        (open.get("/workspaces"), 200, ""),
        (open.get(&at("")), 200, ""),
        (patch, 200, ""),
        (open.get("/events"), 200, ""),
        (open.get(&format!("/events/{id}")), 200, ""),
        (open.post("/registry/update-card").json(&card), 200, ""),
        (open.post("/registry/check-access").json(&question), 200, ""),
        (open.get(&format!("/registry/{id}/peers")), 200, ""),
        (open.get(&at("/activity")), 200, ""),
        (open.post(&at("/activity")).json(&report), 200, ""),
        (
            open.post(&at("/notify")).json(&json!({"message": "m"})),
            200,
            "",
        ),
        (open.get("/settings/secrets"), 200, ""),
        (open.get("/templates"), 200, ""),
        (open.get("/org/templates"), 200, ""),
        (open.post("/org/import").json(&org), 201, ""),
        (open.get(&at("/secrets")), 200, ""),
        (open.post(&at("/secrets")).json(&secret), 200, ""),
        (open.get(&at("/secrets/values")), 200, ""),
        (open.call(Method::DELETE, &at("/secrets/K")), 200, ""),
        (open.get(&at("/tokens")), 200, ""),
        (open.post(&at("/tokens")), 201, ""),
        (
            open.get(&format!("/admin/workspaces/{id}/test-token")),
            200,
            "",
        ),
        (
            open.call(Method::PUT, "/canvas/viewport").json(&view),
            200,
            "",
        ),
        (open.call(Method::DELETE, &at("")), 200, ""),
    ])
    .await;
}

#[tokio::test]
async fn a_workspace_without_tokens_is_believed_until_it_has_one() {
    let open = InProcess::new(Mode::Dev).await;
    let made = json!({"name": "Tokenless", "runtime": "langgraph"});
    let made = open.post("/workspaces").json(&made).await.expect(201);
    let id = made.text("id");
    let beat = || {
        open.post("/registry/heartbeat")
            .json(&json!({"workspace_id": id}))
    };
    let register = || {
        let body = json!({"id": id, "url": PUBLIC, "agent_card": {}});
        open.post("/registry/register").json(&body)
    };
    answers([(beat(), 200, ""), (beat().bearer("anything"), 200, "")]).await;
    let shown = open.get(&format!("/workspaces/{id}")).await.expect(200);
    assert_eq!(shown.json["status"], "online");

    let values = || open.get(&format!("/workspaces/{id}/secrets/values"));
    answers([(values(), 200, "")]).await;

    let token = register().await.expect(200).text("auth_token");
    let (missing, invalid) = (
        "missing workspace auth token",
        "invalid workspace auth token",
    );
    let notify = open.post(&format!("/workspaces/{id}/notify"));
    answers([
        (beat(), 401, missing),
        (beat().bearer("anything"), 401, invalid),
        (beat().bearer(&token), 200, ""),
        (register(), 401, missing),
        (values(), 401, missing),
        (values().bearer("anything"), 401, invalid),
        (values().bearer(&token), 200, ""),
        (register().bearer("anything"), 401, invalid),
        // A bad bearer never falls through an open door.
        (
            notify.bearer("anything").json(&json!({"message": "m"})),
            401,
            invalid,
        ),
    ])
    .await;
    let again = register().bearer(&token).await.expect(200);
    assert!(again.json["auth_token"].is_null(), "one token is enough");
}

#[tokio::test]
async fn a_workspace_does_to_itself_what_elsewhere_operators_do() {
    let open = InProcess::new(Mode::Dev).await;
    let own = open.online("Own").await;
    let call = |method, rest: &str| {
        let call = open.call(method, &format!("/workspaces/{}{rest}", own.id));
        call.bearer(&own.token)
    };
    let act = |act: &str| call(Method::POST, &format!("/{act}"));
    answers([
        (
            call(Method::PATCH, "").json(&json!({"tier": 1, "parent_id": null})),
            200,
            "",
        ),
        (act("tokens"), 201, ""),
        (act("hibernate"), 200, ""),
        (act("pause"), 200, ""),
        (act("resume"), 200, ""),
        (act("pause"), 200, ""),
        (act("restart"), 200, ""),
    ])
    .await;
}

#[tokio::test]
async fn an_unknown_id_becomes_a_root_by_registering_and_only_so() {
    let open = InProcess::new(Mode::Dev).await;
    let id = Uuid::new_v4().to_string();
    let beat = open
        .post("/registry/heartbeat")
        .json(&json!({"workspace_id": id}));
    answers([(beat, 404, "workspace not found")]).await;

    let body = json!({"id": id, "url": "http://127.0.0.1:9/", "agent_card": {"name": "new"}});
    let registered = open
        .post("/registry/register")
        .json(&body)
        .await
        .expect(200);
    assert_eq!(registered.text("status"), "registered");
    let shown = open
        .get(&format!("/workspaces/{id}"))
        .await
        .expect(200)
        .json;
    for (key, value) in [
        ("name", json!(id)),
        ("status", json!("online")),
        ("url", json!("http://127.0.0.1:9/")),
        ("parent_id", json!(null)),
        ("agent_card", json!({"name": "new"})),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    let beat = open
        .post("/registry/heartbeat")
        .json(&json!({"workspace_id": id}));
    let token = registered.text("auth_token");
    answers([(beat.bearer(&token), 200, "")]).await;
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_the_callers_mistake() {
    let open = InProcess::new(Mode::Dev).await;
    let id = Uuid::new_v4();
    let post = |path: &str, body| open.post(path).json(&body);
    let calls = vec![
        open.get("/workspaces/x"),
        open.call(Method::PATCH, "/workspaces/x").json(&json!({})),
        open.call(Method::DELETE, "/workspaces/x"),
        open.get("/workspaces/x/tokens"),
        open.get("/workspaces/x/secrets"),
        open.get("/workspaces/x/secrets/values"),
        open.call(Method::DELETE, "/workspaces/x/secrets/K"),
        post("/workspaces/x/secrets", json!({"key": "K", "value": "v"})),
        open.call(Method::DELETE, &format!("/workspaces/{id}/tokens/x")),
        open.get("/admin/workspaces/x/test-token"),
        open.get("/events/x"),
        open.get("/workspaces/x/activity"),
        open.get(&format!("/workspaces/{id}/activity?since_id=x")),
        post(
            "/workspaces/x/activity",
            json!({"activity_type": "agent_log"}),
        ),
        post("/workspaces/x/notify", json!({"message": "m"})),
        open.get("/registry/x/peers"),
        open.get("/registry/discover/x")
            .header("X-Workspace-ID", &id.to_string()),
        open.get(&format!("/registry/discover/{id}"))
            .header("X-Workspace-ID", "x"),
        post(
            "/registry/register",
            json!({"id": "x", "url": PUBLIC, "agent_card": {}}),
        ),
        post("/registry/heartbeat", json!({"workspace_id": "x"})),
        post(
            "/registry/update-card",
            json!({"workspace_id": "x", "agent_card": {}}),
        ),
        post(
            "/registry/check-access",
            json!({"caller_id": "x", "target_id": id}),
        ),
        post(
            "/registry/check-access",
            json!({"caller_id": id, "target_id": "x"}),
        ),
        post("/workspaces", json!({"name": "n", "parent_id": "x"})),
    ];
    for call in calls {
        let what = format!("{call}");
        let answer = call.await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.json);
        assert!(answer.json["error"].is_string(), "{what}");
    }
}

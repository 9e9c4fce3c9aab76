//! Strict: every door is closed, and what is missing looks like what is somebody else's.

use domain::Mode;
use e2e::counted::{InCall, InProcess, PUBLIC};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::answers;

const ADMIN: [&str; 2] = ["admin auth required", "invalid admin auth token"];
const OWN: [&str; 2] = [
    "missing workspace auth token",
    "invalid workspace auth token",
];
const ANYONE: [&str; 2] = ["missing auth token", "invalid auth token"];

/// Every route that is not for everybody, for this workspace, with its sentences.
fn closed(strict: &InProcess, id: &str) -> Vec<(InCall, [&'static str; 2])> {
    let at = |rest: &str| format!("/workspaces/{id}{rest}");
    let post = |path: &str, body| strict.post(path).json(&body);
    let discover = strict.get(&format!("/registry/discover/{id}"));
    let card = json!({"workspace_id": id, "agent_card": {}});
    let question = json!({"caller_id": id, "target_id": id});
    let registration = json!({"id": id, "url": PUBLIC, "agent_card": {}});
    let patch = strict
        .call(Method::PATCH, &at(""))
        .json(&json!({"name": "n"}));
    let secret = json!({"key": "K", "value": "v"});
    vec![
        (strict.get("/workspaces"), ADMIN),
        (post("/workspaces", json!({"name": "n"})), ADMIN),
        (strict.call(Method::DELETE, &at("")), ADMIN),
        (strict.get("/events"), ADMIN),
        (strict.get(&format!("/events/{id}")), ADMIN),
        (
            strict
                .call(Method::PUT, "/canvas/viewport")
                .json(&json!({})),
            ADMIN,
        ),
        (strict.get("/settings/secrets"), ADMIN),
        (post("/settings/secrets", secret.clone()), ADMIN),
        (strict.call(Method::DELETE, "/settings/secrets/K"), ADMIN),
        (strict.get("/admin/secrets"), ADMIN),
        (strict.get("/templates"), ADMIN),
        (post("/templates/import", json!({})), ADMIN),
        (post("/templates/refresh", json!({})), ADMIN),
        (strict.get("/org/templates"), ADMIN),
        (post("/org/import", json!({})), ADMIN),
        (post("/admin/secrets", secret.clone()), ADMIN),
        (strict.call(Method::DELETE, "/admin/secrets/K"), ADMIN),
        (strict.get(&at("/secrets")), OWN),
        (post(&at("/secrets"), secret), OWN),
        (strict.call(Method::DELETE, &at("/secrets/K")), OWN),
        (strict.get(&at("/secrets/values")), OWN),
        (strict.get(&at("")), ANYONE),
        (post("/registry/check-access", question), ANYONE),
        (patch, OWN),
        (post("/registry/register", registration), OWN),
        (
            post("/registry/heartbeat", json!({"workspace_id": id})),
            OWN,
        ),
        (post("/registry/update-card", card), OWN),
        (discover.header("X-Workspace-ID", id), OWN),
        (strict.get(&format!("/registry/{id}/peers")), OWN),
        (strict.get(&at("/activity")), OWN),
        (
            post(&at("/activity"), json!({"activity_type": "agent_log"})),
            OWN,
        ),
        (post(&at("/notify"), json!({"message": "m"})), OWN),
        (strict.get(&at("/tokens")), OWN),
        (post(&at("/tokens"), json!({})), OWN),
        (post(&at("/pause"), json!({})), OWN),
        (post(&at("/resume"), json!({})), OWN),
        (post(&at("/hibernate"), json!({})), OWN),
        (
            strict.call(Method::DELETE, &at(&format!("/tokens/{}", Uuid::new_v4()))),
            OWN,
        ),
    ]
}

#[tokio::test]
async fn nobody_and_a_wrong_name_are_told_the_same_of_every_workspace() {
    let strict = InProcess::new(Mode::Strict).await;
    let removed = strict.workspace("Removed").await;
    let delete = format!("/workspaces/{}", removed.id);
    let delete = strict.call(Method::DELETE, &delete).bearer(&strict.admin);
    delete.await.expect(200);
    let there = strict.online("There").await;
    let never = Uuid::new_v4().to_string();
    for id in [there.id, removed.id, never] {
        for (call, [missing, invalid]) in closed(&strict, &id) {
            let wrong = call.clone().bearer("not-a-token");
            answers([(call, 401, missing), (wrong, 401, invalid)]).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_written_for_who_proves_nothing() {
    let strict = InProcess::new(Mode::Strict).await;
    let there = strict.online("There").await;
    for (call, _) in closed(&strict, &there.id) {
        let what = format!("{call}");
        let (_, calls) = call.bearer("not-a-token").counted().await;
        for call in calls {
            let read = ["BatchGetItem", "Query"].contains(&call.operation.as_str());
            // A heartbeat's proof is the condition of its write.
            let refused = call.operation == "UpdateItem" && call.status == 400;
            assert!(
                read || refused,
                "{what}: {} {}",
                call.operation,
                call.status
            );
        }
    }
}

#[tokio::test]
async fn any_credential_sees_others_and_only_its_own_changes() {
    let strict = InProcess::new(Mode::Strict).await;
    let (one, other) = (strict.online("One").await, strict.online("Other").await);
    let question = json!({"caller_id": other.id, "target_id": one.id});
    let check = strict.post("/registry/check-access").json(&question);
    let shown = strict.get(&format!("/workspaces/{}", other.id));
    answers([
        (check.bearer(&one.token), 200, ""),
        (shown.bearer(&one.token), 200, ""),
    ])
    .await;
    for (call, sentences) in closed(&strict, &other.id) {
        if sentences == OWN {
            answers([(call.bearer(&one.token), 401, OWN[1])]).await;
        }
    }
}

#[tokio::test]
async fn the_admin_token_opens_what_operators_do_and_no_heart() {
    let strict = InProcess::new(Mode::Strict).await;
    let there = strict.online("There").await;
    let admin = strict.admin.clone();
    let beat = strict.beat(&there, json!({})).without("authorization");
    let card = json!({"workspace_id": there.id, "agent_card": {}});
    let card = strict.post("/registry/update-card").json(&card);
    let discover = strict.get(&format!("/registry/discover/{}", there.id));
    let discover = discover.header("X-Workspace-ID", &there.id);
    let values = strict.get(&format!("/workspaces/{}/secrets/values", there.id));
    let test_token = format!("/admin/workspaces/{}/test-token", there.id);
    answers([
        (beat.bearer(&admin), 401, OWN[1]),
        (card.bearer(&admin), 401, OWN[1]),
        (discover.bearer(&admin), 401, OWN[1]),
        (values.bearer(&admin), 401, OWN[1]),
        (strict.get("/workspaces").bearer(&admin), 200, ""),
        (strict.get("/events").bearer(&admin), 200, ""),
        (
            strict
                .get(&format!("/workspaces/{}/tokens", there.id))
                .bearer(&admin),
            200,
            "",
        ),
        // As if the route were not there.
        (strict.get(&test_token).bearer(&admin), 404, "not found"),
        (strict.get(&test_token), 404, "not found"),
    ])
    .await;
}

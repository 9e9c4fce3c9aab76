//! Calls of every route, and what they need.

use e2e::counted::{InCall, InProcess, PUBLIC};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// At least one call of every route of a function that can be called in process. What they name is there
/// where it is a workspace's own.
pub(super) async fn calls(inside: &InProcess) -> Vec<InCall> {
    let top = inside.online("Top").await;
    let own = inside.child("Own", &top).await;
    let at = |rest: &str| format!("/workspaces/{}{rest}", own.id);
    let get = |path: &str| inside.get(path).bearer(&own.token);
    let post = |path: &str, body: Value| inside.post(path).bearer(&own.token).json(&body);
    let admin = |method: Method, path: &str, body: Value| {
        let call = inside.call(method, path).bearer(&inside.admin);
        call.json(&body)
    };
    let card = json!({"workspace_id": own.id, "agent_card": {}});
    let question = json!({"caller_id": own.id, "target_id": top.id});
    let discover = get(&format!("/registry/discover/{}", top.id));
    let test_token = format!("/admin/workspaces/{}/test-token", own.id);
    let stranger = json!({"id": Uuid::new_v4(), "url": PUBLIC, "agent_card": {}});
    let report = json!({"activity_type": "agent_log"});
    let file = json!({"name": "a", "size": 1});
    let child = json!({"name": "n", "parent_id": own.id});
    let delete = at("?confirm=true&purge=true");
    let task = json!({"target_id": top.id, "task": "t"});
    let record = json!({"target_id": top.id, "task": "t", "delegation_id": "mine"});
    let failed = format!("/admin/workspaces/{}/bootstrap-failed", own.id);
    let secret = json!({"key": "OUTAGE", "value": "v"});
    let template = json!({"name": Uuid::new_v4().to_string(), "files": {}});
    let schedule = json!({"cron_expr": "0 9 * * *", "prompt": "p"});
    let org = json!({"template": {"workspaces": [{"name": "n"}]}});
    let made = |path: &str, body: Value| post(&at(path), body);
    let named = json!({"name": "Kept", "cron_expr": "0 9 * * *", "prompt": "p"});
    let a_schedule = made("/schedules", named).await.expect(201);
    let a_schedule = at(&format!("/schedules/{}", a_schedule.text("id")));
    let approval = made("/approvals", json!({"action": "a"})).await.expect(201);
    let decide = at(&format!(
        "/approvals/{}/decide",
        approval.text("approval_id")
    ));
    let tokens = get(&at("/tokens")).await.expect(200).json;
    let token = tokens["tokens"][0]["id"]
        .as_str()
        .expect("its own")
        .to_owned();
    let kept = json!({"key": "KEPT", "value": "v"});
    made("/secrets", kept).await.expect(200);
    made("/delegations/record", record.clone())
        .await
        .expect(202);
    let upload = inside.post(&at("/chat/uploads")).bearer(&own.token);
    let upload = upload.form("a", "text");
    let file_kept = upload.clone().await.expect(200).json["files"][0]["uri"].clone();
    let path = file_kept
        .as_str()
        .and_then(|uri| uri.strip_prefix("workspace:"));
    let download = at(&format!("/chat/download?path={}", path.expect("a path")));
    let uploaded = json!({"uri": file_kept});
    let from_template = json!({"name": "n", "template": "example"});
    vec![
        inside.register(&own, PUBLIC),
        admin(Method::POST, "/registry/register", stranger),
        inside.beat(&own, json!({})),
        inside.beat(&own, json!({"error_rate": 1})),
        post("/registry/update-card", card),
        discover.header("X-Workspace-ID", &own.id),
        get(&format!("/registry/{}/peers", own.id)),
        post("/registry/check-access", question),
        post(&at("/notify"), json!({"message": "m"})),
        post(&at("/activity"), report),
        get(&at("/activity")),
        // Told at once of what happened, instead of waiting for what happens.
        get(&at("/events/stream")).header("Last-Event-ID", "00000000-0000-7000-8000-000000000000"),
        get(&at("/session-search?q=m")),
        get(&at("/approvals")),
        post(&at("/approvals"), json!({"action": "a"})),
        admin(Method::POST, &decide, json!({"decision": "approved"})),
        admin(Method::GET, "/approvals/pending", json!({})),
        upload,
        post(&at("/chat/uploads/presign"), file),
        post(&at("/chat/uploads/complete"), uploaded),
        get(&at("/chat/uploads")),
        get(&download),
        admin(Method::GET, "/events", json!({})),
        get("/events"),
        admin(Method::GET, &format!("/events/{}", own.id), json!({})),
        inside
            .post(&format!("/workspaces/{}/a2a", top.id))
            .bearer(&own.token)
            .json(&e2e::envelope("hello")),
        admin(Method::GET, "/admin/a2a-queue", json!({})),
        admin(Method::POST, "/admin/a2a-queue/redrive", json!({})),
        admin(Method::POST, "/admin/a2a-queue/drop-stale", json!({})),
        get(&at(&format!("/a2a/requests/{}", Uuid::new_v4()))),
        admin(Method::POST, "/workspaces", json!({"name": "n"})),
        admin(Method::POST, "/workspaces", child),
        admin(Method::GET, "/workspaces", json!({})),
        get(&at("")),
        admin(Method::PATCH, &at(""), json!({"name": "m"})),
        admin(Method::PATCH, &at(""), json!({"parent_id": null})),
        get(&at("/state")),
        admin(Method::GET, &at("/console"), json!({})),
        admin(Method::POST, &at("/hibernate"), json!({})),
        post(&at("/restart"), json!({})),
        admin(Method::POST, &failed, json!({})),
        admin(Method::POST, &at("/pause"), json!({})),
        admin(Method::POST, &at("/resume"), json!({})),
        get(&at("/budget")),
        admin(Method::PATCH, &at("/budget"), json!({"budget_limit": 1})),
        get(&at("/metrics")),
        post(&at("/delegate"), task),
        get(&at("/delegations")),
        post(&at("/delegations/record"), record),
        post(&at("/delegations/mine/update"), json!({"status": "failed"})),
        get(&at("/tokens")),
        admin(Method::POST, &at("/tokens"), json!({})),
        admin(Method::DELETE, &at(&format!("/tokens/{token}")), json!({})),
        get(&at("/secrets")),
        post(&at("/secrets"), secret.clone()),
        post(&at("/secrets"), secret.clone()).method(Method::PUT),
        admin(Method::DELETE, &at("/secrets/KEPT"), json!({})),
        get(&at("/secrets/values")),
        get(&at("/model")),
        admin(Method::PUT, &at("/model"), json!({"model": "m"})),
        admin(Method::GET, "/settings/secrets", json!({})),
        admin(Method::POST, "/settings/secrets", secret.clone()),
        admin(Method::PUT, "/settings/secrets", secret.clone()),
        admin(Method::DELETE, "/settings/secrets/NONE", json!({})),
        admin(Method::GET, "/admin/secrets", json!({})),
        admin(Method::POST, "/admin/secrets", secret.clone()),
        admin(Method::PUT, "/admin/secrets", secret),
        admin(Method::DELETE, "/admin/secrets/NONE", json!({})),
        admin(Method::GET, &test_token, json!({})),
        admin(Method::GET, "/admin/liveness", json!({})),
        admin(Method::GET, "/metrics", json!({})),
        admin(Method::GET, "/canvas/viewport", json!({})),
        post("/canvas/viewport", json!({})).method(Method::PUT),
        get(&at("/schedules")),
        post(&at("/schedules"), schedule),
        post(&format!("{a_schedule}/run"), json!({})),
        admin(Method::PATCH, &a_schedule, json!({"enabled": false})),
        admin(Method::DELETE, &a_schedule, json!({})),
        get(&format!("{a_schedule}/history")),
        get(&at("/schedules/health")),
        admin(Method::GET, "/admin/schedules/health", json!({})),
        admin(Method::GET, "/templates", json!({})),
        get("/templates"),
        admin(Method::GET, "/org/templates", json!({})),
        admin(Method::POST, "/templates/import", template),
        admin(Method::POST, "/templates/refresh", json!({})),
        admin(Method::POST, "/admin/workspace-images/refresh", json!({})),
        admin(Method::POST, "/org/import", org),
        admin(Method::POST, "/org/import", json!({"dir": "trio"})),
        admin(Method::POST, "/workspaces", from_template),
        admin(Method::GET, "/org/tokens", json!({})),
        admin(Method::POST, "/org/tokens", json!({})),
        admin(
            Method::DELETE,
            &format!("/org/tokens/{}", Uuid::now_v7()),
            json!({}),
        ),
        inside.get("/health"),
        inside.get("/openapi.json"),
        inside.get("/nowhere"),
        admin(Method::DELETE, &delete, json!({})),
    ]
}

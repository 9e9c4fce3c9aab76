//! The datastore is away: every route says so in one form, and says nothing else.

use std::collections::BTreeSet;

use domain::{Mode, chat_file::StoredName};
use e2e::{
    Answer,
    counted::{ALWAYS, Fault, IN_PROCESS, InCall, InProcess, PUBLIC},
    template::Template,
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// At least one call of every route of a function that can be called in process.
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
    let uploaded = json!({"uri": StoredName::new(Uuid::new_v4(), "a").uri()});
    let a_schedule = at(&format!("/schedules/{}", Uuid::new_v4()));
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
        get(&at("/events/stream")),
        get(&at("/session-search?q=m")),
        get(&at("/approvals")),
        post(&at("/approvals"), json!({"action": "a"})),
        admin(
            Method::POST,
            &at(&format!("/approvals/{}/decide", Uuid::now_v7())),
            json!({"decision": "approved"}),
        ),
        admin(Method::GET, "/approvals/pending", json!({})),
        inside
            .post(&at("/chat/uploads"))
            .bearer(&own.token)
            .form("a", "text"),
        post(&at("/chat/uploads/presign"), file),
        post(&at("/chat/uploads/complete"), uploaded),
        get(&at("/chat/uploads")),
        get(&at("/chat/download?path=/workspace/a")),
        admin(Method::GET, "/events", json!({})),
        get("/events"),
        admin(Method::GET, &format!("/events/{}", own.id), json!({})),
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
        admin(
            Method::DELETE,
            &at(&format!("/tokens/{}", Uuid::now_v7())),
            json!({}),
        ),
        get(&at("/secrets")),
        post(&at("/secrets"), secret.clone()),
        post(&at("/secrets"), secret.clone()).method(Method::PUT),
        admin(Method::DELETE, &at("/secrets/NONE"), json!({})),
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
        post(
            &at(&format!("/schedules/{}/run", Uuid::new_v4())),
            json!({}),
        ),
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

fn is_away(answer: &Answer) -> bool {
    let body = json!({
        "error": "platform datastore unavailable — retry shortly",
        "code": "platform_unavailable",
    });
    answer.status == 503 && answer.json == body
}

#[tokio::test]
async fn every_route_says_that_the_datastore_is_away() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let calls = calls(&inside).await;
    let covered: BTreeSet<String> = calls.iter().map(InCall::route).collect();
    // A machine proves itself to STS before anything is read: see `fleet/exchange.rs`.
    let reads = |name: &&&str| **name != "fleet.exchange";
    let here: BTreeSet<&str> = IN_PROCESS.iter().filter(reads).copied().collect();
    let routes = Template::ours().routes().into_iter();
    let routes = routes.filter(|route| here.contains(route.handler.as_str()));
    let all: BTreeSet<String> = routes
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(covered, all, "a route without a call");
    for fault in [
        Fault::Unreachable,
        Fault::error(
            "AccessDeniedException",
            "User: arn:aws:sts::1:assumed-role/x is not",
        ),
        Fault::error("ResourceNotFoundException", "Requested resource not found"),
        Fault::Answer(
            500,
            json!({"__type": "InternalServerError", "message": "secret"}),
        ),
        Fault::Answer(502, json!("<html>bad gateway</html>")),
    ] {
        inside.wire.mend();
        inside.wire.fail("", ALWAYS, fault.clone());
        for call in &calls {
            let what = format!("{call} while {fault:?}");
            let answer = call.clone().await;
            match call.function().as_str() {
                "workspaces.health" | "workspaces.openapi" => {
                    assert_eq!(answer.status, 200, "{what}")
                }
                "workspaces.fallback" => assert_eq!(answer.status, 404, "{what}"),
                _ => assert!(is_away(&answer), "{what}: {answer:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_outage_in_the_middle_says_so_too() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    for operation in [
        "TransactWriteItems",
        "UpdateItem",
        "PutItem",
        "DeleteItem",
        "Query",
    ] {
        let calls = calls(&inside).await;
        inside.wire.fail(operation, ALWAYS, Fault::Unreachable);
        for call in calls {
            let what = format!("{call} without {operation}");
            let (answer, made) = call.counted().await;
            let met = made.iter().any(|call| call.operation == operation);
            assert_eq!(met, is_away(&answer), "{what}: {answer:?}");
        }
        inside.wire.mend();
    }
}

#[tokio::test]
async fn large_bodies_need_the_bucket() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let notify = inside.post(&format!("/workspaces/{}/notify", own.id));
    let notify = notify.bearer(&own.token);
    let notify = notify.json(&json!({"message": "m".repeat(20 * 1024)}));
    let list = inside.get(&format!("/workspaces/{}/activity", own.id));
    let list = list.bearer(&own.token);

    inside.wire.fail("PutObject", 1, Fault::Unreachable);
    assert!(is_away(&notify.clone().await));
    let rows = list.clone().await.expect(200).json;
    assert_eq!(rows, json!([]), "half a notification");
    notify.await.expect(200);
    inside.wire.fail("GetObject", 1, Fault::Unreachable);
    assert!(is_away(&list.clone().await));
    let rows = list.await.expect(200).json;
    let kept = rows[0]["response_body"]["result"].as_str().map(str::len);
    assert_eq!(kept, Some(20 * 1024));
}

#[tokio::test]
async fn half_an_upload_leaves_nothing() {
    let inside = InProcess::without_retries(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let at = format!("/workspaces/{}/chat/uploads", own.id);
    let upload = inside.post(&at).bearer(&own.token).form("a.txt", "text");
    let id = own.id.parse().expect("an id");

    // The bucket has it when the answer is lost, and when the table does not get its mark.
    for (operation, fault) in [
        ("PutObject", Fault::AnswerLost),
        ("PutObject", Fault::Unreachable),
        ("PutItem", Fault::Unreachable),
    ] {
        inside.wire.fail(operation, 1, fault);
        assert!(is_away(&upload.clone().await), "{operation}");
        let kept = inside.app.store.chat_files(id).await.expect("listed");
        assert_eq!(kept, [], "{operation}");
    }
    upload.await.expect(200);
    let kept = inside.app.store.chat_files(id).await.expect("listed");
    assert_eq!(kept.len(), 1);
}

//! One walk through every function, by every path that calls AWS differently.

mod families;

use domain::Mode;
use e2e::{
    Workspace,
    counted::{InProcess, PUBLIC},
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use self::families::{approvals, delegations, life, org_tokens, schedules};
use super::{chat_files, permissions::Needed};

/// Over 16 KB: bodies of this size are put into the bucket.
const LARGE: usize = 20 * 1024;

pub(super) async fn walk(inside: &InProcess, needed: &mut Needed) {
    let top = inside.online("Top").await;
    let (own, peer) = (
        inside.child("Own", &top).await,
        inside.child("Peer", &top).await,
    );
    let admin = |method: Method, path: &str, body: Value| {
        let call = inside.call(method, path).bearer(&inside.admin);
        call.json(&body)
    };
    let get = |path: &str| inside.get(path).bearer(&own.token);
    let post = |path: &str, body: Value| inside.post(path).bearer(&own.token).json(&body);
    let at = |rest: &str| format!("/workspaces/{}{rest}", own.id);

    // registry
    let stranger = json!({"id": Uuid::new_v4(), "url": PUBLIC, "agent_card": {}});
    needed.by(inside.register(&own, PUBLIC)).await.expect(200);
    needed
        .by(admin(Method::POST, "/registry/register", stranger))
        .await
        .expect(200);
    needed.by(inside.beat(&own, json!({}))).await.expect(200);
    let failing = json!({"error_rate": 0.9, "current_task": "failing"});
    needed.by(inside.beat(&own, failing)).await.expect(200);
    needed.by(inside.beat(&own, json!({}))).await.expect(200);
    let card = json!({"workspace_id": own.id, "agent_card": {"name": "new"}});
    needed
        .by(post("/registry/update-card", card))
        .await
        .expect(200);
    let discover = get(&format!("/registry/discover/{}", top.id));
    needed
        .by(discover.header("X-Workspace-ID", &own.id))
        .await
        .expect(200);
    needed
        .by(get(&format!("/registry/{}/peers", own.id)))
        .await
        .expect(200);
    let question = json!({"caller_id": own.id, "target_id": peer.id});
    needed
        .by(post("/registry/check-access", question))
        .await
        .expect(200);

    // activity and events
    for size in [10, LARGE] {
        let message = json!({"message": "m".repeat(size)});
        needed.by(post(&at("/notify"), message)).await.expect(200);
        let text = "r".repeat(size);
        let report = json!({"activity_type": "agent_log", "request_body": {"text": text}});
        needed.by(post(&at("/activity"), report)).await.expect(200);
    }
    let rows = needed.by(get(&at("/activity"))).await.expect(200);
    let since = rows.json[1]["id"].as_str().expect("a row").to_owned();
    needed
        .by(get(&at(&format!("/activity?since_id={since}"))))
        .await
        .expect(200);
    let first = "01900000-0000-7000-8000-000000000000";
    needed
        .by(get(&at("/events/stream")).header("last-event-id", first))
        .await
        .expect(200);
    needed.by(get(&at("/session-search?q=r"))).await.expect(200);
    approvals(inside, needed, &own).await;
    for path in ["/events".to_owned(), format!("/events/{}", own.id)] {
        needed
            .by(admin(Method::GET, &path, json!({})))
            .await
            .expect(200);
        needed.by(get(&path)).await.expect(401);
    }

    chat_files::walk(inside, needed, &own).await;
    delegations(inside, needed, &own, &peer).await;

    secrets(inside, needed, &own).await;
    life(inside, needed, &top).await;

    templates(inside, needed).await;
    Box::pin(schedules(inside, needed, &own, &top)).await;

    Box::pin(workspaces(inside, needed, &own, &peer)).await;
}

/// Made, changed, shown, deleted; their tokens and operators'; what is there for all. A function of its
/// own, on the heap: all calls in one would not fit a test's stack.
async fn workspaces(inside: &InProcess, needed: &mut Needed, own: &Workspace, peer: &Workspace) {
    let admin = |method: Method, path: &str, body: Value| {
        let call = inside.call(method, path).bearer(&inside.admin);
        call.json(&body)
    };
    let get = |path: &str| inside.get(path).bearer(&own.token);
    let post = |path: &str, body: Value| inside.post(path).bearer(&own.token).json(&body);
    let at = |rest: &str| format!("/workspaces/{}{rest}", own.id);
    let new = json!({
        "name": "New", "external": true, "parent_id": own.id, "secrets": {"K": "v"},
        "initial_memories": [{"content": "to remember"}],
    });
    let made = needed
        .by(admin(Method::POST, "/workspaces", new))
        .await
        .expect(201);
    // Under a quota a creation counts first.
    let limited = InProcess::limited(Mode::DevClosed, 10).await;
    let few = limited.post("/workspaces").bearer(&limited.admin);
    let few = few.json(&json!({"name": "New", "external": true}));
    needed.by(few).await.expect(201);
    let org = json!({"template": {"workspaces": [{"name": "A"}]}});
    let few = limited.post("/org/import").bearer(&limited.admin);
    needed.by(few.json(&org)).await.expect(201);
    needed
        .by(admin(Method::GET, "/workspaces", json!({})))
        .await
        .expect(200);
    needed.by(get("/workspaces")).await.expect(401);
    needed.by(get(&at(""))).await.expect(200);
    let renamed = post(&at(""), json!({"name": "Renamed"}));
    needed.by(renamed.method(Method::PATCH)).await.expect(200);
    let below = json!({"parent_id": peer.id});
    needed
        .by(admin(Method::PATCH, &at(""), below))
        .await
        .expect(200);
    let mint = || post(&at("/tokens"), json!({}));
    needed.by(mint()).await.expect(403);
    let minted = needed.by(mint().bearer(&inside.admin)).await.expect(201);
    assert!(minted.json["auth_token"].is_string());
    org_tokens(inside, needed, own).await;
    let tokens = needed.by(get(&at("/tokens"))).await.expect(200);
    let token = tokens.json["tokens"][0]["id"].as_str().expect("a token");
    let revoke = at(&format!("/tokens/{token}"));
    needed
        .by(admin(Method::DELETE, &revoke, json!({})))
        .await
        .expect(200);
    needed.by(get(&at("/budget"))).await.expect(200);
    let limit = json!({"budget_limit": 500});
    needed
        .by(admin(Method::PATCH, &at("/budget"), limit))
        .await
        .expect(200);
    needed.by(get(&at("/metrics"))).await.expect(200);
    inside.hint(own, true).await;
    needed.by(inside.beat(own, json!({}))).await.expect(200);
    let test_token = format!("/admin/workspaces/{}/test-token", own.id);
    needed
        .by(admin(Method::GET, &test_token, json!({})))
        .await
        .expect(200);
    let view = json!({"x": 1.0, "y": 2.0, "zoom": 1.5});
    needed
        .by(post("/canvas/viewport", view).method(Method::PUT))
        .await
        .expect(200);
    needed.by(get("/canvas/viewport")).await.expect(200);
    assert_eq!(made.text("status"), "awaiting_agent");
    let delete = |query: &str| admin(Method::DELETE, &at(query), json!({}));
    needed.by(delete("")).await.expect(409);
    needed
        .by(delete("?confirm=true&purge=true"))
        .await
        .expect(200);
    for path in ["/admin/liveness", "/metrics"] {
        let call = admin(Method::GET, path, json!({}));
        needed.by(call).await.expect(200);
        needed.by(get(path)).await.expect(401);
    }
    for path in ["/health", "/openapi.json"] {
        needed.by(inside.get(path)).await.expect(200);
    }
    needed.by(inside.get("/nowhere")).await.expect(404);
}

/// Set first, set again, shown, deleted: for one workspace and for all.
async fn secrets(inside: &InProcess, needed: &mut Needed, own: &Workspace) {
    let at = |rest: &str| format!("/workspaces/{}/secrets{rest}", own.id);
    let secret = json!({"key": "PATHS", "value": "v"});
    for (path, bearer) in [
        (at(""), &own.token),
        ("/settings/secrets".to_owned(), &inside.admin),
    ] {
        for method in [Method::POST, Method::PUT] {
            let set = inside.call(method, &path).bearer(bearer).json(&secret);
            needed.by(set).await.expect(200);
        }
        needed
            .by(inside.get(&path).bearer(bearer))
            .await
            .expect(200);
        let values = inside.get(&at("/values")).bearer(&own.token);
        needed.by(values).await.expect(200);
        let delete = inside.call(Method::DELETE, &format!("{path}/PATHS"));
        needed.by(delete.bearer(bearer)).await.expect(200);
    }
    let model = format!("/workspaces/{}/model", own.id);
    for body in [json!({"model": "m"}), json!({"model": ""})] {
        let set = inside.call(Method::PUT, &model).bearer(&own.token);
        needed.by(set.json(&body)).await.expect(200);
        let shown = inside.get(&model).bearer(&own.token);
        needed.by(shown).await.expect(200);
    }
}

/// Imported, copied by hand, gone; an organisation with all that workspaces can have.
async fn templates(inside: &InProcess, needed: &mut Needed) {
    let admin = |call: e2e::counted::InCall| call.bearer(&inside.admin);
    let named = |what: &str| format!("paths-{what}-{}", Uuid::new_v4());
    let (store, by_hand, gone) = (&inside.app.store, named("hand"), named("gone"));
    let config = b"name: By hand".to_vec();
    let key = format!("templates/{by_hand}/config.yaml");
    store.put_file(&key, config).await.expect("written");
    let org = b"workspaces: [{name: A, children: [{name: B}], plugins: [p]}]".to_vec();
    let put = |path: &str, text: Vec<u8>| {
        let key = format!("org-templates/{by_hand}/{path}");
        async move { store.put_file(&key, text).await.expect("written") }
    };
    put("org.yaml", org).await;
    put(".env", b"KEY=value".to_vec()).await;
    store
        .save_template(&gone, &domain::template::Template::default())
        .await
        .expect("written");

    let import = |name: &str| {
        let body = json!({"name": name, "files": {"system-prompt.md": "Be kind."}});
        admin(inside.post("/templates/import")).json(&body)
    };
    needed.by(import(&named("new"))).await.expect(201);
    needed.by(import(&by_hand)).await.expect(409);
    let refresh = admin(inside.post("/templates/refresh"));
    let refreshed = needed.by(refresh).await.expect(200);
    assert_eq!(refreshed.json["removed"], 1);
    let own = inside.online("Not an operator").await;
    for path in ["/templates", "/org/templates"] {
        needed.by(admin(inside.get(path))).await.expect(200);
        needed
            .by(inside.get(path).bearer(&own.token))
            .await
            .expect(401);
    }
    let post = |path: &str| inside.post(path).bearer(&own.token).json(&json!({}));
    for path in ["/templates/import", "/templates/refresh", "/org/import"] {
        needed.by(post(path)).await.expect(401);
    }
    let org = json!({"dir": by_hand});
    let import = admin(inside.post("/org/import")).json(&org);
    needed.by(import).await.expect(201);
}

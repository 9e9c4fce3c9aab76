//! Registering: who may, where an agent may be, and what a stopped workspace answers.

use domain::Mode;
use e2e::counted::{InCall, InProcess, PUBLIC};
use serde_json::{Value, json};
use store::keys;
use uuid::Uuid;

use super::answers;

fn register(inside: &InProcess, id: &str, url: &str) -> InCall {
    let body = json!({"id": id, "url": url, "agent_card": {}});
    inside.post("/registry/register").json(&body)
}

#[tokio::test]
async fn strict_lets_operators_bring_in_strangers() {
    let strict = InProcess::new(Mode::Strict).await;
    let id = Uuid::new_v4().to_string();
    let as_admin = || register(&strict, &id, PUBLIC).bearer(&strict.admin);
    let first = as_admin().await.expect(200);
    assert!(first.json["auth_token"].is_string());
    // A token is live: another one is not handed out.
    let second = as_admin().await.expect(200);
    assert!(second.json["auth_token"].is_null());
    let own = register(&strict, &id, PUBLIC).bearer(&first.text("auth_token"));
    answers([(own, 200, "")]).await;
}

#[tokio::test]
async fn only_development_lets_agents_be_nearby() {
    let inside = [Mode::Strict, Mode::DevClosed, Mode::Dev].map(InProcess::new);
    let [strict, closed, open] = futures_util::future::join_all(inside)
        .await
        .try_into()
        .expect("three");
    // The address, and whether a strict stack and a development one take it.
    for (url, in_strict, in_development) in [
        (PUBLIC, true, true),
        ("http://127.0.0.1:9/", false, true),
        ("http://localhost:9/", false, true),
        ("http://[::1]:9/", false, true),
        ("http://2130706433/", false, true),
        ("http://10.1.2.3/", false, true),
        ("http://192.168.1.1/", false, true),
        ("http://169.254.169.254/", false, false),
        ("http://[fd00:ec2::254]/", false, false),
        ("http://0.0.0.0/", false, false),
        ("ftp://8.8.8.8/", false, false),
        ("not a url", false, false),
    ] {
        for (inside, allowed) in [
            (&strict, in_strict),
            (&closed, in_development),
            (&open, in_development),
        ] {
            let mode = inside.app.settings.mode;
            let workspace = inside.workspace("Somewhere").await;
            let answer = inside.register(&workspace, url).await;
            let expected = if allowed {
                (200, "")
            } else {
                // Why is for our log: callers learn nothing of our network.
                (400, "invalid request body")
            };
            assert_eq!(answer.error(), expected, "{url} in {mode:?}");
            let body = json!({"name": "Elsewhere", "external": true, "url": url});
            let create = inside.post("/workspaces").bearer(&inside.admin);
            let created = create.json(&body).await;
            let expected = if allowed { 201 } else { 400 };
            assert_eq!(created.status, expected, "{url} in {mode:?}");
        }
    }
}

#[tokio::test]
async fn a_lingering_agent_does_not_undo_what_a_person_did() {
    for mode in [Mode::Dev, Mode::Strict] {
        let inside = InProcess::new(mode).await;
        for (status, may) in [
            ("paused", false),
            ("hibernating", false),
            ("hibernated", false),
            ("failed", true),
            ("offline", true),
            ("provisioning", true),
        ] {
            let workspace = inside.online("Stopped").await;
            let beat = keys::beat(workspace.id.parse().expect("an id"));
            inside.scale.set(&beat, "status", status).await;
            let (answer, calls) = inside.register(&workspace, PUBLIC).counted().await;
            if may {
                answer.expect(200);
                continue;
            }
            let expected = json!({"error": format!("workspace is {status}"), "status": status});
            assert_eq!((answer.status, answer.json), (409, expected));
            let reads = calls.iter().all(|call| call.operation == "BatchGetItem");
            assert!(reads, "{status}: something was written");
            // Its heartbeats are kept and change nothing.
            inside.beat(&workspace, json!({})).await.expect(200);
            let item = inside.scale.item_at(&beat).await.expect("a beat");
            assert_eq!(item["status"], json!({"S": status}));
        }
    }
}

#[tokio::test]
async fn a_removed_workspace_stays_removed() {
    let missing = (404, "workspace not found");
    for (mode, refused) in [
        (Mode::Dev, missing),
        (Mode::Strict, (401, "invalid workspace auth token")),
    ] {
        let inside = InProcess::new(mode).await;
        let gone = inside.online("Gone").await;
        let path = format!("/workspaces/{}", gone.id);
        let delete = inside.call(reqwest::Method::DELETE, &path);
        delete.bearer(&inside.admin).await.expect(200);
        let mut calls = vec![
            (inside.register(&gone, PUBLIC), refused),
            (inside.beat(&gone, json!({})), refused),
        ];
        if mode == Mode::Strict {
            let as_admin = register(&inside, &gone.id, PUBLIC).bearer(&inside.admin);
            calls.push((as_admin, missing));
        }
        for (call, (status, sentence)) in calls {
            answers([(call, status, sentence)]).await;
        }
        let shown: Value = inside
            .get(&path)
            .bearer(&inside.admin)
            .await
            .expect(200)
            .json;
        assert_eq!(shown["status"], "removed");
    }
}

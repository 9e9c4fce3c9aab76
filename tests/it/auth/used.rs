//! `last_used_at` of tokens: at most once a minute, and never in a heartbeat's way.

use domain::Mode;
use e2e::{Workspace, counted::InProcess};
use reqwest::Method;
use serde_json::{Value, json};
use store::keys;

async fn tokens(inside: &InProcess, own: &Workspace) -> Vec<Value> {
    // Looked at by the admin, whose token is in no list.
    let list = inside.get(&format!("/workspaces/{}/tokens", own.id));
    let list = list.bearer(&inside.admin).await.expect(200).json;
    list["tokens"].as_array().expect("a list").clone()
}

fn notes(inside: &InProcess) -> usize {
    let calls = inside.wire.take_all();
    calls.iter().filter(|call| call.notes_use()).count()
}

#[tokio::test]
async fn a_use_is_written_once_a_minute_by_whatever_it_was() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Own").await;
    assert!(tokens(&inside, &own).await[0]["last_used_at"].is_null());
    let path = format!("/workspaces/{}", own.id);
    let read = || inside.get(&path).bearer(&own.token);
    notes(&inside);
    read().await.expect(200);
    assert_eq!(notes(&inside), 1);
    let first = tokens(&inside, &own).await[0]["last_used_at"].clone();
    assert!(first.is_string());
    read().await.expect(200);
    let notify = inside.post(&format!("{path}/notify")).bearer(&own.token);
    notify.json(&json!({"message": "m"})).await.expect(200);
    assert_eq!(notes(&inside), 0);
    // Another process asks the table, which says that it was written.
    let other = inside.clone().set(|_| {});
    other.get(&path).bearer(&own.token).await.expect(200);
    assert_eq!(tokens(&inside, &own).await[0]["last_used_at"], first);
    // What was refused was no use.
    notes(&inside);
    let refused = inside.get("/workspaces").bearer(&own.token);
    refused.await.expect(401);
    assert_eq!(notes(&inside), 0);
}

#[tokio::test]
async fn an_operators_token_is_noted_as_well() {
    let inside = InProcess::apart(Mode::Strict).await;
    let token = inside.org_token().await;
    let list = || inside.get("/org/tokens").bearer(&inside.admin);
    let before = list().await.expect(200).json;
    assert!(before["tokens"][0].get("last_used_at").is_none());
    inside.get("/workspaces").bearer(&token).await.expect(200);
    let after = list().await.expect(200).json;
    assert!(after["tokens"][0]["last_used_at"].is_string());
}

#[tokio::test]
async fn listening_is_a_use_and_being_refused_is_none() {
    let inside = InProcess::apart(Mode::Strict).await;
    let path = |of: &Workspace| format!("/workspaces/{}/events/stream", of.id);
    let streamed = inside.workspace("Streamed").await;
    let other = inside.workspace("Other").await;
    let since = "01900000-0000-7000-8000-000000000000";
    let live = |of: &Workspace, by: &Workspace| {
        let call = inside.get(&path(of)).bearer(&by.token);
        let call = call.header("last-event-id", since);
        call.streamed(events::live::handle)
    };
    live(&other, &streamed).await.expect(401);
    assert!(tokens(&inside, &streamed).await[0]["last_used_at"].is_null());
    live(&streamed, &streamed).await.expect(200);
    assert!(tokens(&inside, &streamed).await[0]["last_used_at"].is_string());

    let connected = async |token: &str, id: &str| {
        let handshake = json!({
            "headers": {"Authorization": format!("Bearer {token}"), "X-Workspace-ID": id},
            "requestContext": {"connectionId": id, "routeKey": "$connect"},
        });
        let handshake = serde_json::from_value(handshake).expect("a handshake");
        let door = crate::ws::gateway::door(&inside).await;
        let answer = events::connect::handle(door, handshake).await;
        answer.expect("an answer")["statusCode"].clone()
    };
    assert_eq!(connected(&other.token, &streamed.id).await, 401);
    assert!(tokens(&inside, &other).await[0]["last_used_at"].is_null());
    assert_eq!(connected(&other.token, &other.id).await, 200);
    assert!(tokens(&inside, &other).await[0]["last_used_at"].is_string());
}

#[tokio::test]
async fn a_heartbeat_says_it_in_the_one_write_it_makes() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Own").await;
    let path = format!("/workspaces/{}/tokens", own.id);
    let other = inside.post(&path).bearer(&inside.admin).await.expect(201);
    let second = Workspace {
        token: other.text("auth_token"),
        ..own.clone()
    };
    inside.wire.take_all();
    inside.beat(&second, json!({})).await.expect(200);
    // The first one brings it online.
    inside.wire.take_all();
    inside.beat(&second, json!({})).await.expect(200);
    let calls = inside.wire.take_all();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let listed = tokens(&inside, &own).await;
    assert!(listed[0]["last_used_at"].is_string(), "{listed:?}");
    assert!(listed[1]["last_used_at"].is_null(), "{listed:?}");
}

#[tokio::test]
async fn a_note_that_fails_fails_no_request_and_revives_no_token() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Own").await;
    inside
        .wire
        .fail("UpdateItem", 1, e2e::counted::Fault::Unreachable);
    let read = inside.get(&format!("/workspaces/{}", own.id));
    read.bearer(&own.token).await.expect(200);
    // A token that revokes itself is noted after it is gone.
    let own = inside.workspace("Other").await;
    let id = tokens(&inside, &own).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/workspaces/{}/tokens/{id}", own.id);
    let revoke = inside.call(Method::DELETE, &path).bearer(&own.token);
    revoke.await.expect(200);
    assert!(tokens(&inside, &own).await.is_empty());
    let row = keys::token(own.id.parse().expect("an id"), id.parse().expect("an id"));
    assert!(inside.scale.item_at(&row).await.is_none());
}

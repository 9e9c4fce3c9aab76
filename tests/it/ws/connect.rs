//! Who may listen: statuses in process, where every mode can be had, and the handshake outside.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Mode;
use e2e::{Listener, STRANGER, World, counted::InProcess, until};
use events::{connect::Door, sockets::Sockets};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::connections::Connection;

use super::gateway;

/// What `$connect` answers.
async fn asked(inside: &InProcess, headers: &Value, query: &Value) -> (i64, String) {
    asked_from("192.0.2.1", inside, headers, query).await
}

/// What it answers to this address.
async fn asked_from(
    address: &str,
    inside: &InProcess,
    headers: &Value,
    query: &Value,
) -> (i64, String) {
    let handshake = json!({
        "headers": headers,
        "queryStringParameters": query,
        "requestContext": {
            "connectionId": uuid::Uuid::new_v4().simple().to_string(),
            "routeKey": "$connect",
            "identity": {"sourceIp": address},
        },
    });
    let handshake = serde_json::from_value(handshake).expect("a handshake");
    let door = gateway::door(inside).await;
    let answer = events::connect::handle(door, handshake)
        .await
        .expect("an answer");
    let body = answer["body"].as_str().unwrap_or("{}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let why = body["error"].as_str().unwrap_or_default().to_owned();
    (answer["statusCode"].as_i64().expect("a status"), why)
}

#[tokio::test]
async fn who_proves_who_they_are_may_listen() {
    let inside = InProcess::new(Mode::Strict).await;
    let own = inside.workspace("Own").await;
    let other = inside.workspace("Other").await;
    let bearer = |token: &str| json!({"Authorization": format!("Bearer {token}")});
    let mut by = bearer(&own.token);
    by["X-Workspace-ID"] = json!(own.id);
    let mut foreign = bearer(&other.token);
    foreign["x-workspace-id"] = json!(own.id);
    let mut nobody = bearer(&inside.admin);
    nobody["x-workspace-id"] = json!(STRANGER);
    let protocol = json!({"Sec-WebSocket-Protocol": format!("bearer, {}", inside.admin)});
    let mut elsewhere = bearer(&inside.admin);
    elsewhere["Origin"] = json!("https://evil.example");
    let mut listed = bearer(&inside.admin);
    listed["origin"] = json!("http://LOCALHOST:3000");
    let mut agent = by.clone();
    agent["Origin"] = json!("https://evil.example");
    for (headers, status, why) in [
        (json!({}), 401, "missing auth token"),
        (bearer("wrong"), 401, "invalid auth token"),
        (bearer(&inside.admin), 200, ""),
        (protocol, 200, ""),
        (
            json!({"Sec-WebSocket-Protocol": "bearer, wrong"}),
            401,
            "invalid auth token",
        ),
        (bearer(&own.token), 200, ""),
        (by, 200, ""),
        (
            json!({"X-Workspace-ID": own.id}),
            401,
            "missing workspace auth token",
        ),
        (foreign, 401, "invalid workspace auth token"),
        (nobody, 404, "workspace not found"),
        (json!({"X-Workspace-ID": "x"}), 400, "invalid workspace ID"),
        (
            elsewhere,
            403,
            "this origin may not connect: list it in CorsOrigins",
        ),
        (listed, 200, ""),
        // The rule is for pages: an agent proves itself by its token.
        (agent, 200, ""),
    ] {
        let answer = asked(&inside, &headers, &Value::Null).await;
        assert_eq!(answer, (status, why.to_owned()), "{headers}");
    }
    for since in ["x", "ffffffff-ffff-7fff-8fff-ffffffffffff"] {
        let bad = asked(&inside, &bearer(&inside.admin), &json!({"since": since})).await;
        assert_eq!(bad, (400, "since must be the id of an event".to_owned()));
    }
}

#[tokio::test]
async fn one_workspace_has_fifty_connections_and_takes_nobody_elses_place() {
    let inside = InProcess::new(Mode::Strict).await;
    let many = inside.workspace("Many").await;
    let other = inside.workspace("Other").await;
    let bearer = |token: &str| json!({"Authorization": format!("Bearer {token}")});
    for _ in 0..50 {
        let first = asked(&inside, &bearer(&many.token), &json!({})).await;
        assert_eq!(first.0, 200, "{first:?}");
    }
    let why = "this workspace has 50 connections: close some of them";
    let refused = asked(&inside, &bearer(&many.token), &json!({})).await;
    assert_eq!(refused, (429, why.to_owned()));
    for token in [&other.token, &inside.admin] {
        let let_in = asked(&inside, &bearer(token), &json!({})).await;
        assert_eq!(let_in.0, 200, "{let_in:?}");
    }
    let open = inside.app.store.connections(Timestamp::now()).await;
    let open = open.expect("the emulator answers");
    let first = open
        .iter()
        .find(|it| it.workspace_id.map(|id| id.to_string()) == Some(many.id.clone()));
    let first = &first.expect("one of them").id;
    inside.app.store.disconnect(first).await.expect("forgotten");
    let again = asked(&inside, &bearer(&many.token), &json!({})).await;
    assert_eq!(again.0, 200, "{again:?}");
}

#[tokio::test]
async fn who_gave_up_during_the_handshake_keeps_nobody_out() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.workspace("Own").await;
    let id = Some(own.id.parse().expect("an id"));
    let store = &inside.app.store;
    let now = Timestamp::now();
    let write = async |name: &str, age: i64| {
        let at = now - SignedDuration::from_secs(age);
        let connection = Connection::new(name, id, None, at);
        store.connect(&connection).await.expect("written");
    };
    for n in 0..47 {
        write(&format!("well-{n}"), 60).await;
    }
    for (name, age) in [
        ("gone-a", 90),
        // Younger than all that are well.
        ("gone-b", 20),
        // It may be opening.
        ("gone-c", 1),
    ] {
        write(name, age).await;
    }
    let by = json!({"Authorization": format!("Bearer {}", own.token)});
    for status in [200, 200, 429] {
        let answer = asked(&inside, &by, &Value::Null).await;
        assert_eq!(answer.0, status, "{answer:?}");
    }
    let open = store.connections(now).await.expect("read");
    let is_there = |name: &str| open.iter().any(|it| it.id == name);
    assert_eq!(open.len(), 50);
    assert!(!is_there("gone-a") && !is_there("gone-b") && is_there("gone-c"));
    // One of nobody else's is looked at.
    let other = Connection::new("gone-d", None, None, now - SignedDuration::from_mins(5));
    store.connect(&other).await.expect("written");
    assert_eq!(asked(&inside, &by, &Value::Null).await.0, 429);
    assert_eq!(store.connections(now).await.expect("read").len(), 51);
    // A gateway that does not answer says of nobody that it is gone.
    write("gone-e", 100).await;
    let nowhere = "http://127.0.0.1:9".to_owned();
    let door = Door::with(inside.app, Sockets::at(inside.app, nowhere));
    let handshake = json!({
        "headers": by, "requestContext": {"connectionId": "new", "routeKey": "$connect"},
    });
    let handshake = serde_json::from_value(handshake).expect("a handshake");
    let answer = events::connect::handle(door, handshake).await;
    assert_eq!(answer.expect("an answer")["statusCode"], 429);
}

#[tokio::test]
async fn a_guarded_stack_lets_its_own_organisation_listen() {
    let inside = InProcess::new(Mode::Strict).await;
    let guarded = inside.set(|settings| settings.org_id = "acme".to_owned());
    let by = |name: &str, value: &str| {
        let mut headers = json!({"Authorization": format!("Bearer {}", guarded.admin)});
        headers[name] = json!(value);
        headers
    };
    guarded.wire.take_all();
    for headers in [
        by("X-Other", "acme"),
        by("X-Molecule-Org-Id", "other"),
        by("Fly-Replay-Src", "state=other"),
    ] {
        let refused = asked(&guarded, &headers, &Value::Null).await;
        assert_eq!(refused.0, 404, "{headers}");
    }
    assert!(guarded.wire.take_all().is_empty());
    for headers in [
        by("X-Molecule-Org-Id", "acme"),
        by("Fly-Replay-Src", "instance=1; state=acme"),
    ] {
        let let_in = asked(&guarded, &headers, &Value::Null).await;
        assert_eq!(let_in.0, 200, "{headers}");
    }
}

#[tokio::test]
async fn handshakes_have_a_share_like_all_that_a_client_asks() {
    let inside = InProcess::new(Mode::Strict).await;
    let inside = inside.set(|settings| settings.rate_limit = 3);
    let wrong = json!({"Authorization": "Bearer wrong"});
    for _ in 0..3 {
        let refused = asked_from("198.51.100.1", &inside, &wrong, &Value::Null).await;
        assert_eq!(refused.0, 401);
    }
    inside.wire.take_all();
    let refused = asked_from("198.51.100.1", &inside, &wrong, &Value::Null).await;
    assert_eq!(refused, (429, "rate limit exceeded".to_owned()));
    assert!(inside.wire.take_all().is_empty(), "nothing is looked up");
    let other = asked_from("198.51.100.2", &inside, &wrong, &Value::Null).await;
    assert_eq!(other.0, 401);
}

#[tokio::test]
async fn open_doors_let_people_in_and_know_workspaces_by_their_tokens() {
    let inside = InProcess::new(Mode::Dev).await;
    let own = inside.workspace("Own").await;
    let named = json!({"X-Workspace-ID": own.id});
    assert_eq!(asked(&inside, &json!({}), &Value::Null).await.0, 200);
    assert_eq!(
        asked(&inside, &named, &Value::Null).await,
        (401, "missing workspace auth token".to_owned())
    );
    let evil = json!({"Origin": "https://evil.example"});
    assert_eq!(asked(&inside, &evil, &Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_refused_client_leaves_no_connection_and_one_that_left_neither() {
    let inside = InProcess::apart(Mode::Strict).await;
    let store = &inside.app.store;
    let open = async || {
        let found = store.connections(Timestamp::now()).await;
        found.expect("read").len()
    };
    asked(&inside, &json!({}), &Value::Null).await;
    assert_eq!(open().await, 0);
    let admin = json!({"authorization": format!("Bearer {}", inside.admin)});
    asked(&inside, &admin, &Value::Null).await;
    let found = store.connections(Timestamp::now()).await.expect("read");
    let told = json!({"requestContext": {"connectionId": found[0].id, "routeKey": "$disconnect"}});
    let told = serde_json::from_value(told).expect("an event");
    events::disconnect::handle(inside.app, told)
        .await
        .expect("forgotten");
    assert_eq!(open().await, 0);
    // Rows of connections that ended unseen are not listened to.
    asked(&inside, &admin, &Value::Null).await;
    let later = Timestamp::now() + SignedDuration::from_mins(131);
    assert!(store.connections(later).await.expect("read").is_empty());
}

#[tokio::test]
async fn browsers_bring_their_token_as_a_protocol_and_are_told_so() {
    let world = World::new();
    let protocols = format!("bearer, {}", world.admin);
    let open = Listener::open("", &[("sec-websocket-protocol", &protocols)]).await;
    let open = open.expect("open");
    assert_eq!(open.protocol.as_deref(), Some("bearer"));
    // One that a protocol may not have: of the token as it is, `=` and `/` would break the handshake.
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let encoded = format!("base64url.bearer.{}", encode(&world.admin));
    for (protocols, chosen) in [
        (format!("bearer, {encoded}"), "bearer"),
        (format!("chat, {encoded}"), "chat"),
        (encoded.clone(), &*encoded),
    ] {
        let open = Listener::open("", &[("sec-websocket-protocol", &protocols)]).await;
        assert_eq!(open.expect("open").protocol.as_deref(), Some(chosen));
    }
    let wrong = format!("bearer, base64url.bearer.{}", encode("a/wrong=token"));
    let refused = Listener::open("", &[("sec-websocket-protocol", &wrong)]).await;
    assert_eq!(refused.expect_err("refused"), 403);
    for headers in [&[][..], &[("authorization", "Bearer wrong")]] {
        let refused = Listener::open("", headers).await;
        assert_eq!(refused.expect_err("refused"), 403);
    }
}

#[tokio::test]
async fn who_hangs_up_is_forgotten() {
    let world = World::new();
    let backstage = e2e::Backstage::new().await;
    let workspace = world.workspace("Leaver").await;
    let listener = Listener::workspace(&workspace).await;
    let listens = async || backstage.listens(&workspace).await;
    assert!(listens().await);
    listener.close().await;
    until(10, "forgotten", || async {
        (!listens().await).then_some(())
    })
    .await;
}

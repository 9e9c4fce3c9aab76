//! How often one may call, and whose requests are answered at all (contract: registry-and-auth 3).

use domain::Mode;
use e2e::counted::InProcess;
use serde_json::json;

const LISTED: &str = "http://localhost:3000";

#[tokio::test]
async fn the_share_of_an_address_and_of_a_workspace() {
    let inside = InProcess::new(Mode::Strict).await;
    let own = inside.online("Own").await;
    let inside = inside.set(|settings| settings.rate_limit = 3);
    let path = format!("/workspaces/{}", own.id);
    let health = || inside.get("/health").from("198.51.100.1");
    let first = health().await.expect(200);
    assert_eq!(first.header("x-ratelimit-limit"), "3");
    assert_eq!(first.header("x-ratelimit-remaining"), "2");
    let reset: i64 = first.header("x-ratelimit-reset").parse().expect("seconds");
    assert!((1..=20).contains(&reset), "{reset}");
    // Refusals and what is not there count, and say so.
    let refused = inside.get("/workspaces").from("198.51.100.1").await;
    assert_eq!(refused.expect(401).header("x-ratelimit-remaining"), "1");
    let nowhere = inside.get("/nowhere").from("198.51.100.1").await;
    assert_eq!(nowhere.expect(404).header("x-ratelimit-remaining"), "0");

    let (answer, calls) = health().header("Origin", LISTED).counted().await;
    let seconds: i64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=20).contains(&seconds), "{seconds}");
    let body = json!({"error": "rate limit exceeded", "retry_after": seconds});
    assert_eq!((answer.status, &answer.json), (429, &body));
    assert_eq!(answer.header("x-ratelimit-limit"), "3");
    assert_eq!(answer.header("x-ratelimit-remaining"), "0");
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
    assert_eq!(answer.header("x-frame-options"), "");
    assert!(calls.is_empty());
    // A browser that asks first is not counted.
    let ask = inside.call(reqwest::Method::OPTIONS, "/workspaces");
    let ask = ask.from("198.51.100.1").header("Origin", LISTED);
    ask.await.expect(204);
    // No header makes a client another one.
    let forged = health().header("X-Forwarded-For", "198.51.100.77");
    forged.await.expect(429);

    // Agents share an address: once proven, each has a share of its own, wherever it is.
    let by = |address: &str| {
        inside
            .get(&path)
            .bearer(&own.token)
            .from(address)
            .into_future()
    };
    by("198.51.100.2").await.expect(200);
    for left in ["2", "1", "0"] {
        let answer = by("198.51.100.1").await.expect(200);
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    by("198.51.100.3").await.expect(429);
    let made_up = inside.get(&path).bearer("made-up").from("198.51.100.1");
    made_up.await.expect(429);
}

#[tokio::test]
async fn agents_that_only_beat_have_a_share_each_behind_one_address() {
    let inside = InProcess::new(Mode::Strict).await;
    let (a, b) = (inside.online("A").await, inside.online("B").await);
    let inside = inside.set(|settings| settings.rate_limit = 3);
    let beat = |by: &e2e::Workspace| {
        let beat = inside.beat(by, json!({}));
        beat.from("198.51.100.9").into_future()
    };
    // The first one is counted for the address: nobody knows yet whose token it is.
    for left in ["2", "2", "1", "0"] {
        let answer = beat(&a).await.expect(200);
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    beat(&a).await.expect(429);
    beat(&b).await.expect(200);
}

#[tokio::test]
async fn a_token_that_was_revoked_spends_nothing_of_its_workspace() {
    let inside = InProcess::new(Mode::Strict).await;
    let own = inside.online("Own").await;
    let tokens = format!("/workspaces/{}/tokens", own.id);
    let minted = inside.post(&tokens).bearer(&inside.admin).await;
    let leaked = minted.expect(201).text("auth_token");
    let listed = inside.get(&tokens).bearer(&inside.admin).await.expect(200);
    let listed = listed.json["tokens"].as_array().expect("a list").clone();
    let inside = inside.set(|settings| settings.rate_limit = 3);
    let path = format!("/workspaces/{}", own.id);
    let by = |token: &str, address: &str| {
        let call = inside.get(&path).bearer(token).from(address);
        call.into_future()
    };
    for left in ["2", "2"] {
        let answer = by(&leaked, "198.51.100.4").await.expect(200);
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    let row = listed.iter().find(|row| {
        let prefix = row["prefix"].as_str().expect("a prefix");
        leaked.starts_with(prefix)
    });
    let id = row.expect("a row")["id"].as_str().expect("an id");
    let store = &inside.app.store;
    let (own_id, id) = (own.id.parse().expect("an id"), id.parse().expect("an id"));
    assert!(store.revoke_token(own_id, id).await.expect("revoked"));
    // Its process learns of it with the first answer; from then on it is an address's like any made-up one.
    for left in ["1", "1", "0"] {
        let answer = by(&leaked, "198.51.100.4").await.expect(401);
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    by(&leaked, "198.51.100.4").await.expect(429);
    by(&own.token, "198.51.100.5").await.expect(200);
    let answer = by(&own.token, "198.51.100.5").await.expect(200);
    assert_eq!(answer.header("x-ratelimit-remaining"), "0");
}

#[tokio::test]
async fn open_development_counts_nobody() {
    let open = InProcess::new(Mode::Dev).await;
    let open = open.set(|settings| settings.rate_limit = 1);
    for _ in 0..5 {
        let answer = open.get("/health").await.expect(200);
        assert_eq!(answer.header("x-ratelimit-limit"), "unlimited");
        assert_eq!(answer.header("x-ratelimit-remaining"), "");
    }
}

#[tokio::test]
async fn a_guarded_stack_answers_its_own_organisation() {
    let inside = InProcess::new(Mode::Strict).await;
    let own = inside.online("Own").await;
    let guarded = inside.set(|settings| settings.org_id = "acme".to_owned());
    let list = || guarded.get("/workspaces").bearer(&guarded.admin);
    let (refused, calls) = list().counted().await;
    let refused = refused.expect(404);
    assert!(refused.bytes.is_empty() && calls.is_empty());
    assert_eq!(refused.header("x-frame-options"), "");
    assert_eq!(refused.header("x-ratelimit-limit"), u32::MAX.to_string());
    for (name, value, status) in [
        ("x-molecule-org-id", "acme", 200),
        ("fly-replay-src", "instance=1; state=acme", 200),
        ("x-molecule-org-id", "other", 404),
    ] {
        list().header(name, value).await.expect(status);
    }
    guarded.get("/health").await.expect(200);
    guarded.beat(&own, json!({})).await.expect(200);
    guarded.get("/health/").await.expect(404);
    let ask = guarded.call(reqwest::Method::OPTIONS, "/workspaces");
    ask.header("Origin", LISTED).await.expect(204);
}

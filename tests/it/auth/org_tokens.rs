//! `GET|POST /org/tokens`, `DELETE /org/tokens/{id}` (contract: registry-and-auth 11.2)

use domain::Mode;
use e2e::{counted::InProcess, without};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

async fn listed(inside: &InProcess) -> Value {
    let list = inside.get("/org/tokens").bearer(&inside.admin);
    list.await.expect(200).json
}

#[tokio::test]
async fn a_token_is_shown_once_listed_used_and_revoked_at_once() {
    let inside = InProcess::apart(Mode::Strict).await;
    assert_eq!(listed(&inside).await, json!({"tokens": [], "count": 0}));
    let mint = |bearer: &str, body: Value| inside.post("/org/tokens").bearer(bearer).json(&body);
    let first = mint(&inside.admin, json!({"name": "CI"})).await.expect(200);
    let token = first.text("auth_token");
    assert_eq!(token.len(), 43);
    let expected = json!({
        "prefix": token[..8], "name": "CI", "auth_token": token,
        "warning": "copy this token now; it will not be shown again",
    });
    assert_eq!(without(&first.json, &["id"]), expected);

    // It is an operator's; and mints others, with or without a body.
    inside.get("/workspaces").bearer(&token).await.expect(200);
    let second = inside.post("/org/tokens").bearer(&token);
    let second = second.await.expect(200);
    assert!(second.json.get("name").is_none());
    let all = listed(&inside).await;
    assert_eq!(all["count"], 2);
    let (new, old) = (&all["tokens"][0], &all["tokens"][1]);
    let provenance = format!("org-token:{}", &token[..8]);
    let expected = json!({
        "id": second.text("id"), "prefix": second.text("auth_token")[..8],
        "created_by": provenance,
    });
    assert_eq!(without(new, &["created_at"]), expected);
    let expected = json!({
        "id": first.text("id"), "prefix": token[..8], "name": "CI", "created_by": "admin-token",
    });
    assert_eq!(without(old, &["created_at", "last_used_at"]), expected);

    let one = format!("/org/tokens/{}", first.text("id"));
    let revoke = || inside.call(Method::DELETE, &one).bearer(&inside.admin);
    let gone = revoke().await.expect(200);
    assert_eq!(gone.json, json!({"revoked": first.text("id")}));
    let again = revoke().await;
    assert_eq!(again.error(), (404, "token not found or already revoked"));
    let refused = inside.get("/workspaces").bearer(&token).await;
    assert_eq!(refused.error(), (401, "invalid admin auth token"));
    assert_eq!(listed(&inside).await["count"], 1);
    let other = second.text("auth_token");
    inside.get("/workspaces").bearer(&other).await.expect(200);
    for (id, expected) in [
        ("x".to_owned(), (400, "invalid token ID")),
        (
            Uuid::new_v4().to_string(),
            (404, "token not found or already revoked"),
        ),
    ] {
        let revoke = inside.call(Method::DELETE, &format!("/org/tokens/{id}"));
        let refused = revoke.bearer(&inside.admin).await;
        assert_eq!(refused.error(), expected);
    }
}

#[tokio::test]
async fn no_hash_and_no_text_is_kept_where_it_can_be_read() {
    let inside = InProcess::apart(Mode::Strict).await;
    let token = inside.org_token().await;
    let list = inside.get("/org/tokens").bearer(&inside.admin);
    let (answer, calls) = list.counted().await;
    let hash = domain::token::TokenHash::of(&token).hex();
    let text = String::from_utf8(answer.bytes).expect("text");
    assert!(!text.contains(&token) && !text.contains(&hash), "{text}");
    let rows = calls[0].response.to_string();
    assert!(rows.contains(&hash) && !rows.contains(&token), "{rows}");
}

#[tokio::test]
async fn names_are_short_and_what_cannot_be_read_is_no_name() {
    let inside = InProcess::apart(Mode::Strict).await;
    let mint = |n: u8, body: Value| {
        let call = inside.post("/org/tokens").bearer(&inside.admin).json(&body);
        call.from(&format!("192.0.2.{n}"))
    };
    let long = mint(1, json!({"name": "ä".repeat(51)})).await;
    assert_eq!(long.error(), (400, "name too long (max 100 chars)"));
    assert_eq!(listed(&inside).await["count"], 0);
    let fits = mint(1, json!({"name": "ä".repeat(50)})).await.expect(200);
    assert_eq!(fits.text("name"), "ä".repeat(50));
    for body in [
        json!({"name": 7}),
        json!([]),
        json!({"name": ""}),
        json!({"name": null}),
    ] {
        let minted = mint(2, body).await.expect(200);
        assert!(minted.json.get("name").is_none());
    }
    let large = mint(3, json!({"name": "x".repeat(20_000)})).await;
    assert_eq!(large.error(), (413, "request body too large"));
}

#[tokio::test]
async fn ten_in_an_hour_from_one_address_whoever_counts() {
    let inside = InProcess::apart(Mode::Strict).await;
    // Each of its own process, so to speak: nothing is counted in memory.
    let other = inside.clone().set(|_| {});
    let mint = |by: &InProcess, address: &str| {
        let call = by.post("/org/tokens").bearer(&by.admin);
        call.from(address).into_future()
    };
    let first = mint(&inside, "192.0.2.7").await.expect(200);
    assert_eq!(first.header("x-ratelimit-limit"), "10");
    assert_eq!(first.header("x-ratelimit-remaining"), "9");
    let answers = join_all((0..14).map(|n| match n % 2 {
        0 => mint(&inside, "192.0.2.7"),
        _ => mint(&other, "192.0.2.7"),
    }));
    let answers = answers.await;
    let minted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(minted, 9);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        let seconds: i64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=3600).contains(&seconds), "{seconds}");
        let body = json!({"error": "rate limit exceeded", "retry_after": seconds});
        assert_eq!((refused.status, &refused.json), (429, &body));
        assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    }
    assert_eq!(listed(&inside).await["count"], 10);
    mint(&inside, "192.0.2.8").await.expect(200);
    // Who may not mint takes nothing from those who may.
    for _ in 0..11 {
        let call = inside.post("/org/tokens").from("192.0.2.9");
        call.bearer("wrong").await.expect(401);
    }
    mint(&inside, "192.0.2.9").await.expect(200);
    // An hour after the first they may again.
    let window = store::keys::window("ORG_MINTS", "192.0.2.7");
    let item = inside.scale.item_at(&window).await.expect("a counter");
    let began: i64 = item["began_at"]["N"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a number");
    let before = began - 3_600_000_000;
    inside.scale.set_number(&window, "began_at", before).await;
    let again = mint(&inside, "192.0.2.7").await.expect(200);
    assert_eq!(again.header("x-ratelimit-remaining"), "9");
}

#[tokio::test]
async fn a_named_organisation_is_kept_with_what_it_mints() {
    let inside = InProcess::apart(Mode::Strict).await;
    let inside = inside.set(|settings| settings.org_id = "acme".to_owned());
    let call = |call: e2e::counted::InCall| {
        let call = call.bearer(&inside.admin);
        call.header("x-molecule-org-id", "acme")
    };
    call(inside.post("/org/tokens")).await.expect(200);
    let list = call(inside.get("/org/tokens")).await.expect(200);
    assert_eq!(list.json["tokens"][0]["org_id"], "acme");
}

//! Tokens under races: the marks on the hot item, the list and the credentials say the same.

use std::collections::BTreeSet;

use domain::{Mode, token::MAX_LIVE_TOKENS};
use e2e::{
    Workspace,
    counted::{Fault, InProcess, PUBLIC, gate},
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{id, marks};

/// The list has as many tokens as there are marks, and these tokens are exactly the live ones.
async fn agree(inside: &InProcess, own: &Workspace, live: &[String], dead: &[String]) {
    let listed = inside.app.store.tokens(id(own)).await.expect("tokens");
    let prefixes: BTreeSet<String> = listed.iter().map(|row| row.prefix.clone()).collect();
    let expected: BTreeSet<String> = live.iter().map(|token| token[..8].to_owned()).collect();
    assert_eq!(prefixes, expected, "the list");
    assert_eq!(marks(inside, own).await.len(), live.len(), "the marks");
    for (tokens, status) in [(live, 200), (dead, 401)] {
        for token in tokens {
            let own = Workspace {
                id: own.id.clone(),
                token: token.clone(),
            };
            // By the mark, and by the credential.
            inside.beat(&own, json!({})).await.expect(status);
            let list = inside.get(&format!("/workspaces/{}/tokens", own.id));
            list.bearer(token).await.expect(status);
        }
    }
}

#[tokio::test]
async fn many_registrations_at_once_mint_one_token() {
    let open = InProcess::new(Mode::Dev).await;
    let made = json!({"name": "Tokenless", "runtime": "langgraph"});
    let known = open
        .post("/workspaces")
        .json(&made)
        .await
        .expect(201)
        .text("id");
    for workspace in [known, Uuid::new_v4().to_string()] {
        open.wire.fail("TransactWriteItems", 5, Fault::meet(5));
        let body = json!({"id": workspace, "url": PUBLIC, "agent_card": {}});
        let register = |_| open.post("/registry/register").json(&body).into_future();
        let answers = join_all((0..5).map(register)).await;
        let minted: Vec<String> = answers
            .iter()
            .filter_map(|answer| answer.json["auth_token"].as_str().map(str::to_owned))
            .collect();
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(minted.len(), 1, "{statuses:?}");
        let refused = statuses.iter().filter(|status| **status == 401);
        assert_eq!(refused.count(), 4, "{statuses:?}");
        let own = Workspace {
            id: workspace,
            token: minted[0].clone(),
        };
        agree(&open, &own, &minted, &[]).await;
    }
}

#[tokio::test]
async fn minting_and_revoking_at_once_keep_all_three_alike() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let path = format!("/workspaces/{}/tokens", own.id);
    let mint = || inside.post(&path).bearer(&inside.admin).into_future();
    let (mut live, mut dead) = (vec![own.token.clone()], Vec::new());
    for answer in join_all((0..6).map(|_| mint())).await {
        live.push(answer.expect(201).text("auth_token"));
    }
    for _ in 0..3 {
        // Two revoke the same token while two mint, each having read what the others change.
        let rows = inside.app.store.tokens(id(&own)).await.expect("tokens");
        let row = rows.iter().find(|row| row.prefix != own.token[..8]);
        let row = row.expect("another token");
        let gone = live.iter().position(|token| token.starts_with(&row.prefix));
        dead.push(live.remove(gone.expect("a live token")));
        let revoke = format!("{path}/{}", row.id);
        let revoke = || {
            let call = inside.call(Method::DELETE, &revoke);
            call.bearer(&inside.admin).into_future()
        };
        inside.wire.fail("TransactWriteItems", 4, Fault::meet(4));
        let (a, b, one, two) = tokio::join!(revoke(), revoke(), mint(), mint());
        let statuses = BTreeSet::from([a.status, b.status]);
        assert_eq!(statuses, BTreeSet::from([200, 404]));
        for minted in [one, two] {
            live.push(minted.expect(201).text("auth_token"));
        }
    }
    agree(&inside, &own, &live, &dead).await;
}

#[tokio::test]
async fn the_last_free_place_is_given_once() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let path = format!("/workspaces/{}/tokens", own.id);
    let mint = || inside.post(&path).bearer(&inside.admin).into_future();
    join_all((2..MAX_LIVE_TOKENS).map(|_| mint())).await;
    inside.wire.fail("TransactWriteItems", 2, Fault::meet(2));
    let (a, b) = tokio::join!(mint(), mint());
    let statuses = BTreeSet::from([a.status, b.status]);
    assert_eq!(statuses, BTreeSet::from([201, 429]));
    assert_eq!(marks(&inside, &own).await.len(), MAX_LIVE_TOKENS);
    let listed = inside.app.store.tokens(id(&own)).await.expect("tokens");
    assert_eq!(listed.len(), MAX_LIVE_TOKENS);
}

#[tokio::test]
async fn a_token_minted_during_a_removal_dies_with_its_workspace() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let held = gate();
    inside
        .wire
        .fail("TransactWriteItems", 1, Fault::Hold(held.clone()));
    let delete = inside.call(Method::DELETE, &format!("/workspaces/{}", own.id));
    let delete = tokio::spawn(delete.bearer(&inside.admin).into_future());
    held.wait().await;
    let mint = inside.post(&format!("/workspaces/{}/tokens", own.id));
    let minted = mint
        .bearer(&inside.admin)
        .await
        .expect(201)
        .text("auth_token");
    held.wait().await;
    delete.await.expect("an answer").expect(200);

    let other = inside.online("Other").await;
    let shown = inside.get(&format!("/workspaces/{}", other.id));
    for token in [&own.token, &minted] {
        assert_eq!(shown.clone().bearer(token).await.status, 401);
    }
    assert!(marks(&inside, &own).await.is_empty());
}

//! `GET|POST /workspaces/{id}/tokens`, `DELETE /workspaces/{id}/tokens/{token_id}`

use e2e::{Answer, Call, Workspace, World, at_once};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

fn mint(world: &World, workspace: &Workspace) -> Call {
    let path = format!("/workspaces/{}/tokens", workspace.id);
    world.post(&path).bearer(&world.admin)
}

async fn list(world: &World, workspace: &Workspace, query: &str) -> Value {
    let path = format!("/workspaces/{}/tokens{query}", workspace.id);
    world
        .get(&path)
        .bearer(&workspace.token)
        .await
        .expect(200)
        .json
}

async fn revoke(world: &World, bearer: &str, id: &str, token_id: &str) -> Answer {
    let path = format!("/workspaces/{id}/tokens/{token_id}");
    world.call(Method::DELETE, &path).bearer(bearer).await
}

#[tokio::test]
async fn a_token_is_shown_once_listed_and_revoked_at_once() {
    let world = World::new();
    let workspace = world.workspace("Minting").await;
    let reply = mint(&world, &workspace).await.expect(201);
    let token = reply.text("auth_token");
    assert_eq!(
        reply.json,
        json!({"auth_token": token, "workspace_id": workspace.id,
            "message": "Save this token now — it cannot be retrieved again."})
    );
    assert_eq!(token.len(), 43);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert!(token.chars().all(plain), "{token}");

    let listed = list(&world, &workspace, "").await;
    let row = &listed["tokens"][0];
    assert_eq!(
        *row,
        json!({"id": row["id"], "prefix": token[..8], "created_at": row["created_at"],
            "last_used_at": null})
    );
    assert_eq!(listed["tokens"][1]["prefix"], workspace.token[..8]);
    assert_eq!(listed["count"], 2);
    assert_eq!(listed.as_object().map(|keys| keys.len()), Some(2));

    // Both work; the new one revokes the old one, then itself.
    let (id, second) = (
        workspace.id.clone(),
        Workspace {
            token,
            ..workspace.clone()
        },
    );
    world.beat(&second, json!({})).await.expect(200);
    let old_id = listed["tokens"][1]["id"].as_str().expect("an id");
    let reply = revoke(&world, &second.token, &id, old_id).await;
    assert_eq!(reply.expect(200).json, json!({"status": "revoked"}));
    let refused = world.beat(&workspace, json!({})).await;
    assert_eq!(refused.error(), (401, "invalid workspace auth token"));
    let gone = revoke(&world, &second.token, &id, old_id).await;
    assert_eq!(gone.error(), (404, "token not found or already revoked"));
    let own_id = row["id"].as_str().expect("an id");
    revoke(&world, &second.token, &id, own_id).await.expect(200);
    let refused = world.beat(&second, json!({})).await;
    assert_eq!(refused.error(), (401, "invalid workspace auth token"));

    // Without a live token the workspace is closed, not open; an operator mints again.
    let nobody = world
        .post("/registry/heartbeat")
        .json(&json!({"workspace_id": id}));
    assert_eq!(nobody.await.error(), (401, "missing workspace auth token"));
    let operator = Workspace {
        id,
        token: world.admin.clone(),
    };
    assert_eq!(
        list(&world, &operator, "").await,
        json!({"tokens": [], "count": 0})
    );
    let token = mint(&world, &operator).await.expect(201).text("auth_token");
    let again = Workspace { token, ..operator };
    world.beat(&again, json!({})).await.expect(200);
}

#[tokio::test]
async fn pages_are_newest_first_and_junk_means_the_default() {
    let world = World::new();
    let workspace = world.workspace("Pages").await;
    let mut minted = vec![workspace.token.clone()];
    for _ in 0..4 {
        let reply = mint(&world, &workspace).await.expect(201);
        minted.insert(0, reply.text("auth_token"));
    }
    // Its first use is noted on its row, and no other within the minute.
    list(&world, &workspace, "").await;
    let all = list(&world, &workspace, "").await["tokens"].clone();
    let all = all.as_array().expect("a list");
    let prefixes: Vec<_> = all.iter().map(|row| row["prefix"].clone()).collect();
    let expected: Vec<_> = minted.iter().map(|token| json!(token[..8])).collect();
    assert_eq!(prefixes, expected);
    for (query, range) in [
        ("?limit=2", 0..2),
        ("?limit=2&offset=2", 2..4),
        ("?offset=4", 4..5),
        ("?offset=5", 5..5),
        ("?limit=200", 0..5),
        ("?limit=201", 0..5),
        ("?limit=0", 0..5),
        ("?limit=-1", 0..5),
        ("?limit=two", 0..5),
        ("?limit=2.5", 0..5),
        ("?offset=-1", 0..5),
        ("?limit=1&offset=junk", 0..1),
    ] {
        let page = list(&world, &workspace, query).await;
        assert_eq!(page["tokens"], json!(all[range.clone()]), "{query}");
        assert_eq!(page["count"], range.len(), "{query}");
    }
}

#[tokio::test]
async fn tokens_are_their_workspaces_and_its_operators_affair() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let before = list(&world, &own, "").await;
    let token_id = before["tokens"][0]["id"].as_str().expect("an id");
    let invalid = (401, "invalid workspace auth token");
    for id in [&own.id, &gone.id, &Uuid::new_v4().to_string()] {
        let path = format!("/workspaces/{id}/tokens");
        let one = format!("{path}/{token_id}");
        for (method, path) in [
            (Method::GET, &path),
            (Method::POST, &path),
            (Method::DELETE, &one),
        ] {
            for bearer in [&other.token, &gone.token, "nonsense"] {
                let refused = world.call(method.clone(), path).bearer(bearer).await;
                assert_eq!(refused.error(), invalid, "{method} {path}");
            }
            let refused = world.call(method.clone(), path).await;
            assert_eq!(refused.error(), (401, "missing workspace auth token"));
        }
    }
    // Another workspace's token is no token here, whoever asks.
    for bearer in [&other.token, &world.admin] {
        let missing = revoke(&world, bearer, &other.id, token_id).await;
        assert_eq!(missing.error(), (404, "token not found or already revoked"));
    }
    let missing = revoke(&world, &own.token, &own.id, &Uuid::new_v4().to_string()).await;
    assert_eq!(missing.error(), (404, "token not found or already revoked"));
    let bad = revoke(&world, &own.token, &own.id, "first").await;
    assert_eq!(bad.error(), (400, "invalid token ID"));
    // The same are there; this one was used.
    let mut after = list(&world, &own, "").await;
    assert!(after["tokens"][0]["last_used_at"].is_string(), "{after}");
    after["tokens"][0]["last_used_at"] = before["tokens"][0]["last_used_at"].clone();
    assert_eq!(after, before);
    let bad = world.get("/workspaces/own/tokens").bearer(&own.token).await;
    assert_eq!(bad.error(), (400, "invalid workspace ID"));
    // The operator sees no tokens where there is no workspace, and mints none there.
    for id in [&gone.id, &Uuid::new_v4().to_string()] {
        let path = format!("/workspaces/{id}/tokens");
        let none = world.get(&path).bearer(&world.admin).await.expect(200);
        assert_eq!(none.json, json!({"tokens": [], "count": 0}));
        let missing = world.post(&path).bearer(&world.admin).await;
        assert_eq!(missing.error(), (404, "workspace not found"));
    }
}

#[tokio::test]
async fn at_most_fifty_live_however_they_are_asked_for() {
    let world = World::new();
    let workspace = world.workspace("Greedy").await;
    let answers = at_once((0..60).map(|_| mint(&world, &workspace))).await;
    let minted = answers.iter().filter(|answer| answer.status == 201).count();
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        let full = (429, "maximum 50 active tokens per workspace");
        assert_eq!(refused.error(), full);
    }
    // One was there from the start.
    assert_eq!(minted, 49);
    let listed = list(&world, &workspace, "").await;
    assert_eq!(listed["count"], 50);
    // Revoking makes room for one.
    let oldest = listed["tokens"][49]["id"].as_str().expect("an id");
    revoke(&world, &world.admin, &workspace.id, oldest)
        .await
        .expect(200);
    mint(&world, &workspace).await.expect(201);
    mint(&world, &workspace).await.expect(429);
}

//! The doors that need more than this process, and some of the others, in the deployed stack.

use e2e::{Call, Workspace, World, envelope};
use reqwest::Method;
use serde_json::json;

use super::{
    callers::filled,
    table::{Class, Row, rows},
};

/// Development with closed doors: as strict.
async fn walls(row: &Row, world: &World, own: &Workspace, callers: [(&str, [bool; 2]); 4]) {
    for (bearer, [any, operator]) in callers {
        let path = filled(row.path(), &own.id);
        let call: Call = world.call(row.method(), &path);
        let call = match &row.body {
            Some(body) => call.json(body),
            None => call,
        };
        let call = if bearer.is_empty() {
            call
        } else {
            call.bearer(bearer)
        };
        let answer = call.await;
        let may = match row.class {
            Class::Admin => operator,
            _ => any,
        };
        let refused = matches!(answer.status, 401 | 403);
        assert_eq!(!refused, may, "{} {}", row.route, answer.json);
    }
}

#[tokio::test]
async fn the_deployed_doors_of_messages_and_of_operators() {
    let world = World::new();
    let (own, _agent) = world.online("Doors").await;
    let minted = world.post("/org/tokens").bearer(&world.admin);
    let minted = minted.json(&json!({"name": "doors"})).await.expect(200);
    let org = minted.text("auth_token");
    for row in rows() {
        let sampled = row.path().starts_with("/admin/a2a-queue")
            || ["GET /org/tokens", "GET /workspaces", "GET /events"].contains(&row.route);
        if sampled {
            let callers = [
                ("", [false, false]),
                (own.token.as_str(), [true, false]),
                (org.as_str(), [true, true]),
                (world.admin.as_str(), [true, true]),
            ];
            walls(&row, &world, &own, callers).await;
        }
    }
    let one = format!("/org/tokens/{}", minted.text("id"));
    let revoke = world.call(Method::DELETE, &one).bearer(&org);
    revoke.await.expect(200);
    let gone = world.get("/org/tokens").bearer(&org).await;
    assert_eq!(gone.error(), (401, "invalid admin auth token"));
}

#[tokio::test]
async fn who_may_send_and_who_is_told_that_nobody_is_there() {
    let world = World::new();
    let (top, _one) = world.online("Top").await;
    let (other, _two) = world.online("Other").await;
    let (own, foreign) = (
        world.child("Own", &top).await,
        world.child("Foreign", &other).await,
    );
    let send = |to: &str| world.send(to).json(&envelope("hello"));
    let none = send(&own.id).await;
    assert_eq!(none.error(), (401, "missing caller auth token"));
    let wrong = send(&own.id).bearer("not-a-token").await;
    assert_eq!(wrong.error(), (401, "invalid caller auth token"));
    let denied = "access denied: workspaces cannot communicate per hierarchy rules";
    let theirs = send(&own.id).bearer(&foreign.token).await;
    assert_eq!(theirs.error(), (403, denied));
    // Of one that is not there a workspace learns nothing else.
    let nowhere = send(e2e::STRANGER).bearer(&foreign.token).await;
    assert_eq!(nowhere.bytes, theirs.bytes);
    assert_eq!(nowhere.status, theirs.status);
    let below = send(&top.id).bearer(&own.token).await;
    assert!(below.status < 300, "{}", below.json);
}

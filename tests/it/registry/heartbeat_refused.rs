//! `POST /registry/heartbeat`, refused

use e2e::World;
use serde_json::json;
use uuid::Uuid;

use super::heartbeat::beat;

#[tokio::test]
async fn only_the_workspace_itself_may_beat() {
    let world = World::new();
    let (workspace, _agent) = world.online("Mine").await;
    let other = world.workspace("Other").await;
    let gone = world.workspace("Gone").await;
    world.delete(&gone.id).await;
    let unknown = Uuid::new_v4().to_string();
    let before = world.listed(&workspace.id).await;
    let (missing, invalid) = (
        "missing workspace auth token",
        "invalid workspace auth token",
    );
    // Unknown, removed and somebody else's look the same.
    for id in [&workspace.id, &unknown, &gone.id] {
        let body =
            json!({"workspace_id": id, "error_rate": 1, "current_task": "spying"}).to_string();
        for (bearer, sentence) in [
            ("", missing),
            ("nonsense", invalid),
            (&other.token, invalid),
            (&gone.token, invalid),
            (&world.admin, invalid),
        ] {
            let refused = beat(&world, bearer, body.clone()).await.expect(401);
            assert_eq!(refused.json, json!({"error": sentence}), "{id} {bearer}");
        }
        let lower = beat(&world, "", body).header("authorization", "bearer x");
        assert_eq!(lower.await.error(), (401, missing));
    }
    assert_eq!(world.listed(&workspace.id).await, before);

    // The scheme is as written, what follows is trimmed.
    let spaced = format!("Bearer   {}  ", workspace.token);
    let body = json!({"workspace_id": workspace.id.to_uppercase()}).to_string();
    let call = beat(&world, "", body).header("authorization", &spaced);
    call.await.expect(200);
}

#[tokio::test]
async fn bad_requests_change_nothing() {
    let world = World::new();
    let (workspace, _agent) = world.online("Refused").await;
    let before = world.snapshot(&workspace.id).await;
    let id = &workspace.id;
    let with = |rest: &str| format!(r#"{{"workspace_id":"{id}",{rest}}}"#);
    let (invalid, bad_id) = ("invalid request body", "invalid workspace ID");
    for (body, sentence) in [
        (String::new(), invalid),
        ("not json".to_owned(), invalid),
        ("null".to_owned(), invalid),
        (format!(r#"["{id}",0.9]"#), invalid),
        ("{}".to_owned(), invalid),
        (r#"{"workspace_id":""}"#.to_owned(), invalid),
        (r#"{"workspace_id":null}"#.to_owned(), invalid),
        (r#"{"workspace_id":7}"#.to_owned(), invalid),
        (r#"{"workspace_id":"seven"}"#.to_owned(), bad_id),
        (with(r#""error_rate":"0.9""#), invalid),
        (with(r#""error_rate":1e400"#), invalid),
        (with(r#""error_rate":1e126"#), invalid),
        (with(r#""sample_error":7"#), invalid),
        (with(r#""active_tasks":1.5"#), invalid),
        (with(r#""active_tasks":12.0"#), invalid),
        (with(r#""uptime_seconds":1e3"#), invalid),
        (with(r#""uptime_seconds":99999999999999999999"#), invalid),
        (with(r#""monthly_spend":"5""#), invalid),
        (with(r#""current_task":[]"#), invalid),
        (with(r#""runtime_state":true"#), invalid),
        (with(r#""runtime_metadata":"native""#), invalid),
        (
            with(r#""runtime_metadata":{"capabilities":{"session":1}}"#),
            invalid,
        ),
        (
            with(r#""runtime_metadata":{"capabilities":["session"]}"#),
            invalid,
        ),
        (
            with(r#""runtime_metadata":{"idle_timeout_seconds":1.5}"#),
            invalid,
        ),
    ] {
        let refused = beat(&world, &workspace.token, body.clone()).await;
        assert_eq!(refused.error(), (400, sentence), "{body}");
    }
    let huge = with(&format!(r#""padding":"{}""#, "x".repeat(16 * 1024)));
    let refused = beat(&world, &workspace.token, huge).await.expect(413);
    assert_eq!(
        refused.json,
        json!({"error": "request body too large", "max_bytes": 16_384})
    );
    assert_eq!(world.snapshot(&workspace.id).await, before);
    // What follows the first JSON value is nobody's business.
    let trailing = with(r#""active_tasks":1"#) + "} and more";
    beat(&world, &workspace.token, trailing).await.expect(200);
}

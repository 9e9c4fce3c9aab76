//! `GET /workspaces/{id}/session-search`

use e2e::{STRANGER, Workspace, World, without};
use serde_json::{Value, json};

async fn found(world: &World, of: &Workspace, query: &str) -> Vec<Value> {
    let path = format!("/workspaces/{}/session-search?{query}", of.id);
    let answer = world.get(&path).by(of).await.expect(200);
    answer.json.as_array().expect("a list").clone()
}

async fn summaries(world: &World, of: &Workspace, query: &str) -> Vec<String> {
    let found = found(world, of, query).await;
    let content = |item: &Value| item["content"].as_str().expect("text").to_owned();
    found.iter().map(content).collect()
}

#[tokio::test]
async fn a_text_is_found_wherever_it_is() {
    let world = World::new();
    let own = world.workspace("Searched").await;
    let other = world.workspace("Other").await;
    let large = format!("{} needle", "hay ".repeat(6000));
    for report in [
        json!({"activity_type": "agent_log", "summary": "one", "request_body": {"q": "Grüße"}}),
        json!({"activity_type": "error", "summary": "two", "response_body": ["AA", 100, "%"]}),
        json!({"activity_type": "task_update", "summary": "Three of them", "method": "grep"}),
        json!({"activity_type": "agent_log", "summary": "four", "status": "half done"}),
        json!({"activity_type": "agent_log", "summary": "five", "response_body": large}),
        json!({"activity_type": "agent_log", "request_body": null}),
    ] {
        world.report(&own, &report).await.expect(200);
        world.report(&other, &report).await.expect(200);
    }
    for (query, expected) in [
        ("", vec!["", "five", "four", "Three of them", "two", "one"]),
        (
            "q=%20%20",
            vec!["", "five", "four", "Three of them", "two", "one"],
        ),
        ("limit=2", vec!["", "five"]),
        ("q=three%20OF", vec!["Three of them"]),
        ("q=GR%C3%BC%C3%9FE", vec!["one"]),
        ("q=aa", vec!["two"]),
        ("q=ERROR", vec!["two"]),
        ("q=grep", vec!["Three of them"]),
        ("q=half", vec!["four"]),
        ("q=needle", vec!["five"]),
        ("q=t_o", vec!["two"]),
        ("q=three%25them", vec!["Three of them"]),
        ("q=agent_log&limit=1", vec![""]),
        ("q=nothing%20like%20it", vec![]),
    ] {
        assert_eq!(summaries(&world, &own, query).await, expected, "{query}");
    }

    let items = found(&world, &own, "q=half").await;
    assert_eq!(
        without(&items[0], &["id", "created_at"]),
        json!({
            "kind": "activity", "workspace_id": own.id, "label": "agent_log", "content": "four",
            "method": "", "status": "half done",
        })
    );
    let items = found(&world, &own, "q=needle").await;
    assert_eq!(items[0]["response_body"], large);
    assert_eq!(items[0].get("request_body"), None);
    let row = &world.activity(&own.id, "limit=2").await[1];
    assert_eq!(items[0]["id"], row["id"]);
    assert_eq!(items[0]["created_at"], row["created_at"]);
}

#[tokio::test]
async fn limits_and_who_may() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    for n in 0..60 {
        let report = json!({"activity_type": "agent_log", "summary": format!("no {n}")});
        world.report(&own, &report).await.expect(200);
    }
    for (limit, count) in [
        ("", 50),
        ("0", 50),
        ("-1", 50),
        ("x", 50),
        ("3", 3),
        ("201", 60),
    ] {
        let query = format!("q=no&limit={limit}");
        assert_eq!(found(&world, &own, &query).await.len(), count, "{limit}");
    }
    let at = |id: &str, query: &str| format!("/workspaces/{id}/session-search{query}");
    let long = format!("?q={}", "x".repeat(257));
    let invalid = (401, "invalid workspace auth token");
    for (path, bearer, expected) in [
        (at(&own.id, ""), "", (401, "missing workspace auth token")),
        (at(&own.id, ""), other.token.as_str(), invalid),
        (at(&own.id, ""), &world.admin, (200, "")),
        (at(STRANGER, ""), &world.admin, (200, "")),
        (at("x", ""), &world.admin, (400, "invalid workspace ID")),
        (
            at(&own.id, &long),
            &world.admin,
            (400, "q may have 256 bytes"),
        ),
    ] {
        let answer = world.get(&path).bearer(bearer).await;
        assert_eq!(answer.error(), expected, "{path:.80}");
    }
}

#[tokio::test]
async fn a_search_that_has_read_enough_says_so() {
    let world = World::new();
    let own = world.workspace("Verbose").await;
    let report = |summary: &str| json!({"activity_type": "agent_log", "summary": summary, "request_body": "x".repeat(200_000)});
    world.report(&own, &report("the oldest")).await.expect(200);
    for _ in 0..25 {
        world.report(&own, &report("more")).await.expect(200);
    }
    let path = format!("/workspaces/{}/session-search", own.id);
    let query = |query: &str| world.get(&format!("{path}?{query}")).by(&own);
    let few = query("q=more&limit=5").await.expect(200);
    assert_eq!(few.header("x-search-truncated"), "");
    // Its summary is looked at, its body was too much.
    let oldest = query("q=the%20oldest").await.expect(200);
    assert_eq!(oldest.header("x-search-truncated"), "true");
    assert_eq!(oldest.json[0]["content"], "the oldest");
    assert_eq!(oldest.json[0].get("request_body"), None);
}

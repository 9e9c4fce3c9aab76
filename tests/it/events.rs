//! `GET /events`, `GET /events/{id}`

use std::collections::BTreeSet;

use e2e::{World, at_once, until, without};
use reqwest::Method;
use serde_json::{Value, json};

/// Name and payload of each event of a workspace, oldest first.
async fn told(world: &World, id: &str) -> Vec<(String, Value)> {
    let mut events = world.events(id).await;
    events.reverse();
    events
}

#[tokio::test]
async fn a_life_is_told_in_order() {
    let world = World::new();
    let workspace = world.workspace("Mayfly").await;
    let child = world.child("Larva", &workspace).await;
    let url = "http://127.0.0.1:9";
    world.register(&workspace, url).await.expect(200);
    for beat in [
        json!({"runtime_state": "wedged", "sample_error": "stuck"}),
        json!({}),
        json!({"error_rate": 0.75, "sample_error": "flaky"}),
        json!({"current_task": "told, not kept"}),
        json!({}),
    ] {
        world.beat(&workspace, beat).await.expect(200);
    }
    let card = json!({"name": "Mayfly", "version": 1.0, "skills": [null]});
    let update = world.post("/registry/update-card").bearer(&workspace.token);
    let body = json!({"workspace_id": workspace.id, "agent_card": card});
    update.json(&body).await.expect(200);
    world.delete(&workspace.id).await;

    let event = |name: &str, payload| (name.to_owned(), payload);
    assert_eq!(
        told(&world, &workspace.id).await,
        [
            event(
                "WORKSPACE_PROVISIONING",
                json!({"name": "Mayfly", "tier": 3, "runtime": "external"})
            ),
            event(
                "WORKSPACE_AWAITING_AGENT",
                json!({"name": "Mayfly", "external": true})
            ),
            event(
                "WORKSPACE_ONLINE",
                json!({"url": url, "agent_card": {"name": "test"}})
            ),
            event(
                "WORKSPACE_DEGRADED",
                json!({"runtime_state": "wedged", "sample_error": "stuck"})
            ),
            event("WORKSPACE_ONLINE", json!({})),
            event(
                "WORKSPACE_DEGRADED",
                json!({"error_rate": 0.75, "sample_error": "flaky"})
            ),
            event("WORKSPACE_ONLINE", json!({})),
            event("AGENT_CARD_UPDATED", json!({"agent_card": card})),
            event("WORKSPACE_REMOVED", json!({"cascade_deleted": 1})),
        ]
    );
    let of_child = told(&world, &child.id).await;
    assert_eq!(of_child[2..], [event("WORKSPACE_REMOVED", json!({}))]);
}

#[tokio::test]
async fn both_lists_show_the_same_rows_newest_first() {
    let world = World::new();
    let all = until(5, "its newest event among the newest 100", || async {
        let (workspace, _agent) = world.online("Newcomer").await;
        let all = world.get("/events").bearer(&world.admin).await.expect(200);
        let path = format!("/events/{}", workspace.id);
        let one = world.get(&path).bearer(&world.admin).await.expect(200);
        let all = all.json.as_array().expect("a list").clone();
        let mine = all.iter().filter(|row| row["workspace_id"] == workspace.id);
        let mine: Vec<_> = mine.cloned().collect();
        // Others may have pushed it out of the list meanwhile.
        (json!(mine) == one.json && mine.len() == 3).then_some(all)
    })
    .await;

    assert!(all.len() <= 100, "{}", all.len());
    for row in &all {
        let rest = without(row, &["id", "event_type", "payload", "created_at"]);
        assert_eq!(rest, json!({"workspace_id": row["workspace_id"]}));
        assert!(row["payload"].is_object());
        assert!(row["created_at"].as_str().expect("a time").ends_with('Z'));
    }
    // Ids sort by time.
    let ids: Vec<_> = all.iter().map(|row| row["id"].as_str()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
}

#[tokio::test]
async fn the_newest_hundred_are_shown() {
    let world = World::new();
    let workspace = world.workspace("Chatty").await;
    let update = |n: usize| {
        let update = world.post("/registry/update-card").bearer(&workspace.token);
        update.json(&json!({"workspace_id": workspace.id, "agent_card": n}))
    };
    update(0).await.expect(200);
    for ten in 0..10 {
        let calls = (1..=10).map(|n| update(10 * ten + n));
        assert!(
            at_once(calls)
                .await
                .iter()
                .all(|answer| answer.status == 200)
        );
    }
    let events = world.events(&workspace.id).await;
    let cards = events
        .iter()
        .map(|(_, payload)| payload["agent_card"].as_u64());
    let cards: BTreeSet<_> = cards.collect();
    assert_eq!(cards, (1..=100).map(Some).collect());
    assert_eq!(events.len(), 100);
    let all = world.get("/events").bearer(&world.admin).await.expect(200);
    assert_eq!(all.json.as_array().map(Vec::len), Some(100));
}

#[tokio::test]
async fn only_operators_see_them() {
    let world = World::new();
    let workspace = world.workspace("Curious").await;
    let own = format!("/events/{}", workspace.id);
    for path in ["/events", &own] {
        for (bearer, expected) in [
            (None, (401, "admin auth required")),
            (Some("x"), (401, "invalid admin auth token")),
            (Some(&*workspace.token), (401, "invalid admin auth token")),
            (Some(&*world.admin), (200, "")),
        ] {
            let call = world.get(path);
            let call = match bearer {
                Some(token) => call.bearer(token),
                None => call,
            };
            assert_eq!(call.await.error(), expected, "{path} {bearer:?}");
        }
    }
    let unknown = format!("/events/{}", uuid::Uuid::new_v4());
    let answer = world.get(&unknown).bearer(&world.admin).await.expect(200);
    assert_eq!(answer.json, json!([]));
    let no_id = world.get("/events/x").bearer(&world.admin).await;
    assert_eq!(no_id.error(), (400, "invalid workspace ID"));
    for method in [Method::POST, Method::DELETE] {
        let call = world.call(method, "/events").bearer(&world.admin);
        assert_eq!(call.await.status, 404);
    }
}

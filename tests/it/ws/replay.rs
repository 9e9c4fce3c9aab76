//! Coming back with `?since=`.

use e2e::{Listener, World};
use serde_json::{Value, json};

async fn back(token: &str, since: &str) -> Listener {
    let bearer = format!("Bearer {token}");
    let query = format!("?since={since}");
    let open = Listener::open(&query, &[("authorization", &bearer)]).await;
    open.expect("open")
}

#[tokio::test]
async fn what_was_missed_is_told_in_order_and_then_that_it_was_all() {
    let world = World::new();
    let workspace = world.workspace("Absent").await;
    let listener = Listener::workspace(&workspace).await;
    let card = async |n: usize| {
        let update = world.post("/registry/update-card").bearer(&workspace.token);
        let body = json!({"workspace_id": workspace.id, "agent_card": n});
        update.json(&body).await.expect(200);
    };
    card(0).await;
    let last = listener.told(&workspace.id, "AGENT_CARD_UPDATED").await;
    listener.close().await;
    for n in 1..=20 {
        card(n).await;
    }
    let last = last["id"].as_str().expect("an id");
    let listener = back(&workspace.token, last).await;
    let done = listener.told("", "REPLAY_COMPLETE").await;
    assert_eq!(done["payload"]["more"], false);
    // What was late for the first relay comes as news, between what is told again: ids are in order.
    let mut cards = listener.about(&workspace.id);
    cards.sort_by_key(|frame| frame["id"].as_str().map(str::to_owned));
    let cards: Vec<_> = cards
        .into_iter()
        .filter(|frame| frame["id"].as_str() > Some(last))
        .map(|frame| frame["payload"]["agent_card"].clone())
        .collect();
    assert_eq!(cards, (1..=20).map(Value::from).collect::<Vec<_>>());

    // From then on it is told what happens.
    card(21).await;
    e2e::until(60, "the next one", || async {
        let cards = listener.about(&workspace.id);
        cards
            .iter()
            .any(|it| it["payload"]["agent_card"] == 21)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn workspaces_miss_what_is_not_their_business() {
    let world = World::new();
    let top = world.workspace("Top").await;
    let (a, b) = (world.child("A", &top).await, world.child("B", &top).await);
    let below = world.child("Below", &b).await;
    let long_ago = "01900000-0000-7000-8000-000000000000";
    let seen = world.events(&below.id).await;
    assert!(!seen.is_empty());
    let path = format!("/events/{}", top.id);
    let log = world.get(&path).bearer(&world.admin).await.expect(200).json;
    let first = log.as_array().and_then(|all| all.last()).expect("an event");
    let since = first["id"].as_str().unwrap_or(long_ago);
    let listener = back(&a.token, since).await;
    listener.told("", "REPLAY_COMPLETE").await;
    assert!(!listener.about(&b.id).is_empty());
    assert!(!listener.about(&top.id).is_empty());
    assert!(listener.about(&below.id).is_empty());
}

#[tokio::test]
async fn a_thousand_at_most_and_then_it_says_so() {
    let world = World::new();
    let backstage = e2e::Backstage::new().await;
    let top = world.workspace("Top").await;
    // It sees nothing of other tests.
    let workspace = world.child("Busy", &top).await;
    let path = format!("/events/{}", workspace.id);
    let log = world.get(&path).bearer(&world.admin).await.expect(200).json;
    let mut since = log[0]["id"].as_str().expect("an id").to_owned();
    backstage.write_events(&workspace, 1005).await;
    let mut told = std::collections::BTreeSet::new();
    for (replayed, more) in [(1000, true), (5, false)] {
        let listener = back(&workspace.token, &since).await;
        let done = listener.told("", "REPLAY_COMPLETE").await;
        assert_eq!(done["payload"]["replayed"], replayed);
        assert_eq!(done["payload"]["more"], more);
        let next = done["payload"]["since"].as_str().expect("an id");
        assert!(next > since.as_str());
        next.clone_into(&mut since);
        let frames = listener.about(&workspace.id).into_iter();
        told.extend(frames.filter_map(|frame| frame["payload"]["agent_card"].as_u64()));
    }
    assert_eq!(told, (0..1005).collect());
}

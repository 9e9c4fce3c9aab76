//! Coming back with `?since=`.

use e2e::{Listener, World};
use serde_json::{Value, json};

async fn back(world: &World, since: &str) -> Listener {
    let bearer = format!("Bearer {}", world.admin);
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
    let bearer = format!("Bearer {}", workspace.token);
    let headers = [("authorization", bearer.as_str())];
    let listener = Listener::open(&format!("?since={last}"), &headers).await;
    let listener = listener.expect("open");
    let done = listener.told("", "REPLAY_COMPLETE").await;
    assert_eq!(done["payload"]["more"], false);
    let cards = listener.about(&workspace.id).into_iter();
    let cards: Vec<_> = cards
        .filter(|frame| frame["id"].as_str() > Some(last))
        .map(|frame| frame["payload"]["agent_card"].clone())
        .collect();
    assert_eq!(cards, (1..=20).map(Value::from).collect::<Vec<_>>());

    // From then on it is told what happens.
    card(21).await;
    e2e::until(10, "the next one", || async {
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
    let bearer = format!("Bearer {}", a.token);
    let headers = [("authorization", bearer.as_str())];
    let listener = Listener::open(&format!("?since={since}"), &headers).await;
    let listener = listener.expect("open");
    listener.told("", "REPLAY_COMPLETE").await;
    assert!(!listener.about(&b.id).is_empty());
    assert!(!listener.about(&top.id).is_empty());
    assert!(listener.about(&below.id).is_empty());
}

#[tokio::test]
async fn a_thousand_at_most_and_then_it_says_so() {
    let world = World::new();
    let backstage = e2e::Backstage::new().await;
    let workspace = world.workspace("Busy").await;
    let path = format!("/events/{}", workspace.id);
    let log = world.get(&path).bearer(&world.admin).await.expect(200).json;
    let since = log[0]["id"].as_str().expect("an id").to_owned();
    backstage.write_events(&workspace, 1005).await;
    let listener = back(&world, &since).await;
    let done = e2e::until(60, "the end of the replay", || async {
        let frames = listener.frames();
        frames
            .into_iter()
            .find(|it| it["event"] == "REPLAY_COMPLETE")
    })
    .await;
    assert_eq!(done["payload"]["replayed"], 1000);
    assert_eq!(done["payload"]["more"], true);
    let next = done["payload"]["since"].as_str().expect("an id").to_owned();
    assert!(next > since);
    // The rest by the id it names.
    let listener = back(&world, &next).await;
    listener.told("", "REPLAY_COMPLETE").await;
    let rest = listener.about(&workspace.id);
    let cards: Vec<_> = rest.iter().map(|it| &it["payload"]["agent_card"]).collect();
    for n in 1000..1005 {
        assert!(cards.contains(&&json!(n)), "{n}");
    }
}

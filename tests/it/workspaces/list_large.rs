//! `GET /workspaces`, `GET /registry/{id}/peers` where the cards together are more than an answer carries.

use domain::{Mode, WorkspaceId};
use e2e::counted::InProcess;
use edge::Reply;
use jiff::Timestamp;
use serde_json::{Value, json};

/// More than six megabytes of cards.
const COUNT: usize = 110;
const LENGTH: usize = 60_000;

#[tokio::test]
async fn the_last_cards_are_shortened_and_nobody_is_left_out() {
    let inside = InProcess::apart(Mode::Strict).await;
    let root = inside.workspace("Root").await;
    let card = |n: usize| json!({"name": format!("Agent {n}"), "text": "x".repeat(LENGTH)});
    for n in 0..COUNT {
        let child = inside.child(&format!("Child {n}"), &root).await;
        let id: WorkspaceId = child.id.parse().expect("an id");
        let store = &inside.app.store;
        let written = store.update_card(id, &card(n), Timestamp::now()).await;
        assert!(written.expect("written"));
    }
    let peers = format!("/registry/{}/peers", root.id);
    let peers = inside.get(&peers).bearer(&root.token);
    let peers = peers.header("X-Workspace-ID", &root.id);
    let list = inside.get("/workspaces").bearer(&inside.admin);
    for (what, call, count) in [("peers", peers, COUNT), ("list", list, COUNT + 1)] {
        let answer = call.await.expect(200);
        assert!(Reply::measure(&answer.bytes) <= Reply::MAX_BODY, "{what}");
        let rows = answer.json.as_array().expect("a list").clone();
        assert_eq!(rows.len(), count, "{what}");
        let cards: Vec<&Value> = rows.iter().map(|row| &row["agent_card"]).collect();
        let whole = |card: &&&Value| card["text"].as_str().is_some_and(|it| it.len() == LENGTH);
        let short = |card: &&&Value| card["truncated"] == true;
        let counts = (
            cards.iter().filter(whole).count(),
            cards.iter().filter(short).count(),
        );
        assert_eq!(counts.0 + counts.1, COUNT, "{what}");
        assert!(counts.0 > 50 && counts.1 > 5, "{what}: {counts:?}");
        for card in cards.iter().filter(short) {
            let name = card["name"].as_str().expect("a name");
            assert!(name.starts_with("Agent "), "{card}");
        }
    }
}

//! Fifty listeners, five hundred events, and a relay that is killed twice.

use std::{collections::HashSet, fs};

use e2e::{Listener, World, until};
use serde_json::{Value, json};

const CLIENTS: usize = 50;
const PEOPLE: usize = 5;
const WORKSPACES: usize = 10;
/// Of each workspace: with its creation they are 50.
const UPDATES: usize = 48;

/// Ends the relay's processes of the stack under test, as a crash does.
fn kill_relay() -> usize {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("set by `make test`");
    let mut killed = 0;
    for entry in fs::read_dir("/proc").expect("processes").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.parse::<u32>().is_err() {
            continue;
        }
        let Ok(environment) = fs::read(entry.path().join("environ")) else {
            continue;
        };
        let set: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        let has = |text: String| set.contains(&text.as_bytes());
        if has("_HANDLER=events.relay".to_owned()) && has(format!("AWS_ENDPOINT_URL={endpoint}")) {
            let kill = std::process::Command::new("kill")
                .args(["-9", &name])
                .status();
            killed += usize::from(kill.is_ok_and(|status| status.success()));
        }
    }
    killed
}

/// The cards of a workspace's events, in the order in which they came first.
fn cards(listener: &Listener, id: &str) -> Vec<Value> {
    let frames = listener.about(id).into_iter();
    let cards = frames.filter(|frame| frame["event"] == "AGENT_CARD_UPDATED");
    cards
        .map(|frame| frame["payload"]["agent_card"].clone())
        .collect()
}

#[tokio::test]
async fn fifty_listeners_see_all_of_it_once_and_in_order_though_the_relay_dies_twice() {
    let world = World::new();
    let top = world.workspace("Top").await;
    // It sees the others and their parent, and nothing of other tests.
    let witness = world.child("Witness", &top).await;
    let mut listeners = Vec::new();
    for n in 0..CLIENTS {
        listeners.push(if n < PEOPLE {
            Listener::person(&world.admin).await
        } else {
            Listener::workspace(&witness).await
        });
    }
    let mut workspaces = Vec::new();
    for n in 0..WORKSPACES {
        workspaces.push(world.child(&format!("Child {n}"), &top).await);
    }
    let update = async |n: usize| {
        for workspace in &workspaces {
            let update = world.post("/registry/update-card").bearer(&workspace.token);
            let body = json!({"workspace_id": workspace.id, "agent_card": n});
            update.json(&body).await.expect(200);
        }
    };
    let mut killed = Vec::new();
    for n in 0..UPDATES {
        update(n).await;
        if n == UPDATES / 3 || n == 2 * UPDATES / 3 {
            killed.push(kill_relay());
        }
    }
    assert!(
        killed.iter().all(|count| *count > 0),
        "nothing was killed: {killed:?}"
    );

    let expected: Vec<Value> = (0..UPDATES).map(Value::from).collect();
    for (n, listener) in listeners.iter().enumerate() {
        for workspace in &workspaces {
            let what = format!("all of {} at listener {n}", workspace.id);
            until(180, &what, || async {
                (cards(listener, &workspace.id).len() >= UPDATES).then_some(())
            })
            .await;
            assert_eq!(cards(listener, &workspace.id), expected, "{what}");
        }
    }
    // Each listener against the log: all of it, and nothing that is not in it.
    for workspace in &workspaces {
        let path = format!("/events/{}", workspace.id);
        let log = world.get(&path).bearer(&world.admin).await.expect(200).json;
        let log = log.as_array().expect("a list").iter().rev();
        let log: Vec<String> = log.map(|row| row["id"].to_string()).collect();
        assert_eq!(log.len(), 50);
        let kept: HashSet<&String> = log.iter().collect();
        for listener in &listeners {
            let frames = listener.about(&workspace.id);
            let ids = frames.iter().map(|frame| frame["id"].to_string());
            let told: Vec<String> = ids.filter(|id| kept.contains(id)).collect();
            assert_eq!(told, log, "of {}", workspace.id);
        }
    }
    let frames: usize = listeners.iter().map(|it| it.frames().len()).sum();
    e2e::counted::show(&format!(
        "relay: {CLIENTS} listeners, {} events, killed {killed:?} processes, {frames} frames",
        WORKSPACES * 50
    ));
}

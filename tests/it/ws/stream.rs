//! `GET /workspaces/{id}/events/stream`

use e2e::{Backstage, Listener, Workspace, World, until};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Before everything.
const FIRST: &str = "01900000-0000-7000-8000-000000000000";

/// One answer.
#[derive(Debug)]
struct Answer {
    /// The events: ids and data.
    told: Vec<(String, Value)>,
    /// Where the next answer goes on, as an `EventSource` takes it: the last id there was.
    place: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        assert!(text.starts_with(": ping\n\n"), "{text}");
        let (mut told, mut place) = (Vec::new(), String::new());
        for block in text.split("\n\n") {
            let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(id) = line("id: ") {
                place = id.to_owned();
                if let Some(data) = line("data: ") {
                    told.push((place.clone(), serde_json::from_str(data).expect("JSON")));
                }
            }
        }
        Self { told, place }
    }

    /// The data of the events of one name.
    fn of(&self, name: &str) -> Vec<&Value> {
        let data = self.told.iter().map(|(_, data)| data);
        data.filter(|data| data["type"] == name).collect()
    }
}

fn path(id: &str) -> String {
    format!("/workspaces/{id}/events/stream")
}

/// Neither caches nor proxies may keep anything of it.
fn assert_headers(answer: &e2e::Answer) {
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("x-accel-buffering"), "no");
}

async fn since(world: &World, workspace: &Workspace, place: &str) -> Answer {
    let call = world.get(&path(&workspace.id)).bearer(&workspace.token);
    let answer = call.header("last-event-id", place).await.expect(200);
    assert_headers(&answer);
    Answer::read(std::str::from_utf8(&answer.bytes).expect("text"))
}

async fn works_on(world: &World, workspace: &Workspace, task: &str) {
    let beat = world.beat(workspace, json!({"current_task": task})).await;
    beat.expect(200);
}

#[tokio::test]
async fn what_happens_to_one_workspace_streams_and_goes_on_from_the_last_id() {
    let world = World::new();
    let workspace = world.workspace("Streamed").await;
    let child = world.child("Not streamed", &workspace).await;
    let waiting = world.get(&path(&workspace.id)).bearer(&workspace.token);
    let waiting = tokio::spawn(waiting.into_future());
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    works_on(&world, &child, "x").await;
    works_on(&world, &workspace, "y").await;
    let answer = waiting.await.expect("an answer").expect(200);
    let mut answer = Answer::read(std::str::from_utf8(&answer.bytes).expect("text"));
    if answer.of("TASK_UPDATED").is_empty() {
        // The sign of life was there a moment before its event.
        answer = since(&world, &workspace, &answer.place).await;
    }
    let told = answer.of("TASK_UPDATED");
    assert_eq!(told.len(), 1, "{answer:?}");
    let payload = json!({"current_task": "y", "active_tasks": 0});
    assert_eq!(told[0]["data"], payload);
    assert!(told[0]["timestamp"].as_i64() > Some(1_700_000_000_000));

    works_on(&world, &workspace, "z").await;
    let next = since(&world, &workspace, &answer.place).await;
    let told = next.of("TASK_UPDATED");
    assert_eq!(told.len(), 1, "no repeats: {next:?}");
    assert_eq!(told[0]["data"]["current_task"], "z");
}

#[tokio::test]
async fn what_is_pushed_streams_too() {
    let world = World::new();
    let person = Listener::person(&world.admin).await;
    let (workspace, _agent) = world.online("Talker").await;
    let files = json!([{"uri": "workspace:/a", "name": "a.txt", "size": 3}]);
    let notify = world.notify(&workspace.id).bearer(&workspace.token);
    let message = json!({"message": "done", "attachments": files});
    notify.json(&message).await.expect(200);
    // One answer is in its row, the other one in the bucket.
    for text in ["hello", &*"long ".repeat(5000)] {
        world.message(&workspace.id, text).await.expect(200);
    }
    works_on(&world, &workspace, "reading").await;
    let pushed = until(60, "all of it", || async {
        let frames = person.about(&workspace.id);
        let count = |name| frames.iter().filter(|frame| frame["event"] == name).count();
        let all = count("A2A_RESPONSE") == 2
            && count("AGENT_MESSAGE") == 1
            && count("TASK_UPDATED") == 1
            && count("WORKSPACE_HEARTBEAT") > 0;
        all.then_some(frames)
    })
    .await;

    let answer = since(&world, &workspace, FIRST).await;
    let ids: Vec<_> = answer.told.iter().map(|(id, _)| id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    let mut heartbeats = 0;
    for (id, data) in &answer.told {
        if data["type"] == "WORKSPACE_HEARTBEAT" {
            // The last one there was, whether or not a socket was told each.
            heartbeats += 1;
            continue;
        }
        let frame = pushed.iter().find(|frame| frame["id"] == **id);
        let frame = frame.unwrap_or_else(|| panic!("not pushed: {data}"));
        assert_eq!(frame["event"], data["type"]);
        assert_eq!(frame["payload"], data["data"]);
    }
    assert_eq!(heartbeats, 1, "{answer:?}");
    for frame in pushed
        .iter()
        .filter(|it| it["event"] != "WORKSPACE_HEARTBEAT")
    {
        let is_told = ids.iter().any(|id| frame["id"] == **id);
        assert!(is_told, "not streamed: {frame}");
    }
}

#[tokio::test]
async fn an_event_that_is_committed_late_is_told_by_the_next_answer_and_once() {
    let world = World::new();
    let backstage = Backstage::new().await;
    let workspace = world.workspace("Late").await;
    let answer = since(&world, &workspace, FIRST).await;
    assert!(!answer.told.is_empty());
    works_on(&world, &workspace, "first").await;
    let answer = since(&world, &workspace, &answer.place).await;
    let late = SignedDuration::from_secs(4);
    backstage.write_late_event(&workspace, late).await;
    let next = since(&world, &workspace, &answer.place).await;
    assert_eq!(next.of("AGENT_CARD_UPDATED").len(), 1, "{next:?}");
    works_on(&world, &workspace, "second").await;
    let next = since(&world, &workspace, &next.place).await;
    assert!(next.of("AGENT_CARD_UPDATED").is_empty(), "{next:?}");
}

#[tokio::test]
async fn many_at_once_come_in_parts_all_of_them_once_and_in_their_order() {
    const COUNT: usize = 330;
    let world = World::new();
    let backstage = Backstage::new().await;
    let workspace = world.workspace("Many").await;
    backstage.write_events(&workspace, COUNT).await;
    // 90 KB each: the sixty of them are more than one answer carries.
    backstage.write_long_events(&workspace, 60, 90_000).await;
    let (mut told, mut answer) = (Vec::new(), since(&world, &workspace, FIRST).await);
    loop {
        assert!(answer.told.len() <= 100);
        let cards = answer.of("AGENT_CARD_UPDATED").into_iter();
        told.extend(cards.map(|data| data["data"]["agent_card"].as_u64()));
        if told.len() >= COUNT + 60 {
            break;
        }
        assert!(!answer.told.is_empty(), "{} of them came", told.len());
        answer = since(&world, &workspace, &answer.place).await;
    }
    let all: Vec<_> = (0..COUNT as u64).chain(0..60).map(Some).collect();
    assert_eq!(told, all);
}

#[tokio::test]
async fn only_the_workspace_itself_and_operators_may_read_it() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let path_of_own = path(&own.id);
    for (bearer, status) in [("", 401), (&*other.token, 401), (&*world.admin, 200)] {
        let call = world.get(&path_of_own).bearer(bearer);
        let answer = call.header("last-event-id", FIRST).await;
        assert_eq!(answer.status, status);
    }
    let never = "ffffffff-ffff-7fff-8fff-ffffffffffff";
    for bad in ["x", "~", &format!("{FIRST}~x"), never] {
        let call = world.get(&path_of_own).bearer(&own.token);
        let answer = call.header("last-event-id", bad).await;
        assert_eq!(answer.error(), (400, "invalid event ID"), "{bad}");
    }
    let answer = world.get(&path(e2e::STRANGER)).bearer(&world.admin).await;
    assert_eq!(answer.error(), (404, "workspace not found"));
}

#[tokio::test]
async fn a_removed_workspace_is_there_for_operators_and_its_end_is_told() {
    let world = World::new();
    let workspace = world.workspace("Removed").await;
    world.delete(&workspace.id).await.expect(200);
    let call = world.get(&path(&workspace.id)).bearer(&world.admin);
    let answer = call.header("last-event-id", FIRST).await.expect(200);
    assert_headers(&answer);
    let answer = Answer::read(std::str::from_utf8(&answer.bytes).expect("text"));
    assert_eq!(answer.of("WORKSPACE_REMOVED").len(), 1, "{answer:?}");
    // Its own token went with it.
    let own = world.get(&path(&workspace.id)).bearer(&workspace.token);
    own.header("last-event-id", FIRST).await.expect(401);
}

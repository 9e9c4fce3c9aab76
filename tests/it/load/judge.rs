//! What must hold once everything has ended, seen through the API.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    env,
    time::Duration,
};

use aws_sdk_sqs::types::QueueAttributeName;
use e2e::World;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    crowd::{Crowd, Had},
    drive::{Heard, Letter},
};

/// How many looks are under way at once.
const AT_ONCE: usize = 8;
/// The queues whose addresses `make test` tells.
const QUEUES: [&str; 5] = [
    "DELIVERIES_QUEUE_URL",
    "PROVISION_QUEUE_URL",
    "STOP_QUEUE_URL",
    "RESTARTS_QUEUE_URL",
    "RELAY_DEAD_QUEUE_URL",
];

/// Waits until nobody waits and nothing runs; what is left after `patience`.
pub(super) async fn drained(world: &World, crowd: &Crowd, patience: Duration) -> Vec<Value> {
    let ours: HashSet<&str> = crowd.workspaces.iter().map(|it| it.id.as_str()).collect();
    let end = Instant::now() + patience;
    loop {
        let shown = world.get("/admin/a2a-queue").bearer(&world.admin).await;
        let shown = shown.expect(200).json;
        let queues = shown["queues"].as_array().expect("a list").iter();
        let left = |row: &&Value| {
            let id = row["workspace_id"].as_str().unwrap_or_default();
            ours.contains(id)
        };
        let left: Vec<Value> = queues.filter(left).cloned().collect();
        if left.is_empty() || Instant::now() > end {
            return left;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Every message has one result, which its agent gave; what is wrong with the others, a sentence each.
/// `most` is how often an agent may have been given one at most, beside the times it said it is busy.
pub(super) async fn complaints(
    world: &World,
    crowd: &Crowd,
    letters: &[Letter],
    most: usize,
) -> Vec<String> {
    let facts = Facts {
        world,
        crowd,
        had: crowd.had(),
        rows: rows(world, crowd).await,
        most,
    };
    let looks: Vec<_> = letters.iter().map(|letter| facts.of(letter)).collect();
    let wrong: Vec<Vec<String>> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let known: HashSet<&String> = letters.iter().map(|letter| &letter.message.id).collect();
    let strange = facts.had.keys().filter(|id| !known.contains(id));
    let strange = strange.map(|id| format!("{id}: nobody sent it"));
    wrong.into_iter().flatten().chain(strange).collect()
}

/// What is known of all messages.
struct Facts<'a> {
    world: &'a World,
    crowd: &'a Crowd,
    had: HashMap<String, Had>,
    rows: Vec<HashMap<String, Vec<Value>>>,
    most: usize,
}

impl Facts<'_> {
    /// What is wrong with a message.
    async fn of(&self, letter: &Letter) -> Vec<String> {
        let (id, to) = (letter.message.id.as_str(), letter.message.to);
        let mut wrong = Vec::new();
        let mut results = results(self.world, self.crowd, letter, &mut wrong).await;
        let rows = self.rows[to].get(id).cloned().unwrap_or_default();
        results.extend(rows.iter().map(|row| text(&row["response_body"])));
        results.sort();
        results.dedup();
        let had = self.had.get(id).cloned().unwrap_or_default();
        let given = |result: &String| (1..=had.answered).any(|n| *result == format!("{id}/{n}"));
        match results.as_slice() {
            [one] if given(one) => {}
            other => wrong.push(format!("its results are {other:?}")),
        }
        if rows.len() != 1 || rows.iter().any(|row| row["status"] != "ok") {
            wrong.push(format!("its rows are {rows:?}"));
        }
        if had.answered == 0 || had.came > had.refused + self.most {
            wrong.push(format!("its agent {had:?}"));
        }
        let said = |what| format!("{id}: {what}; {letter:?}");
        wrong.into_iter().map(said).collect()
    }
}

/// What its senders were told, at once or later.
async fn results(
    world: &World,
    crowd: &Crowd,
    letter: &Letter,
    wrong: &mut Vec<String>,
) -> Vec<String> {
    let to = &crowd.workspaces[letter.message.to].id;
    let mut results = Vec::new();
    for heard in letter.last() {
        match heard {
            Heard::Result(text) => results.push(text.clone()),
            Heard::Kept(id) => {
                let request = world.request(to, id).await;
                if request["state"] != "completed" {
                    wrong.push(format!("it ended so: {request}"));
                }
                results.push(text(&request["result"]));
            }
            Heard::Beat | Heard::Away | Heard::Odd(..) => wrong.push(format!("heard {heard:?}")),
        }
    }
    results
}

fn text(reply: &Value) -> String {
    let text = reply["result"]["parts"][0]["text"].as_str();
    text.unwrap_or_default().to_owned()
}

/// Of each workspace: what its log says of messages to it, by their ids.
async fn rows(world: &World, crowd: &Crowd) -> Vec<HashMap<String, Vec<Value>>> {
    let each = crowd.workspaces.iter().map(|own| async {
        let mut by_id: HashMap<String, Vec<Value>> = HashMap::new();
        for row in world.activity(&own.id, "type=a2a_receive&limit=500").await {
            let message = &row["request_body"]["params"]["message"];
            let id = message["messageId"].as_str().unwrap_or_default();
            by_id.entry(id.to_owned()).or_default().push(row);
        }
        by_id
    });
    let each: Vec<_> = each.collect();
    stream::iter(each).buffered(AT_ONCE).collect().await
}

/// How many messages each queue has, and how many of them somebody holds; the dead letters last. For
/// who is alone with the stack.
pub(super) async fn queues(world: &World) -> BTreeMap<String, (u64, u64)> {
    let sdk = edge::sdk_config().load().await;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let mut found = BTreeMap::new();
    for queue in QUEUES {
        let url = env::var(queue).expect("set by `make test`");
        let call = sqs.get_queue_attributes().queue_url(url);
        let call = call.set_attribute_names(Some(names.to_vec()));
        let attributes = call.send().await.expect("the emulator answers").attributes;
        let attributes = attributes.unwrap_or_default();
        let number = |name| attributes.get(name).and_then(|text| text.parse().ok());
        let [there, held] = names.each_ref().map(|name| number(name).expect("a number"));
        let name = queue.trim_end_matches("_QUEUE_URL").to_lowercase();
        found.insert(name, (there, held));
    }
    let shown = world.get("/admin/a2a-queue").bearer(&world.admin).await;
    let dead = shown.expect(200).json["dlq"]["depth"].as_u64();
    found.insert("deliveries_dead".to_owned(), (dead.expect("a number"), 0));
    found
}

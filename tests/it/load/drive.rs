//! Sending by the clock: what is due is sent, whether or not what was sent before has been answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use e2e::{Answer, Call, World};
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    crowd::Crowd,
    size::{AT_ONCE, Message, Size},
};

/// How often a message is sent again while the platform says that it cannot be sent.
const MOST_TRIES: usize = 40;

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// 200, with the agent's text.
    Result(String),
    /// 202, with the id to ask for.
    Kept(String),
    /// 200 of a heartbeat.
    Beat,
    /// 503 `platform_unavailable`: to be sent again.
    Away,
    /// None of these: the status and the body. A body without `error` is not from us.
    Odd(u16, String),
}

/// One call and its answer.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// What was heard.
    pub(super) heard: Heard,
    /// After how long.
    pub(super) took: Duration,
}

/// A message and all that was heard of it.
#[derive(Debug)]
pub(super) struct Letter {
    /// The message.
    pub(super) message: Message,
    /// By each of those who sent it, in order.
    pub(super) senders: Vec<Vec<Sent>>,
    /// How long after it was due it was sent.
    pub(super) late: Duration,
}

impl Letter {
    /// What was heard at last by each sender.
    pub(super) fn last(&self) -> impl Iterator<Item = &Heard> {
        let last = self.senders.iter().filter_map(|sent| sent.last());
        last.map(|sent| &sent.heard)
    }

    /// All calls.
    pub(super) fn sent(&self) -> impl Iterator<Item = &Sent> {
        self.senders.iter().flatten()
    }
}

/// Who sends and beats.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    pub(super) world: World,
    pub(super) crowd: Crowd,
    doors: Arc<Semaphore>,
    stop: Arc<AtomicBool>,
}

impl Driver {
    pub(super) fn new(world: World, crowd: Crowd) -> Self {
        Self {
            world,
            crowd,
            doors: Arc::new(Semaphore::new(AT_ONCE)),
            stop: Arc::default(),
        }
    }

    /// Sends all of these when they are due.
    pub(super) async fn send_all(&self, messages: Vec<Message>) -> Vec<Letter> {
        let start = Instant::now();
        let mut under_way = JoinSet::new();
        for message in messages {
            let due = start + message.at;
            sleep_until(due).await;
            let driver = self.clone();
            under_way.spawn(async move {
                let door = driver.doors.acquire().await.expect("open");
                let late = due.elapsed();
                let first = driver.send(&message, 1);
                let senders = if message.twice {
                    let second = async {
                        sleep(Duration::from_millis(100)).await;
                        driver.send(&message, 2).await
                    };
                    let (first, second) = tokio::join!(first, second);
                    vec![first, second]
                } else {
                    vec![first.await]
                };
                drop(door);
                Letter {
                    message,
                    senders,
                    late,
                }
            });
        }
        under_way.join_all().await
    }

    /// Sends a message until it is taken.
    async fn send(&self, message: &Message, sender: usize) -> Vec<Sent> {
        let mut sent = Vec::new();
        for _ in 0..MOST_TRIES {
            sent.push(self.send_once(message, sender).await);
            if sent.last().is_none_or(|sent| sent.heard != Heard::Away) {
                break;
            }
            let pause = fastrand::u64(500..1500);
            sleep(Duration::from_millis(pause)).await;
        }
        sent
    }

    pub(super) async fn send_once(&self, message: &Message, sender: usize) -> Sent {
        let to = &self.crowd.workspaces[message.to].id;
        let call = self.world.send(to);
        let call = match message.from {
            Some(from) => call.by(&self.crowd.workspaces[from]),
            None => call.bearer(&self.world.admin),
        };
        let body = json!({
            "jsonrpc": "2.0",
            "id": sender,
            "method": "message/send",
            "params": {"message": {
                "role": "user",
                "messageId": message.id,
                "parts": [{"kind": "text", "text": "a message under load"}],
                "metadata": {"work_ms": message.work_ms, "busy": message.busy},
            }},
        });
        ask(call.json(&body), |answer| match answer.status {
            200 if answer.json["id"] == sender => {
                let text = answer.json["result"]["parts"][0]["text"].as_str()?;
                Some(Heard::Result(text.to_owned()))
            }
            202 => Some(Heard::Kept(answer.json["queue_id"].as_str()?.to_owned())),
            _ => None,
        })
        .await
    }

    /// Has every workspace beat until [`Driver::stop`], each from another moment on.
    pub(super) fn beat(&self, size: &Size) -> JoinSet<Vec<Sent>> {
        let mut hearts = JoinSet::new();
        for number in 0..size.workspaces {
            let (driver, every) = (self.clone(), size.beat_every);
            let first = every.mul_f64(fastrand::f64());
            hearts.spawn(async move {
                let (mut due, mut sent) = (Instant::now() + first, Vec::new());
                while !driver.stop.load(Ordering::SeqCst) {
                    if Instant::now() < due {
                        sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                    due += every;
                    sent.push(driver.beat_once(number).await);
                }
                sent
            });
        }
        hearts
    }

    pub(super) async fn beat_once(&self, number: usize) -> Sent {
        let own = &self.crowd.workspaces[number];
        let call = self.world.post("/registry/heartbeat").bearer(&own.token);
        let tasks = self.crowd.working(number);
        let call = call.json(&json!({"workspace_id": own.id, "active_tasks": tasks}));
        ask(call, |answer| (answer.status == 200).then_some(Heard::Beat)).await
    }

    /// Ends the beats.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Makes a call and says what was heard: `good` knows the answers that are fine.
async fn ask(call: Call, good: impl FnOnce(&Answer) -> Option<Heard>) -> Sent {
    let begun = Instant::now();
    // A call without an answer panics, and is one of the odd ones.
    let answer = tokio::spawn(call.into_future()).await;
    let heard = match &answer {
        Ok(answer) => good(answer).unwrap_or_else(|| bad(answer)),
        Err(why) => Heard::Odd(0, why.to_string()),
    };
    Sent {
        heard,
        took: begun.elapsed(),
    }
}

fn bad(answer: &Answer) -> Heard {
    let away = Value::from("platform_unavailable");
    if answer.status == 503 && answer.json["code"] == away {
        return Heard::Away;
    }
    let text: String = String::from_utf8_lossy(&answer.bytes)
        .chars()
        .take(300)
        .collect();
    Heard::Odd(answer.status, text)
}

//! Staying known to the platform: one registration, then heartbeats until the end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

use crate::{agent::Agent, card::card, error::Error};

/// About four minutes in all: a platform that is being deployed answers by then.
const ATTEMPTS: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Heartbeats waiting to be sent. The platform needs the latest, so a full queue loses nothing that matters.
const QUEUE_LENGTH: usize = 64;

#[derive(Debug, Serialize)]
pub(crate) struct Heartbeat {
    pub workspace_id: Uuid,
    /// Share of recent requests that failed, from 0 to 1.
    pub error_rate: f64,
    pub sample_error: &'static str,
    pub active_tasks: u32,
    pub uptime_seconds: u64,
    pub current_task: String,
    /// Cents this month. 0 leaves what the platform has; this agent calls no paid model.
    pub monthly_spend: u64,
    /// `wedged` or nothing.
    pub runtime_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_metadata: Option<RuntimeMetadata>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RuntimeMetadata {
    pub capabilities: BTreeMap<String, bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<u64>,
}

/// Where extra heartbeats are asked for. One sender and one queue keep them in the order things happened.
pub(crate) struct Beats(mpsc::Sender<Extra>);

/// The extra heartbeats asked for.
pub(crate) type Queue = mpsc::Receiver<Extra>;

pub(crate) struct Extra {
    heartbeat: Heartbeat,
    /// Dropped once the platform has answered.
    waiting: Option<oneshot::Sender<()>>,
}

impl Beats {
    pub(crate) fn new() -> (Self, Queue) {
        let (sender, queue) = mpsc::channel(QUEUE_LENGTH);
        (Self(sender), queue)
    }

    pub(crate) fn send(&self, heartbeat: Heartbeat) {
        let waiting = None;
        let _ = self.0.try_send(Extra { heartbeat, waiting });
    }

    /// Returns when the platform has answered, whatever it answered.
    pub(crate) async fn send_and_wait(&self, heartbeat: Heartbeat) {
        let (sender, answered) = oneshot::channel();
        let waiting = Some(sender);
        let _ = self.0.try_send(Extra { heartbeat, waiting });
        let _ = answered.await;
    }
}

/// Registers, then sends heartbeats for as long as the process lives.
pub(crate) async fn register_and_beat(agent: Arc<Agent>, queue: Queue) {
    match register(&agent).await {
        Ok(()) => beat(&agent, queue).await,
        Err(error) => {
            eprintln!("gave up registering after {ATTEMPTS} attempts: {error}");
            agent.stop(1);
        }
    }
}

/// A refusal is tried again like an outage: in development the workspace may be created after its agent.
async fn register(agent: &Agent) -> Result<(), Error> {
    let card = card(&agent.settings.name, &agent.url);
    let mut pause = Duration::from_secs(1);
    let mut attempt = 1;
    loop {
        match agent.platform.register(&agent.url, &card).await {
            Ok(()) => {
                eprintln!(
                    "registered {} as {}",
                    agent.settings.workspace_id, agent.url
                );
                return Ok(());
            }
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(error) => eprintln!("could not register, trying again in {pause:?}: {error}"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        attempt += 1;
    }
}

async fn beat(agent: &Agent, mut queue: Queue) {
    let mut clock = interval(Duration::from_secs(agent.settings.heartbeat_seconds));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (heartbeat, _waiting) = select! {
            _ = clock.tick() => (agent.heartbeat(), None),
            Some(extra) = queue.recv() => (extra.heartbeat, extra.waiting),
        };
        // No retry: the next heartbeat is one, with newer facts.
        if let Err(error) = agent.platform.heartbeat(&heartbeat).await {
            eprintln!("heartbeat not accepted: {error}");
        }
    }
}

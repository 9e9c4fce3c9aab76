//! The agents: they take messages or not, answer or not, and remember what they took.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{RequestId, WorkspaceId, trace::Trace};
use jiff::Timestamp;
use messages::flow::{Exchange, Talks};

use super::{plan::Worker, shared::Shared};

/// All agents of a run.
#[derive(Debug, Clone)]
pub(super) struct Agents {
    shared: Shared,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    agents: BTreeMap<WorkspaceId, Agent>,
    taken: BTreeMap<usize, Vec<Taken>>,
    showed: BTreeMap<WorkspaceId, Vec<Timestamp>>,
}

/// One agent.
#[derive(Debug)]
struct Agent {
    capacity: i64,
    /// When it comes back, if it is away.
    away_until: Option<Timestamp>,
    /// What it works on.
    active: i64,
}

/// A message an agent took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// The request it came with.
    pub(super) request: RequestId,
    /// When.
    pub(super) at: Timestamp,
}

/// What an agent does with a message.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// Works on it and answers.
    Answers { seconds: u64, status: u16 },
    /// Says that it is busy.
    Busy { retry_after: Option<u32> },
    /// Closes the connection at once.
    Closes,
    /// Works on it; the connection breaks.
    Breaks { seconds: u64, takes: bool },
    /// Answers, but the body does not arrive.
    Cuts { seconds: u64 },
    /// Never answers.
    Hangs,
    /// Does not listen.
    Deaf,
    /// Answers something that is no HTTP.
    Babbles,
}

impl Agents {
    pub(super) fn new(shared: Shared, workers: &[Worker]) -> Self {
        let agent = |worker: &Worker| {
            let agent = Agent {
                capacity: worker.capacity,
                away_until: None,
                active: 0,
            };
            (worker.id, agent)
        };
        let state = State {
            agents: workers.iter().map(agent).collect(),
            ..State::default()
        };
        Self {
            shared,
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an agent away until then.
    pub(super) fn away(&self, id: WorkspaceId, until: Timestamp) {
        if let Some(agent) = self.state().agents.get_mut(&id) {
            agent.away_until = Some(until);
        }
    }

    /// How many messages an agent works on; none if it is away.
    pub(super) fn active(&self, id: WorkspaceId) -> Option<i64> {
        let now = self.shared.now();
        let state = self.state();
        let agent = state.agents.get(&id)?;
        agent
            .away_until
            .is_none_or(|until| until <= now)
            .then_some(agent.active)
    }

    /// Notes a heartbeat that shows capacity.
    pub(super) fn shows_capacity(&self, id: WorkspaceId, at: Timestamp) {
        self.state().showed.entry(id).or_default().push(at);
    }

    /// Whether there was such a heartbeat after `since` and until then.
    pub(super) fn showed_capacity(
        &self,
        id: WorkspaceId,
        since: Timestamp,
        then: Timestamp,
    ) -> bool {
        let state = self.state();
        let mut beats = state.showed.get(&id).into_iter().flatten();
        beats.any(|beat| since < *beat && *beat <= then)
    }

    /// What was taken of a message.
    pub(super) fn taken(&self, number: usize) -> Vec<Taken> {
        self.state().taken.get(&number).cloned().unwrap_or_default()
    }

    fn mood(&self, id: WorkspaceId) -> Mood {
        let Some(active) = self.active(id) else {
            return Mood::Deaf;
        };
        let free = {
            let state = self.state();
            state
                .agents
                .get(&id)
                .is_some_and(|agent| active < agent.capacity)
        };
        let moody = self.shared.strikes(|chances| chances.moody);
        self.shared.roll(|rng| {
            let seconds = rng.u64(0..12);
            if !free && rng.bool() {
                return Mood::Busy {
                    retry_after: rng.bool().then(|| rng.u32(1..40)),
                };
            }
            if !moody {
                return Mood::Answers {
                    seconds,
                    status: 200,
                };
            }
            match rng.u8(0..9) {
                0 => Mood::Busy {
                    retry_after: rng.bool().then(|| rng.u32(1..90)),
                },
                1 => Mood::Closes,
                2 => Mood::Breaks {
                    seconds: seconds * 5 + 5,
                    takes: rng.bool(),
                },
                3 => Mood::Cuts { seconds },
                4 => Mood::Hangs,
                5 => Mood::Deaf,
                6 => Mood::Answers {
                    seconds,
                    status: 500,
                },
                7 => Mood::Babbles,
                _ => Mood::Answers {
                    seconds: seconds * 20,
                    status: 200,
                },
            }
        })
    }

    /// The agent has the message, and works on it whether somebody waits or not.
    fn take(&self, id: WorkspaceId, number: usize, request: RequestId, seconds: u64) {
        let at = self.shared.now();
        let mut state = self.state();
        let taken = state.taken.entry(number).or_default();
        taken.push(Taken { request, at });
        if let Some(agent) = state.agents.get_mut(&id) {
            agent.active += 1;
        }
        drop(state);
        let agents = self.clone();
        self.shared.time().spawn(async move {
            agents.shared.sleep(Duration::from_secs(seconds)).await;
            if let Some(agent) = agents.state().agents.get_mut(&id) {
                agent.active -= 1;
            }
        });
    }

    async fn answer(&self, id: WorkspaceId, number: usize, request: RequestId) -> Exchange {
        let shared = &self.shared;
        shared.pause(1..50).await;
        let mood = self.mood(id);
        shared.note(|| format!("  agent {id} on message {number}: {mood:?}"));
        let wait = async |seconds| shared.sleep(Duration::from_secs(seconds)).await;
        match mood {
            Mood::Answers { seconds, status } => {
                self.take(id, number, request, seconds);
                let answer = self.taken(number).len();
                wait(seconds).await;
                let body = format!(r#"{{"message":{number},"answer":{answer}}}"#).into_bytes();
                Exchange::Reply { status, body }
            }
            Mood::Busy { retry_after } => Exchange::Busy {
                why: "busy".to_owned(),
                retry_after,
            },
            Mood::Closes => Exchange::Broken {
                why: "closed".to_owned(),
                at_once: true,
            },
            Mood::Breaks { seconds, takes } => {
                if takes {
                    self.take(id, number, request, seconds);
                }
                wait(seconds).await;
                Exchange::Broken {
                    why: "reset".to_owned(),
                    at_once: false,
                }
            }
            Mood::Cuts { seconds } => {
                self.take(id, number, request, seconds);
                wait(seconds).await;
                Exchange::Lost {
                    status: 200,
                    why: "cut".to_owned(),
                }
            }
            Mood::Hangs => {
                self.take(id, number, request, 120);
                wait(3600).await;
                Exchange::Unreachable {
                    why: "nobody waits so long".to_owned(),
                }
            }
            Mood::Deaf => Exchange::Unreachable {
                why: "refused".to_owned(),
            },
            Mood::Babbles => {
                self.take(id, number, request, 1);
                let why = "babble".to_owned();
                Exchange::Nonsense { why }
            }
        }
    }
}

impl Talks for Agents {
    async fn talk(
        &self,
        url: &str,
        _: Option<IpAddr>,
        body: Vec<u8>,
        _: Option<Trace>,
    ) -> (Exchange, i64) {
        let started = self.shared.now();
        let text = String::from_utf8_lossy(&body);
        let (number, request) = text.split_once(' ').unwrap_or_default();
        let (Ok(id), Ok(number), Ok(request)) = (url.parse(), number.parse(), request.parse())
        else {
            self.shared
                .violation(|| format!("{url} got something else than a message: {text}"));
            let why = "nonsense".to_owned();
            return (Exchange::Unroutable { why }, 0);
        };
        let exchange = self.answer(id, number, request).await;
        let took = self.shared.now().duration_since(started).as_millis();
        (exchange, i64::try_from(took).unwrap_or_default())
    }
}

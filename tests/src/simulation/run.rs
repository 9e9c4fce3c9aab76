//! The platform's processes of one run, each over the code that runs in production: the front door,
//! deliveries, the stream, the queue, the minute tick, heartbeats, and what people do.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    BodyId, Error, RequestId, Result, WorkspaceId,
    activity::Source,
    job::Job,
    request::{Hold, Idempotency, Request, State},
};
use jiff::SignedDuration;
use messages::{
    flow::{
        Flow,
        deliver::{Call, Offer, deliver},
        front::{self, Answer, Arrival, Starts},
        line,
        tick::{Queue, tick},
    },
    outcome::Outcome,
};
use store::ledger::{Accepted, Gate, Ledger as _, PendingJob};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    agents::Agents,
    plan::{Letter, Plan, Turn, What},
    shared::Shared,
    time::Time,
};
use crate::twin::Twin;

/// How long the front door is held open.
const HOLD: SignedDuration = SignedDuration::from_secs(25);
/// When the queue gives a job out again.
const VISIBILITY: Duration = Duration::from_secs(960);
/// How often it does.
const RECEIVES: usize = 5;

/// One run as it happens.
#[derive(Debug, Clone)]
pub(super) struct Sim(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    shared: Shared,
    plan: Plan,
    world: Twin<Shared>,
    agents: Agents,
    told: Mutex<BTreeMap<usize, Vec<Told>>>,
    clients: Mutex<usize>,
}

/// What a client heard of its message.
#[derive(Debug, Clone)]
pub(super) enum Told {
    /// This.
    Answer(Answer),
    /// That it is accepted, for one that came by a job.
    Accepted(RequestId),
    /// Nothing certain.
    Nothing,
}

impl Sim {
    pub(super) fn new(plan: Plan, time: Time, traced: bool) -> Self {
        let shared = Shared::new(&plan, time, traced);
        let world = Twin::new(shared.clone());
        for worker in &plan.workers {
            world.add(worker.id, worker.capacity);
        }
        Self(Arc::new(Parts {
            world,
            agents: Agents::new(shared.clone(), &plan.workers),
            clients: Mutex::new(plan.letters.len()),
            told: Mutex::default(),
            shared,
            plan,
        }))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    pub(super) fn world(&self) -> &Twin<Shared> {
        &self.0.world
    }

    pub(super) fn agents(&self) -> &Agents {
        &self.0.agents
    }

    pub(super) fn told(&self) -> MutexGuard<'_, BTreeMap<usize, Vec<Told>>> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clients(&self) -> MutexGuard<'_, usize> {
        self.0
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every client has heard what it will hear.
    pub(super) fn all_told(&self) -> bool {
        *self.clients() == 0
    }

    fn flow(&self) -> Flow<'_, Twin<Shared>, Agents, Time> {
        Flow {
            world: &self.0.world,
            agents: &self.0.agents,
            clock: self.0.shared.time(),
            idle_timeout: Duration::from_secs(300),
            boot_within: None,
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.shared.time().spawn(task);
    }

    /// Sets everything going.
    pub(super) fn start(&self) {
        for letter in self.0.plan.letters.clone() {
            self.spawn(self.clone().client(letter));
        }
        for turn in self.0.plan.turns.clone() {
            self.spawn(self.clone().turn(turn));
        }
        for worker in self.0.plan.workers.clone() {
            self.spawn(self.clone().beats(worker.id));
        }
        self.spawn(self.clone().stream());
        self.spawn(self.clone().ticks());
    }

    /// Sends a message, and again when it heard nothing or feels like it.
    async fn client(self, letter: Letter) {
        let shared = self.shared().clone();
        shared.sleep(letter.at).await;
        let mut spare = letter.repeats;
        for _ in 0..6 {
            let sent = async {
                if letter.by_queue {
                    self.by_job(&letter).await
                } else {
                    self.by_door(&letter).await
                }
            };
            let name = if letter.by_queue {
                "delegate"
            } else {
                "dispatch"
            };
            let told = match shared.process(name, sent).await {
                Some(Ok(told)) => told,
                Some(Err(_)) | None => Told::Nothing,
            };
            shared.note(|| format!("client of message {} hears {told:?}", letter.number));
            let heard = !matches!(told, Told::Nothing);
            self.told().entry(letter.number).or_default().push(told);
            if !letter.named || (heard && spare == 0) {
                break;
            }
            spare = spare.saturating_sub(usize::from(heard));
            shared.pause(500..9000).await;
        }
        *self.clients() -= 1;
    }

    fn request(&self, letter: &Letter) -> Result<Request> {
        let missing = || Error::missing("no such worker");
        let worker = self.0.plan.workers.get(letter.worker).ok_or_else(missing)?;
        let id = self.shared().roll(|rng| rng.u128(..));
        let now = self.shared().now();
        let wait = SignedDuration::try_from(letter.expires_in).map_err(Error::internal)?;
        Ok(Request {
            id: RequestId::from_uuid(Uuid::from_u128(id)),
            caller: Source::Person,
            target: worker.id,
            method: "message/send".to_owned(),
            message_id: String::new(),
            body: BodyId::from_uuid(Uuid::from_u128(id)),
            chain: vec![worker.id],
            slot: !worker.native,
            state: State::Offered,
            fence: 1,
            attempts: 0,
            accepted_at: now,
            lease_until: None,
            started_at: None,
            ended_at: None,
            delivery_confirmed: false,
            result: None,
            result_status: None,
            error: None,
            told: None,
            priority: letter.priority,
            valid_until: now + wait,
            hold: Hold::None,
            redelivered: false,
            idempotency: letter.named.then(|| Idempotency {
                key: letter.number.to_string(),
                digest: String::new(),
            }),
            delegation: None,
            native: worker.native,
            timeline: Vec::new(),
        })
    }

    async fn by_door(&self, letter: &Letter) -> Result<Told> {
        let request = self.request(letter)?;
        let body = format!("{} {}", letter.number, request.id).into_bytes();
        let gate = {
            let state = self.world().state();
            state
                .places
                .get(&request.target)
                .map(|place| place.load.gate)
        };
        let call = (gate == Some(Gate::Open)).then(|| Call {
            url: request.target.to_string(),
            body: String::from_utf8_lossy(&body).into_owned(),
            target_name: String::new(),
            idle_timeout_seconds: None,
            deadline: None,
        });
        let arrival = Arrival {
            request: &request,
            body: &body,
            call,
            until: self.shared().now() + HOLD,
            refuses_others: true,
        };
        let answer = front::take(&self.flow(), self, arrival).await?;
        Ok(Told::Answer(answer))
    }

    async fn by_job(&self, letter: &Letter) -> Result<Told> {
        use messages::flow::Shelf as _;
        let request = self.request(letter)?;
        let body = format!("{} {}", letter.number, request.id).into_bytes();
        let world = self.world();
        world.put(request.body, &body, request.accepted_at).await?;
        Ok(match world.accept(&request, true).await? {
            Accepted::Offered | Accepted::Waiting => Told::Accepted(request.id),
            Accepted::Repeat { of, .. } => Told::Accepted(of),
            Accepted::QueueFull(depth) => Told::Answer(Answer::QueueFull(depth)),
            Accepted::Paused => Told::Answer(Answer::Paused),
            Accepted::Closed => Told::Answer(Answer::Closed),
        })
    }

    /// What the table's stream carries to the queue.
    async fn stream(self) {
        loop {
            self.shared().written().notified().await;
            let rows = std::mem::take(&mut self.world().state().stream);
            for job in rows {
                if self.shared().strikes(|chances| chances.strayed) {
                    continue;
                }
                let sim = self.clone();
                self.spawn(async move {
                    sim.shared().pause(20..400).await;
                    let carry = async {
                        sim.send(&job).await?;
                        sim.world().sent(&job).await
                    };
                    sim.shared().process("kick", carry).await;
                });
            }
        }
    }

    /// A job on the queue: given out until somebody has done it.
    async fn consume(self, job: String) {
        let shared = self.shared().clone();
        if shared.strikes(|chances| chances.late) {
            shared.pause(1000..90_000).await;
        }
        for _ in 0..RECEIVES {
            shared.pause(5..200).await;
            let done = shared.process("deliver", self.work(&job)).await;
            if matches!(done, Some(Ok(()))) && !shared.strikes(|chances| chances.doubled) {
                return;
            }
            if !matches!(done, Some(Ok(()))) {
                shared.sleep(VISIBILITY).await;
            }
        }
    }

    async fn work(&self, job: &str) -> Result<()> {
        let flow = self.flow();
        match serde_json::from_str(job).map_err(Error::internal)? {
            Job::DeliverV1 { request_id, fence } => {
                let offer = Offer {
                    request_id,
                    fence,
                    call: None,
                };
                deliver(&flow, offer).await.map(drop)
            }
            Job::OfferV1 { workspace_id } => line::look(&flow, workspace_id).await,
            Job::DelegateV1 { .. }
            | Job::ProvisionV1 { .. }
            | Job::StopV1 { .. }
            | Job::RestartV1 { .. }
            | Job::RestartAllV1 { .. } => Ok(()),
        }
    }

    /// A job row written by a change of the workspace itself.
    fn write_offer_job(&self, id: WorkspaceId) {
        let now = self.shared().now();
        let job = PendingJob::new(id, &Job::OfferV1 { workspace_id: id }, now);
        let mut state = self.world().state();
        state.jobs.push((now, job.clone()));
        state.stream.push(job);
        drop(state);
        self.shared().written().notify_one();
    }

    /// Every minute.
    async fn ticks(self) {
        loop {
            self.shared().sleep(Duration::from_secs(60)).await;
            let sim = self.clone();
            self.spawn(async move {
                let calm = sim.shared().is_calm();
                let work = async { tick(&sim.flow(), &sim).await };
                let done = sim.shared().process("tick", work).await;
                if let Some(Ok(report)) = done
                    && calm
                    && report.failed > 0
                {
                    sim.shared()
                        .violation(|| format!("a tick on a calm day: {report:?}"));
                }
            });
        }
    }

    /// Heartbeats of an agent that is there.
    async fn beats(self, id: WorkspaceId) {
        let shared = self.shared().clone();
        shared.pause(0..30_000).await;
        loop {
            shared.sleep(Duration::from_secs(30)).await;
            let Some(active) = self.agents().active(id) else {
                continue;
            };
            let nudges = {
                let mut state = self.world().state();
                let Some(place) = state.places.get_mut(&id) else {
                    return;
                };
                place.beat.at = Some(shared.now());
                place.beat.active_tasks = active;
                place.beat.waiting && active < place.load.max_concurrent_tasks
            };
            if nudges && !shared.strikes(|chances| chances.strayed) {
                let job = Job::OfferV1 { workspace_id: id };
                if let Ok(job) = serde_json::to_string(&job) {
                    self.spawn(self.clone().consume(job));
                }
            }
        }
    }

    /// Something happens to a worker, and is over again.
    async fn turn(self, turn: Turn) {
        let shared = self.shared().clone();
        shared.sleep(turn.at).await;
        let Some(id) = self.0.plan.workers.get(turn.worker).map(|worker| worker.id) else {
            return;
        };
        shared.note(|| format!("{:?} {id} for {:?}", turn.what, turn.lasts));
        match turn.what {
            What::Away => {
                let lasts = SignedDuration::try_from(turn.lasts).unwrap_or_default();
                self.agents().away(id, shared.now() + lasts);
            }
            What::Remove => {
                self.gate(id, Gate::Closed);
                self.write_offer_job(id);
            }
            What::Pause => {
                if self.gate(id, Gate::Paused) {
                    shared.sleep(turn.lasts).await;
                    self.open(id);
                }
            }
            What::Sleep => {
                let idle = {
                    let state = self.world().state();
                    let place = state.places.get(&id);
                    place.is_some_and(|place| {
                        place.load.counts.running == 0 && place.load.counts.waiting == 0
                    })
                };
                if idle && self.gate(id, Gate::Wake) {
                    shared.sleep(turn.lasts).await;
                    self.open(id);
                }
            }
        }
    }

    /// Moves an open gate; false if it was not open.
    fn gate(&self, id: WorkspaceId, gate: Gate) -> bool {
        let mut state = self.world().state();
        let place = state.places.get_mut(&id);
        let moved = place.filter(|place| gate == Gate::Closed || place.load.gate == Gate::Open);
        moved.map(|place| place.load.gate = gate).is_some()
    }

    /// Opens a gate again, unless it was closed for good.
    fn open(&self, id: WorkspaceId) {
        {
            let mut state = self.world().state();
            let place = state.places.get_mut(&id);
            let Some(place) = place.filter(|place| place.load.gate != Gate::Closed) else {
                return;
            };
            place.load.gate = Gate::Open;
        }
        self.write_offer_job(id);
    }
}

impl Queue for Sim {
    async fn send(&self, job: &PendingJob) -> Result<()> {
        let shared = self.shared();
        shared.pause(1..20).await;
        if shared.strikes(|chances| chances.refused) {
            return Err(Error::unavailable("the queue is not there"));
        }
        let copies = 1 + usize::from(shared.strikes(|chances| chances.doubled));
        for _ in 0..copies {
            self.spawn(self.clone().consume(job.job.clone()));
        }
        if shared.strikes(|chances| chances.lost) {
            return Err(Error::unavailable("no answer"));
        }
        Ok(())
    }
}

impl Starts for Sim {
    async fn start(&self, offer: &Offer) -> Result<Outcome, String> {
        let shared = self.shared();
        shared.pause(1..30).await;
        if shared.strikes(|chances| chances.throttled) {
            return Err("throttled".to_owned());
        }
        let copies = 1 + usize::from(shared.strikes(|chances| chances.doubled));
        let mut answers: Vec<oneshot::Receiver<_>> = (0..copies)
            .map(|_| {
                let (answer, answered) = oneshot::channel();
                let (sim, offer) = (self.clone(), offer.clone());
                self.spawn(async move {
                    sim.shared().pause(0..50).await;
                    let work = async { deliver(&sim.flow(), offer).await };
                    let done = sim.shared().process("deliver (invoked)", work).await;
                    // Nobody may be waiting any more.
                    let _ = answer.send(done);
                });
                answered
            })
            .collect();
        let one = shared.roll(|rng| rng.usize(0..answers.len()));
        match answers.swap_remove(one).await {
            Ok(Some(Ok(outcome))) => Ok(outcome),
            Ok(Some(Err(error))) => Err(error.to_string()),
            Ok(None) | Err(_) => Err("Unhandled: it broke off".to_owned()),
        }
    }
}

//! The platform's processes, each over the code that runs in production: deliveries, the stream, the
//! queue, the minute tick, heartbeats.

use std::time::Duration;

use domain::{Error, Result, WorkspaceId, job::Job};
use messages::{
    flow::{
        deliver::{Offer, deliver},
        front::Starts,
        line,
        tick::{Queue, tick},
    },
    outcome::Outcome,
};
use store::ledger::{Ledger as _, PendingJob};
use tokio::sync::oneshot;

use super::run::Sim;

/// When the queue gives a job out again.
const VISIBILITY: Duration = Duration::from_secs(960);
/// How often it does.
const RECEIVES: usize = 5;

impl Sim {
    /// What the table's stream carries to the queue.
    pub(super) async fn stream(self) {
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
    pub(super) async fn consume(self, job: String) {
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
            Job::OfferV1 { workspace_id } => line::look(&flow, workspace_id).await.map(drop),
            Job::DelegateV1 { .. }
            | Job::RestartContextV1 { .. }
            | Job::ProvisionV1 { .. }
            | Job::StopV1 { .. }
            | Job::RestartV1 { .. }
            | Job::RestartAllV1 { .. }
            | Job::RefreshV1 { .. }
            | Job::RefreshAllV1 { .. }
            | Job::SettleV1 { .. }
            | Job::FireV1 { .. } => Ok(()),
        }
    }

    /// A job row written by a change of the workspace itself.
    pub(super) fn write_offer_job(&self, id: WorkspaceId) {
        let now = self.shared().now();
        let job = Job::OfferV1 { workspace_id: id };
        self.world().state().write(id, &job, now);
        self.shared().written().notify_one();
    }

    /// Every minute.
    pub(super) async fn ticks(self) {
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
    pub(super) async fn beats(self, id: WorkspaceId) {
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
                let free = active < place.load.max_concurrent_tasks;
                if free {
                    self.agents().shows_capacity(id, shared.now());
                }
                place.beat.waiting && free
            };
            if nudges && !shared.strikes(|chances| chances.strayed) {
                let job = Job::OfferV1 { workspace_id: id };
                if let Ok(job) = serde_json::to_string(&job) {
                    self.spawn(self.clone().consume(job));
                }
            }
        }
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

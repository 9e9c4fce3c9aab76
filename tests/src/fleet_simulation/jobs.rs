//! Jobs on their way: from the rows of the table by the stream or the tick to the queues, and from
//! there to the functions, late, in any order, twice.

use domain::{Error, job::Job};
use fleet::{jobs::Progress, stop};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use store::ledger::{Due, Ledger as _, PendingJob};

use super::sim::{Effect, Sim};
use crate::dynamo::Item;

/// How long a job that is tried again waits: as `fleet::jobs`.
const WAITS: [i64; 5] = [10, 20, 40, 80, 120];
/// When the queue gives a job out again whose function died, and how often it gives it out.
const VISIBILITY: i64 = 180;
const RECEIVES: usize = 10;

/// A job on its queue.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    job: Job,
    received: usize,
    pub(super) visible_at: Timestamp,
}

/// A job row as the stream shows it.
fn pending(row: &Item) -> Option<PendingJob> {
    let plain = row.iter();
    let plain: Map<_, _> = plain
        .filter_map(|(name, typed)| Some((name.clone(), typed.get("S")?.clone())))
        .collect();
    serde_json::from_value(Value::Object(plain)).ok()
}

impl Sim {
    /// The stream carries the oldest row it has, or loses it.
    pub(super) async fn kick(&mut self) {
        if self.stream.is_empty() {
            return;
        }
        let row = self.stream.remove(0);
        let strayed = if self.is_calm() {
            0.0
        } else {
            self.plan.chances.strayed
        };
        let Some(job) = pending(&row).filter(|_| !self.chance(strayed)) else {
            return;
        };
        let yard = self.yard;
        let name = format!("kick {}", job.job);
        let work = async move {
            yard.send(job.clone());
            let done = yard.app.store.sent(&job).await;
            nothing(done)
        };
        self.start(name, 29, work, |_| {}).await;
        self.receive();
    }

    /// The minute tick: rows that the stream has not carried in time.
    pub(super) async fn tick(&mut self) {
        let (yard, now) = (self.yard, self.now());
        let work = async move {
            let store = &yard.app.store;
            let backlog = match store.due(now, 100).await {
                Ok(backlog) => backlog,
                Err(error) => return nothing::<()>(Err(error)),
            };
            for due in backlog.due {
                if let Due::Job(job) = due {
                    yard.send(job.clone());
                    if let Err(error) = store.sent(&job).await {
                        tracing::warn!(%error, "tick");
                    }
                }
            }
            nothing(Ok(()))
        };
        self.start("tick".to_owned(), 55, work, |_| {}).await;
        self.receive();
    }

    /// What was sent is on its queue.
    fn receive(&mut self) {
        let sent = std::mem::take(&mut *self.yard.sent.lock().expect("lock"));
        for sent in sent {
            let Ok(job) = sent.job() else {
                self.violation(format!("a job nobody can read: {sent:?}"));
                continue;
            };
            let doubled = if self.is_calm() {
                0.0
            } else {
                self.plan.chances.doubled
            };
            let copies = 1 + usize::from(self.chance(doubled));
            let visible_at = self.now();
            for _ in 0..copies {
                self.queue.push(Queued {
                    job: job.clone(),
                    received: 0,
                    visible_at,
                });
            }
        }
    }

    /// One of the jobs that can be seen is given to its function.
    pub(super) async fn deliver(&mut self) {
        self.receive();
        let now = self.now();
        let seen = self
            .queue
            .iter()
            .enumerate()
            .filter(|(_, it)| it.visible_at <= now);
        let seen: Vec<usize> = seen.map(|(n, _)| n).collect();
        let Some(at) = self.pick(&seen) else {
            return;
        };
        let mut queued = self.queue.swap_remove(at);
        queued.received += 1;
        if queued.received > RECEIVES {
            self.note(|| format!("{:?} is a dead letter", queued.job));
            return;
        }
        let yard = self.yard;
        let (name, job, back) = (
            format!("{:?}", queued.job),
            queued.job.clone(),
            queued.clone(),
        );
        let work = async move {
            let done = match job {
                Job::ProvisionV1 {
                    workspace_id,
                    generation,
                } => yard.works.provision(workspace_id, generation, now).await,
                Job::StopV1 {
                    workspace_id,
                    generation,
                } => stop::stop(&yard.works.crew, workspace_id, generation, now).await,
                // Messages are another simulation's.
                _ => Ok(Progress::Done),
            };
            let effect: Effect = Box::new(move |sim| sim.delivered(queued, done));
            effect
        };
        let fails = move |sim: &mut Self| {
            let visible_at = now + SignedDuration::from_secs(VISIBILITY);
            sim.queue.push(Queued { visible_at, ..back });
        };
        self.start(name, 120, work, fails).await;
    }

    fn delivered(&mut self, queued: Queued, done: Result<Progress, Error>) {
        self.note(|| format!("{:?}: {done:?}", queued.job));
        let again = !matches!(done, Ok(Progress::Done));
        if again || (!self.is_calm() && self.chance(self.plan.chances.doubled / 4.0)) {
            let wait = WAITS[(queued.received - 1).min(WAITS.len() - 1)];
            let visible_at = self.now() + SignedDuration::from_secs(wait);
            self.queue.push(Queued {
                visible_at,
                ..queued
            });
        }
    }
}

/// What follows when nobody waits for an answer.
pub(super) fn nothing<T: std::fmt::Debug + Send + 'static>(done: Result<T, Error>) -> Effect {
    Box::new(move |sim| {
        if let Err(error) = done {
            sim.note(|| format!("failed: {error:?}"));
        }
    })
}

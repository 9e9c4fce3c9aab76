//! The ledger's twin in memory: the same decisions as the table's, each at one moment, held to the
//! same contract (`tests/it/ledger`). Between and after them somebody may stand in the way.

mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{
    BodyId, Error, RequestId, Result, WorkspaceId,
    request::{Hold, Request},
};
use jiff::{SignedDuration, Timestamp};
use messages::flow::{Shelf, Target};
use store::ledger::{
    Accepted, Backlog, Due, Ended, Ending, Entry, JOB_OVERDUE, Ledger, Line, Load, PendingJob,
};

pub use state::{Beat, Place, State};

/// How many of a line are looked at at once, as in the table.
const LOOKED_AT: usize = 25;

/// What may happen around each operation: time passes, it does not come about, or it does and its
/// answer is lost.
pub trait Weather: Send + Sync + 'static {
    /// Before the operation takes effect; an error keeps it from doing so.
    fn before(&self, operation: &'static str) -> impl Future<Output = Result<()>> + Send;
    /// After it took effect; an error loses its answer.
    fn after(&self, operation: &'static str) -> impl Future<Output = Result<()>> + Send;
    /// Sees every state an operation leaves behind.
    fn look(&self, operation: &'static str, state: &State);
}

/// Nothing happens.
#[derive(Debug, Clone, Copy)]
pub struct Calm;

impl Weather for Calm {
    async fn before(&self, _: &'static str) -> Result<()> {
        Ok(())
    }

    async fn after(&self, _: &'static str) -> Result<()> {
        Ok(())
    }

    fn look(&self, _: &'static str, _: &State) {}
}

/// The ledger and the shelf in memory.
#[derive(Debug)]
pub struct Twin<W> {
    state: Arc<Mutex<State>>,
    weather: W,
}

impl<W: Weather> Twin<W> {
    /// An empty one.
    pub fn new(weather: W) -> Self {
        Self {
            state: Arc::default(),
            weather,
        }
    }

    /// Adds a workspace whose gate is open.
    pub fn add(&self, id: WorkspaceId, max_concurrent_tasks: i64) {
        let place = Place {
            load: Load::new(max_concurrent_tasks),
            line: Default::default(),
            due: None,
            beat: Beat::default(),
        };
        self.state().places.insert(id, place);
    }

    /// What it holds, for whoever plays the rest of the platform.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn step<R>(
        &self,
        operation: &'static str,
        change: impl FnOnce(&mut State) -> R + Send,
    ) -> Result<R> {
        self.weather.before(operation).await?;
        let done = {
            let mut state = self.state();
            let done = change(&mut state);
            self.weather.look(operation, &state);
            done
        };
        self.weather.after(operation).await?;
        Ok(done)
    }

    async fn hint(&self, target: WorkspaceId, waiting: bool) -> Result<()> {
        self.step("hint", |state| {
            if let Some(place) = state.places.get_mut(&target) {
                place.beat.waiting = waiting;
            }
        })
        .await
    }
}

impl<W: Weather> Ledger for Twin<W> {
    async fn accept(&self, request: &Request, by_queue: bool) -> Result<Accepted> {
        let change = |state: &mut State| state.accept(request, by_queue);
        let accepted = self.step("accept", change).await?;
        if accepted == Accepted::Waiting {
            self.hint(request.target, true).await?;
        }
        Ok(accepted)
    }

    async fn request(&self, id: RequestId) -> Result<Option<Request>> {
        self.step("request", |state| state.requests.get(&id).cloned())
            .await
    }

    async fn claim(&self, id: RequestId, fence: u32, now: Timestamp) -> Result<Option<Request>> {
        self.step("claim", |state| state.claim(id, fence, now))
            .await
    }

    async fn renew(&self, id: RequestId, fence: u32, now: Timestamp) -> Result<bool> {
        self.step("renew", |state| state.renew(id, fence, now))
            .await
    }

    async fn finish(&self, request: &Request, ending: &Ending, now: Timestamp) -> Result<Ended> {
        self.step("finish", |state| state.finish(request.id, ending, now))
            .await
    }

    async fn requeue(
        &self,
        request: &Request,
        hold: Hold,
        why: &str,
        redelivered: bool,
        now: Timestamp,
    ) -> Result<bool> {
        let change = |state: &mut State| state.requeue(request, hold, why, redelivered, now);
        let put = self.step("requeue", change).await?;
        if put {
            self.hint(request.target, true).await?;
        }
        Ok(put)
    }

    async fn line(&self, target: WorkspaceId) -> Result<Option<Line>> {
        let seen = |state: &mut State| {
            let place = state.places.get(&target)?;
            Some((place.load.clone(), place.beat))
        };
        let Some((load, beat)) = self.step("line", seen).await? else {
            return Ok(None);
        };
        let entries = |state: &mut State| -> Vec<Entry> {
            let place = state.places.get(&target).into_iter();
            let entries = place.flat_map(|place| place.line.values());
            entries.take(LOOKED_AT).cloned().collect()
        };
        Ok(Some(Line {
            entries: if load.counts.waiting > 0 {
                self.step("entries", entries).await?
            } else {
                Vec::new()
            },
            load,
            beat_at: beat.at,
            asleep: false,
            active_tasks: beat.active_tasks,
        }))
    }

    async fn place(&self, request: &Request) -> Result<(usize, usize)> {
        let key = request.line_key();
        self.step("place", |state| {
            let Some(place) = state.places.get(&request.target) else {
                return (0, 0);
            };
            let position = place.line.keys().position(|other| *other == key);
            (place.line.len(), position.map_or(0, |place| place + 1))
        })
        .await
    }

    async fn offer(&self, target: WorkspaceId, entry: &Entry, now: Timestamp) -> Result<bool> {
        self.step("offer", |state| state.offer(target, entry, now))
            .await
    }

    async fn look_again(&self, target: WorkspaceId, at: Option<Timestamp>) -> Result<()> {
        let done = self.step("look_again", |state| state.look_again(target, at));
        if done.await? && at.is_none() {
            self.hint(target, false).await?;
        }
        Ok(())
    }

    async fn wake(&self, _: WorkspaceId, _: Option<SignedDuration>, _: Timestamp) -> Result<()> {
        // Nobody is asleep here: who sleeps in the simulation wakes by itself.
        Ok(())
    }

    async fn due(&self, now: Timestamp, limit: i32) -> Result<Backlog> {
        let limit = usize::try_from(limit).unwrap_or_default();
        self.step("due", |state| {
            let mut backlog = Backlog::default();
            let mut add = |late: Vec<(Timestamp, Due)>| {
                backlog.more |= late.len() >= limit;
                let oldest = late.first().map(|(at, _)| *at);
                backlog.oldest = backlog.oldest.into_iter().chain(oldest).min();
                backlog.due.extend(late.into_iter().map(|(_, what)| what));
            };
            let jobs = state.jobs.iter();
            let jobs = jobs.map(|(at, job)| (*at + JOB_OVERDUE, Due::Job(job.clone())));
            add(oldest(jobs, now, limit));
            let requests = state.due.iter();
            let requests = requests.map(|(id, at)| (*at, Due::Request(*id)));
            add(oldest(requests, now, limit));
            let lines = state.places.iter();
            let lines = lines.filter_map(|(id, place)| Some((place.due?, Due::Line(*id))));
            add(oldest(lines, now, limit));
            backlog
        })
        .await
    }

    async fn postpone(&self, request: &Request, at: Timestamp) -> Result<()> {
        self.step("postpone", |state| state.postpone(request, at))
            .await
    }

    async fn sent(&self, job: &PendingJob) -> Result<()> {
        self.step("sent", |state| {
            state.jobs.retain(|(_, kept)| kept.id != job.id);
        })
        .await
    }
}

/// What is due, oldest first. The order of those due at one moment is nobody's business, but always
/// the same.
fn oldest(
    all: impl Iterator<Item = (Timestamp, Due)>,
    now: Timestamp,
    limit: usize,
) -> Vec<(Timestamp, Due)> {
    let mut late: Vec<_> = all.filter(|(at, _)| *at <= now).collect();
    late.sort_by_key(|(at, _)| *at);
    late.truncate(limit);
    late
}

impl<W: Weather> Shelf for Twin<W> {
    async fn put(&self, id: BodyId, bytes: &[u8], _: Timestamp) -> Result<()> {
        self.step("put", |state| {
            state.bodies.insert(id, bytes.to_vec());
        })
        .await
    }

    async fn fetch(&self, id: BodyId, _: Timestamp) -> Result<Option<Vec<u8>>> {
        self.step("fetch", |state| state.bodies.get(&id).cloned())
            .await
    }

    async fn target(&self, id: WorkspaceId) -> Result<Option<Target>> {
        self.step("target", |state| {
            let place = state.places.get(&id)?;
            Some(Target {
                name: String::new(),
                url: id.to_string(),
                idle_timeout: None,
                last_sign: place.beat.at,
            })
        })
        .await
    }

    async fn address(&self, id: BodyId) -> Result<String> {
        Err(Error::internal(std::io::Error::other(format!(
            "{id} has no address here"
        ))))
    }
}

//! What all parts of a run share: its time, its dice, its records, and the weather of its datastore.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use domain::{Error, Result};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use messages::flow::Clock as _;
use tokio::sync::Notify;

use super::{audit, plan::Chances, time::Time};
use crate::twin::{State, Weather};

/// What all parts of a run share.
#[derive(Clone)]
pub(super) struct Shared(Arc<Parts>);

struct Parts {
    time: Time,
    rng: Mutex<Rng>,
    chances: Chances,
    calm_at: Timestamp,
    crash: Option<(usize, usize)>,
    processes: AtomicUsize,
    crashed: AtomicUsize,
    written: Notify,
    violations: Mutex<Vec<String>>,
    trace: Option<Mutex<Vec<String>>>,
}

impl Shared {
    pub(super) fn new(plan: &super::plan::Plan, time: Time, traced: bool) -> Self {
        let storm = SignedDuration::try_from(plan.storm).unwrap_or_default();
        Self(Arc::new(Parts {
            calm_at: time.now() + storm,
            time,
            rng: Mutex::new(Rng::with_seed(plan.seed ^ 0x5eed)),
            chances: plan.chances.clone(),
            crash: plan.crash,
            processes: AtomicUsize::new(0),
            crashed: AtomicUsize::new(0),
            written: Notify::new(),
            violations: Mutex::default(),
            trace: traced.then(Mutex::default),
        }))
    }

    pub(super) fn time(&self) -> &Time {
        &self.0.time
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.time.now()
    }

    pub(super) fn calm_at(&self) -> Timestamp {
        self.0.calm_at
    }

    pub(super) fn is_calm(&self) -> bool {
        self.now() >= self.0.calm_at
    }

    /// Job rows were written.
    pub(super) fn written(&self) -> &Notify {
        &self.0.written
    }

    /// How many processes broke off.
    pub(super) fn crashed(&self) -> usize {
        self.0.crashed.load(Ordering::Relaxed)
    }

    pub(super) async fn sleep(&self, time: Duration) {
        self.0.time.sleep(time).await;
    }

    /// Sleeps this many milliseconds, by the dice.
    pub(super) async fn pause(&self, range: std::ops::Range<u64>) {
        let time = self.roll(|rng| rng.u64(range));
        self.sleep(Duration::from_millis(time)).await;
    }

    pub(super) fn roll<R>(&self, roll: impl FnOnce(&mut Rng) -> R) -> R {
        roll(&mut self.0.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a trouble of the storm strikes now.
    pub(super) fn strikes(&self, chance: impl Fn(&Chances) -> f64) -> bool {
        let chance = chance(&self.0.chances);
        chance > 0.0 && !self.is_calm() && self.roll(Rng::f64) < chance
    }

    pub(super) fn violations(&self) -> MutexGuard<'_, Vec<String>> {
        let violations = self.0.violations.lock();
        violations.unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes something that must not be.
    pub(super) fn violation(&self, what: impl FnOnce() -> String) {
        let what = format!("{}  {}", self.stamp(), what());
        self.note(|| format!("VIOLATION {what}"));
        self.violations().push(what);
    }

    /// Writes a line of the trace, if one is kept.
    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.0.trace {
            let line = format!("{}  {}", self.stamp(), line());
            let mut trace = trace.lock().unwrap_or_else(PoisonError::into_inner);
            trace.push(line);
        }
    }

    pub(super) fn trace(&self) -> Vec<String> {
        let trace = self.0.trace.as_ref().map(Mutex::lock);
        trace
            .map(|trace| trace.unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }

    /// Seconds since the start.
    fn stamp(&self) -> String {
        let now = self.now().as_millisecond();
        format!("{:>5}.{:03}", now / 1000, now % 1000)
    }

    /// Runs a process that may break off at any of its awaits; none if it did.
    pub(super) async fn process<F: Future>(&self, name: &str, work: F) -> Option<F::Output> {
        let number = self.0.processes.fetch_add(1, Ordering::Relaxed);
        let dies_at = match self.0.crash {
            Some((process, at)) => (process == number).then_some(at),
            None if self.strikes(|chances| chances.crash) => {
                Some(self.roll(|rng| rng.usize(1..40)))
            }
            None => None,
        };
        self.note(|| format!("process {number} {name} starts"));
        let mut polls = 0;
        // In here, so that it is gone when it breaks off.
        let mut work = pin!(work);
        let done = poll_fn(|context| {
            let poll = work.as_mut().poll(context);
            polls += 1;
            match poll {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if Some(polls) == dies_at => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        if done.is_none() {
            self.0.crashed.fetch_add(1, Ordering::Relaxed);
        }
        self.note(|| {
            let how = if done.is_none() { "BREAKS OFF" } else { "ends" };
            format!("process {number} {name} {how}")
        });
        done
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Weather for Shared {
    async fn before(&self, operation: &'static str) -> Result<()> {
        if self.strikes(|chances| chances.slow) {
            self.pause(100..3000).await;
        }
        self.pause(1..10).await;
        if self.strikes(|chances| chances.refused) {
            self.note(|| format!("  {operation} is refused"));
            return Err(Error::unavailable("it is not the day for it"));
        }
        Ok(())
    }

    async fn after(&self, operation: &'static str) -> Result<()> {
        self.pause(1..5).await;
        if self.strikes(|chances| chances.lost) {
            self.note(|| format!("  {operation} loses its answer"));
            return Err(Error::unavailable("no answer"));
        }
        Ok(())
    }

    fn look(&self, operation: &'static str, state: &State) {
        if !state.stream.is_empty() {
            self.0.written.notify_one();
        }
        self.note(|| format!("    {operation}"));
        audit::counters(self, operation, state);
    }
}

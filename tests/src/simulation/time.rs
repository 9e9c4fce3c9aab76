//! Virtual time, and the tasks that live in it: one thread, no clock, the same order every time.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::{Stream as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use messages::flow::Clock;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock of a simulation. Time passes when nobody has anything to do.
#[derive(Clone, Default)]
pub struct Time(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    now: Timestamp,
    timers: BTreeMap<(Timestamp, u64), Waker>,
    numbers: u64,
    spawned: Vec<Task>,
}

impl Time {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner().spawned.push(Box::pin(task));
    }

    /// Runs until `root` has ended; none if everybody waits for something that never comes.
    pub fn run<R: Send + 'static>(
        &self,
        root: impl Future<Output = R> + Send + 'static,
    ) -> Option<R> {
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        self.spawn(async move {
            let done = root.await;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        });
        let mut tasks = FuturesUnordered::new();
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            tasks.extend(std::mem::take(&mut self.inner().spawned));
            let mut context = Context::from_waker(&waker);
            while let Poll::Ready(Some(())) = Pin::new(&mut tasks).poll_next(&mut context) {}
            let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
            if done.is_some() {
                return done;
            }
            let busy = woken.0.swap(false, Ordering::Relaxed);
            if !busy && self.inner().spawned.is_empty() && !self.pass() {
                return None;
            }
        }
    }

    /// Lets time pass to the next timer; false if there is none.
    fn pass(&self) -> bool {
        let mut inner = self.inner();
        let Some(((at, _), waker)) = inner.timers.pop_first() else {
            return false;
        };
        inner.now = inner.now.max(at);
        drop(inner);
        waker.wake();
        true
    }
}

/// Remembers that a task was woken since the last look.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        self.inner().now
    }

    async fn sleep(&self, time: Duration) {
        let end = {
            let now = self.inner().now;
            now + SignedDuration::try_from(time).unwrap_or(SignedDuration::from_hours(1))
        };
        let mut timer = Timer {
            time: self,
            key: None,
        };
        poll_fn(|context| timer.poll(end, context.waker())).await;
    }
}

/// A timer that goes when whoever waits for it goes.
struct Timer<'a> {
    time: &'a Time,
    key: Option<(Timestamp, u64)>,
}

impl Timer<'_> {
    fn poll(&mut self, end: Timestamp, waker: &Waker) -> Poll<()> {
        let mut inner = self.time.inner();
        let key = *self.key.get_or_insert_with(|| {
            inner.numbers += 1;
            (end, inner.numbers)
        });
        if self.key.is_some() && inner.now >= end && !inner.timers.contains_key(&key) {
            // Either it has gone off, or it was over before it began.
            return Poll::Ready(());
        }
        inner.timers.insert(key, waker.clone());
        Poll::Pending
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.time.inner().timers.remove(&key);
        }
    }
}

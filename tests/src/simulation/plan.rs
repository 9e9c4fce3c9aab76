//! What a seed stands for: who works, who writes when, and what goes wrong how often.

use std::time::Duration;

use domain::{WorkspaceId, request::Priority};
use fastrand::Rng;
use uuid::Uuid;

/// One run, drawn from a seed. A run is a storm followed by a calm in which all must come to rest.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Those who are written to.
    pub workers: Vec<Worker>,
    /// What they are sent.
    pub letters: Vec<Letter>,
    /// What becomes of the workers.
    pub turns: Vec<Turn>,
    /// What goes wrong while the storm lasts.
    pub chances: Chances,
    /// How long it lasts.
    pub storm: Duration,
    /// The one process that breaks off, by number, and at which of its awaits: instead of chance.
    pub crash: Option<(usize, usize)>,
}

/// A workspace and its agent.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The workspace.
    pub id: WorkspaceId,
    /// How many messages it takes at once.
    pub capacity: i64,
    /// Whether it queues by itself.
    pub native: bool,
}

/// A message somebody sends.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its number: all that is in it.
    pub number: usize,
    /// When it is sent.
    pub at: Duration,
    /// To whom.
    pub worker: usize,
    /// How urgent it is.
    pub priority: Priority,
    /// How long it may wait.
    pub expires_in: Duration,
    /// Whether it has an id, so that it can be sent again.
    pub named: bool,
    /// Whether it comes by a job, as delegations do, and not by the front door.
    pub by_queue: bool,
    /// How often it is sent again though nothing went wrong.
    pub repeats: usize,
}

/// Something that happens to a worker.
#[derive(Debug, Clone)]
pub struct Turn {
    /// When.
    pub at: Duration,
    /// To whom.
    pub worker: usize,
    /// What.
    pub what: What,
    /// Until it is over.
    pub lasts: Duration,
}

/// What can happen to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its machine is gone: no heartbeat, no connection.
    Away,
    /// A person pauses it.
    Pause,
    /// It is put to sleep, if it has nothing to do.
    Sleep,
    /// It is removed, for good.
    Remove,
    /// It is removed, and what was kept of it as well.
    Purge,
}

/// How likely each trouble is, from 0 to 1.
#[derive(Debug, Clone, Default)]
pub struct Chances {
    /// A process breaks off at one of its awaits.
    pub crash: f64,
    /// An operation of the datastore does not come about.
    pub refused: f64,
    /// An operation of the datastore comes about and its answer is lost.
    pub lost: f64,
    /// An operation takes seconds.
    pub slow: f64,
    /// An Invoke is refused.
    pub throttled: f64,
    /// A job or an Invoke comes twice.
    pub doubled: f64,
    /// A job row does not leave by the stream, or a nudge is lost.
    pub strayed: f64,
    /// A job is late, and overtaken.
    pub late: f64,
    /// An agent answers with anything but a reply.
    pub moody: f64,
}

impl Chances {
    fn of(rng: &mut Rng) -> Self {
        // Each trouble is absent in some runs and frequent in others: pure mixtures hide much.
        let mut level = |most: f64| match rng.u8(0..4) {
            0 | 1 => 0.0,
            2 => most / 8.0,
            _ => most,
        };
        Self {
            crash: level(0.25),
            refused: level(0.08),
            lost: level(0.08),
            slow: level(0.1),
            throttled: level(0.3),
            doubled: level(0.4),
            strayed: level(0.4),
            late: level(0.3),
            moody: level(0.7),
        }
    }
}

fn seconds(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range.start * 1000..range.end * 1000))
}

impl Plan {
    /// The run of a seed.
    pub fn of(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let storm = seconds(rng, 120..900);
        let workers: Vec<Worker> = (0..rng.usize(1..=3)).map(|_| worker(rng)).collect();
        let letters = (0..rng.usize(5..=60))
            .map(|number| letter(rng, number, workers.len(), storm))
            .collect();
        let turns = (0..rng.usize(0..=4))
            .map(|_| Turn {
                at: rng_part(rng, storm),
                worker: rng.usize(0..workers.len()),
                what: *rng
                    .choice(&[
                        What::Away,
                        What::Away,
                        What::Pause,
                        What::Sleep,
                        What::Remove,
                        What::Purge,
                    ])
                    .unwrap_or(&What::Away),
                lasts: seconds(rng, 5..300),
            })
            .collect();
        Self {
            seed,
            letters,
            turns,
            chances: Chances::of(rng),
            workers,
            storm,
            crash: None,
        }
    }

    /// Three messages for one worker, and one process that breaks off at one of its awaits.
    pub fn with_one_crash(process: usize, at: usize) -> Self {
        let rng = &mut Rng::with_seed(7);
        let workers = vec![Worker {
            native: false,
            capacity: 1,
            ..worker(rng)
        }];
        let letter = |number: usize| Letter {
            number,
            at: Duration::from_secs(u64::try_from(number).unwrap_or_default() + 1),
            worker: 0,
            priority: Priority::Task,
            expires_in: Duration::from_secs(86_400),
            named: true,
            by_queue: number == 2,
            repeats: 0,
        };
        Self {
            seed: 0,
            workers,
            letters: (0..3).map(letter).collect(),
            turns: Vec::new(),
            chances: Chances::default(),
            storm: Duration::from_secs(240),
            crash: Some((process, at)),
        }
    }
}

fn rng_part(rng: &mut Rng, whole: Duration) -> Duration {
    whole.mul_f64(rng.f64())
}

fn worker(rng: &mut Rng) -> Worker {
    Worker {
        id: WorkspaceId::from_uuid(Uuid::from_u128(rng.u128(..))),
        capacity: rng.i64(1..=2),
        native: rng.u8(0..8) == 0,
    }
}

fn letter(rng: &mut Rng, number: usize, workers: usize, storm: Duration) -> Letter {
    let priorities = [
        Priority::Task,
        Priority::Task,
        Priority::Info,
        Priority::Critical,
    ];
    Letter {
        number,
        at: rng_part(rng, storm),
        worker: rng.usize(0..workers),
        priority: *rng.choice(&priorities).unwrap_or(&Priority::Task),
        expires_in: if rng.u8(0..8) == 0 {
            seconds(rng, 5..200)
        } else {
            Duration::from_secs(86_400)
        },
        named: rng.u8(0..4) > 0,
        by_queue: rng.u8(0..4) == 0,
        repeats: rng.usize(0..6).saturating_sub(3),
    }
}

//! What a seed stands for: how long the storm lasts, and what goes wrong how often.

use fastrand::Rng;

/// One run, drawn from a seed: a storm, then a calm in which all must come to rest.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How many workspaces there are when it begins, up already or not.
    pub first: usize,
    /// Whether those are up when it begins.
    pub warm: bool,
    /// How many steps the storm has.
    pub steps: usize,
    /// How many processes run at once.
    pub at_once: usize,
    /// How long time passes at most between two steps, in seconds.
    pub longest: u64,
    /// By how many minutes EC2 is late to show what it made.
    pub lag: u64,
    /// What goes wrong.
    pub chances: Chances,
}

/// How likely each trouble is, from 0 to 1.
#[derive(Debug, Clone, Default)]
pub struct Chances {
    /// A process breaks off before or after a call.
    pub crash: f64,
    /// A call to the table fails or its answer is lost.
    pub table: f64,
    /// A call to EC2 fails or its answer is lost.
    pub machines: f64,
    /// EC2 has no room.
    pub room: f64,
    /// A read that need not be consistent is late.
    pub late: f64,
    /// A job does not leave by the stream, or an event of EC2 is lost.
    pub strayed: f64,
    /// A job comes twice.
    pub doubled: f64,
}

impl Plan {
    /// The run of a seed.
    pub fn of(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        Self {
            seed,
            first: rng.usize(1..=3),
            warm: rng.u8(0..3) > 0,
            steps: rng.usize(60..=220),
            at_once: rng.usize(1..=4),
            longest: *rng.choice(&[30, 90, 400, 900]).unwrap_or(&30),
            lag: *rng.choice(&[0, 0, 1, 4]).unwrap_or(&0),
            chances: Chances::of(rng),
        }
    }
}

impl Chances {
    fn of(rng: &mut Rng) -> Self {
        // Each trouble is absent in some runs and frequent in others: pure mixtures hide much.
        let mut level = |most: f64| match rng.u8(0..4) {
            0 | 1 => 0.0,
            2 => most / 6.0,
            _ => most,
        };
        Self {
            crash: level(0.12),
            table: level(0.08),
            machines: level(0.25),
            room: level(0.4),
            late: level(0.6),
            strayed: level(0.5),
            doubled: level(0.4),
        }
    }
}

//! A simulation of the messages' way.
//!
//! The code of the front door, of deliveries and of the tick, over the ledger's twin, agents of
//! every mood and a clock of its own. A seed decides everything, so what one run shows every run of
//! that seed shows.
//!
//! Each run is a storm, in which processes break off at any of their awaits, answers get lost, jobs
//! come late, twice or never, and workers come and go; then a calm, in which all must come to rest.

mod agents;
mod audit;
mod client;
mod people;
mod plan;
mod platform;
mod run;
mod shared;
mod time;
mod turns;

use std::time::Duration;

pub use plan::Plan;
use run::Sim;
pub use time::Time;

use audit::Patience;

/// How long the calm may last at most: virtual time costs little.
const CALM: Duration = Duration::from_secs(6 * 3600);
/// How often a calm day is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many requests were accepted.
    pub accepted: usize,
    /// How many of them have a result.
    pub completed: usize,
    /// How many processes broke off.
    pub crashed: usize,
    /// How many messages came to an agent twice.
    pub redelivered: usize,
    /// What must not be.
    pub violations: Vec<String>,
    /// What happened, if that was asked for.
    pub trace: Vec<String>,
}

/// Runs a plan to its end.
pub fn run(plan: Plan, traced: bool) -> Report {
    let time = Time::default();
    let sim = Sim::new(plan, time.clone(), traced);
    sim.start();
    let root = {
        let sim = sim.clone();
        async move { watch(&sim).await }
    };
    if time.run(root).is_none() {
        sim.shared()
            .violation(|| "everybody waits for something that never comes".to_owned());
    }
    report(&sim)
}

async fn watch(sim: &Sim) {
    let shared = sim.shared();
    shared.sleep(sim.plan().storm).await;
    shared.note(|| "the storm is over".to_owned());
    let mut patience = Patience::default();
    let mut left = CALM;
    while !audit::at_rest(sim) && !left.is_zero() {
        shared.sleep(LOOK).await;
        left = left.saturating_sub(LOOK);
        patience.look(sim);
    }
    audit::end(sim);
}

fn report(sim: &Sim) -> Report {
    let state = sim.world().state();
    let requests = state.requests.values();
    let done = |it: &&domain::request::Request| it.state == domain::request::State::Completed;
    let letters = sim.plan().letters.iter();
    let twice = letters.filter(|letter| sim.agents().taken(letter.number).len() > 1);
    Report {
        seed: sim.plan().seed,
        accepted: requests.len(),
        completed: requests.filter(done).count(),
        crashed: sim.shared().crashed(),
        redelivered: twice.count(),
        violations: sim.shared().violations().clone(),
        trace: sim.shared().trace(),
    }
}

#[cfg(test)]
mod leases;
#[cfg(test)]
mod tests;

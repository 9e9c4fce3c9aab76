//! A simulation of the fleet: the life of workspaces and of the machines they run on.
//!
//! The functions as they are deployed (routes, jobs, sweeps, the exchange) run over a DynamoDB in
//! memory ([`crate::dynamo`]) and a fake of EC2. Every call of theirs waits for its turn, and dice
//! say whose it is, whether it fails, is late, is not heard of, or is the last of its process. So a
//! seed decides everything: what one run of it shows, all show.
//!
//! Each run is a storm followed by a calm, in which all must come to rest.

mod agents;
mod audit;
mod calm;
mod clients;
mod jobs;
mod machines;
mod plan;
mod rest;
mod sim;
mod stage;
mod storm;
mod yard;

pub use plan::{Chances, Plan};
use sim::Sim;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many calls to the table and to EC2 there were.
    pub calls: usize,
    /// How many changes of status there were.
    pub turns: usize,
    /// How many processes broke off.
    pub crashed: usize,
    /// How many exchanges gave a token.
    pub passed: usize,
    /// What must not be.
    pub violations: Vec<String>,
    /// What happened, if that was asked for.
    pub trace: Vec<String>,
}

/// Runs a plan to its end, on a thread of its own.
pub fn run(plan: Plan, traced: bool) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let report = runtime.block_on(async move {
        let mut sim = Sim::new(plan, traced);
        sim.begin().await;
        for _ in 0..sim.plan.steps {
            sim.step().await;
            if !sim.violations.is_empty() {
                break;
            }
        }
        if sim.violations.is_empty() {
            sim.calm().await;
        }
        Report {
            seed: sim.plan.seed,
            calls: sim.stage.inner().calls,
            turns: sim.audit.turns,
            crashed: sim.crashed,
            passed: sim.passed.len(),
            trace: sim.trace(),
            violations: sim.violations,
        }
    });
    runtime.shutdown_background();
    report
}

#[cfg(test)]
mod tests;

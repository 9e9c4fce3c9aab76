//! One run as it happens: what its parts share, and how it is set going.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::RequestId;
use messages::flow::{Flow, front::Answer};

use super::{agents::Agents, plan::Plan, shared::Shared, time::Time};
use crate::twin::Twin;

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

    pub(super) fn clients(&self) -> MutexGuard<'_, usize> {
        self.0
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every client has heard what it will hear.
    pub(super) fn all_told(&self) -> bool {
        *self.clients() == 0
    }

    pub(super) fn flow(&self) -> Flow<'_, Twin<Shared>, Agents, Time> {
        Flow {
            world: &self.0.world,
            agents: &self.0.agents,
            clock: self.0.shared.time(),
            idle_timeout: Duration::from_secs(300),
            boot_within: None,
        }
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
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
}

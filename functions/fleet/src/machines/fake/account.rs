//! An account of EC2: what it has and how it behaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::fault::{Faults, Op};
use crate::machines::{
    Machine, MachineId, Owner, State, Volume, VolumeId,
    change::Verb,
    trouble::{NO_MACHINE, NO_VOLUME, WRONG_STATE},
};

/// When a fake's clock begins.
pub const START: Timestamp = Timestamp::constant(1_800_000_000, 0);
/// How long a machine boots, stops or shuts down.
const SETTLES: Duration = Duration::from_secs(20);
/// How long a dead machine is shown.
const SHOWN_DEAD: Duration = Duration::from_secs(60 * 60);
/// How long a token outlives its machine.
const TOKEN_BOUND: Duration = Duration::from_secs(24 * 60 * 60);

/// What is asked of EC2 to make a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) token: String,
    /// All of the request: repeats of a token must equal it.
    pub(crate) bytes: String,
    pub(crate) stack: String,
    pub(crate) owner: Option<Owner>,
    pub(crate) subnet: String,
    pub(crate) instance_type: String,
}

/// A machine with what only EC2 knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) machine: Machine,
    pub(crate) stack: String,
    pub(crate) console: String,
    bytes: String,
    made_at: Timestamp,
    since: Timestamp,
}

/// The account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) now: Timestamp,
    pub(crate) lag: Duration,
    pub(crate) limit: usize,
    pub(crate) full: BTreeSet<(String, String)>,
    pub(crate) faults: Faults,
    /// What it was asked for.
    pub(crate) asked: BTreeSet<Op>,
    /// How many times what requests are made of has changed.
    pub(crate) revision: u32,
    /// Disks without a machine, with the stack that made them.
    pub(crate) left: BTreeMap<VolumeId, (String, Volume)>,
    pub(crate) instances: BTreeMap<MachineId, Instance>,
    made: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            now: START,
            lag: Duration::ZERO,
            limit: usize::MAX,
            full: BTreeSet::new(),
            faults: Faults::default(),
            asked: BTreeSet::new(),
            revision: 0,
            left: BTreeMap::new(),
            instances: BTreeMap::new(),
            made: 0,
        }
    }
}

impl Account {
    /// Lets time have its effects.
    pub(crate) fn settle(&mut self) {
        let now = self.now;
        for instance in self.instances.values_mut() {
            let settled = match instance.machine.state {
                State::Pending => State::Running,
                State::Stopping => State::Stopped,
                State::ShuttingDown => State::Terminated,
                _ => continue,
            };
            if instance.since + SETTLES <= now {
                instance.machine.state = settled;
                instance.since += SETTLES;
            }
        }
    }

    /// What EC2 shows now.
    pub(crate) fn all_seen(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|it| {
            let dead = it.machine.state == State::Terminated;
            it.made_at + self.lag <= self.now && !(dead && it.since + SHOWN_DEAD <= self.now)
        })
    }

    /// A machine, if EC2 shows it now.
    pub(crate) fn seen(&self, id: &MachineId) -> Option<&Instance> {
        self.all_seen().find(|it| it.machine.id == *id)
    }

    /// Makes a machine, or finds the one this token made.
    pub(crate) fn run(&mut self, order: Order) -> Result<Machine, &'static str> {
        let bytes = format!("{} {}", self.revision, order.bytes);
        let bound = |it: &&Instance| {
            let dead = it.machine.state == State::Terminated;
            it.machine.client_token == order.token && !(dead && it.since + TOKEN_BOUND <= self.now)
        };
        if let Some(made) = self.instances.values().find(bound) {
            return match made.bytes == bytes {
                true => Ok(made.machine.clone()),
                false => Err("IdempotentParameterMismatch"),
            };
        }
        let living = self.instances.values();
        if living.filter(|it| !it.machine.state.is_ended()).count() >= self.limit {
            return Err("VcpuLimitExceeded");
        }
        if self
            .full
            .contains(&(order.subnet, order.instance_type.clone()))
        {
            return Err("InsufficientInstanceCapacity");
        }
        self.made += 1;
        let id: MachineId = format!("i-{:017x}", self.made).parse().expect("17 digits");
        let machine = Machine {
            id: id.clone(),
            owner: order.owner,
            state: State::Pending,
            launched_at: Some(self.now),
            private_ip: Some(format!("10.0.{}.{}", self.made / 256, self.made % 256)),
            instance_type: order.instance_type,
            client_token: order.token,
        };
        let instance = Instance {
            machine: machine.clone(),
            stack: order.stack,
            console: String::new(),
            bytes,
            made_at: self.now,
            since: self.now,
        };
        self.instances.insert(id, instance);
        Ok(machine)
    }

    /// A change: the states before and after it.
    pub(crate) fn change(
        &mut self,
        verb: Verb,
        id: &MachineId,
    ) -> Result<(State, State), &'static str> {
        self.seen(id).ok_or(NO_MACHINE)?;
        let now = self.now;
        let instance = self.instances.get_mut(id).ok_or(NO_MACHINE)?;
        let before = instance.machine.state;
        let after = match (verb, before) {
            (Verb::Resume, State::Stopped) => State::Pending,
            (Verb::Stop, State::Running) => State::Stopping,
            (Verb::Terminate, State::ShuttingDown | State::Terminated) => before,
            (Verb::Terminate, _) => State::ShuttingDown,
            (Verb::Resume, State::Pending | State::Running)
            | (Verb::Stop, State::Stopping | State::Stopped) => before,
            _ => return Err(WRONG_STATE),
        };
        if after != before {
            instance.machine.state = after;
            instance.since = now;
        }
        if (verb, after) == (Verb::Resume, State::Pending) && before != after {
            instance.machine.launched_at = Some(now);
        }
        Ok((before, after))
    }

    /// A reboot; that of a dead machine is taken and ignored.
    pub(crate) fn reboot(&mut self, id: &MachineId) -> Result<(), &'static str> {
        let instance = self.seen(id).ok_or(NO_MACHINE)?;
        match instance.machine.state {
            State::Stopping | State::Stopped => Err(WRONG_STATE),
            _ => Ok(()),
        }
    }

    /// Another generation for a machine, dead or alive.
    pub(crate) fn retag(&mut self, id: &MachineId, generation: u32) -> Result<(), &'static str> {
        self.seen(id).ok_or(NO_MACHINE)?;
        if let Some(instance) = self.instances.get_mut(id)
            && let Some(owner) = &mut instance.machine.owner
        {
            owner.generation = generation;
        }
        Ok(())
    }

    /// Deletes a disk without a machine.
    pub(crate) fn delete(&mut self, id: &VolumeId) -> Result<(), &'static str> {
        self.left.remove(id).map(|_| ()).ok_or(NO_VOLUME)
    }

    /// Puts a machine into this state, as if by itself.
    pub(crate) fn put(&mut self, id: &MachineId, state: State) {
        let now = self.now;
        if let Some(instance) = self.instances.get_mut(id) {
            instance.machine.state = state;
            instance.since = now;
        }
    }

    /// The number of the next thing made.
    pub(crate) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}

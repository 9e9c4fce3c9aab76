//! EC2 in memory, for tests: deterministic, with a clock of its own, and breakable.
//!
//! The rules of [`account`] are EC2's as far as this system meets them: tokens, states, late
//! visibility, quotas, dead machines that are shown for an hour. Clones share one account.

mod account;
mod controls;
mod fault;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use account::START;
pub(crate) use account::{Account, Order};
pub use fault::{Fault, Op};

use super::{
    Change, Class, Launch, Listing, Machine, MachineId, Machines, Tier, Trouble, Volume, VolumeId,
    Whose,
    change::Verb,
    place::Places,
    trouble::{NO_MACHINE, NO_VOLUME},
    user_data::user_data,
};

/// A fake of EC2 with one stack in view.
#[derive(Debug, Clone)]
pub struct FakeEc2 {
    account: Arc<Mutex<Account>>,
    stack: String,
    places: Places,
}

impl FakeEc2 {
    /// An empty account, seen by the stack `prod`, with subnets `subnet-a` and `subnet-b` and the
    /// types of decision 20.
    ///
    /// # Panics
    /// Never: the settings are whole.
    pub fn new() -> Self {
        let settings = super::Settings::read(|name| {
            let value = match name {
                "STACK_NAME" => "prod",
                "MACHINE_LAUNCH_TEMPLATE" => "lt-0123456789abcdef0",
                "MACHINE_LAUNCH_TEMPLATE_VERSION" => "7",
                "MACHINE_SUBNETS" => "subnet-a,subnet-b",
                _ => "",
            };
            value.to_owned()
        });
        let settings = settings.expect("all that is required is there");
        Self {
            account: Arc::default(),
            stack: settings.stack,
            places: settings.places,
        }
    }

    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        // A test that failed while it held the lock has failed already.
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call: what is to go wrong with it does.
    fn call<T>(
        &self,
        op: Op,
        act: impl FnOnce(&mut Account) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut account = self.account();
        account.settle();
        account.asked.insert(op);
        match account.faults.take(op) {
            None => act(&mut account),
            Some(Fault::Code(code)) => Err(Trouble::of_code(code)),
            Some(Fault::AnswerLost) => {
                // What it answers is what gets lost, even a refusal.
                let _ = act(&mut account);
                Err(Trouble::new(Class::Unknown, "no answer"))
            }
            Some(Fault::NeverArrives) => Err(Trouble::new(Class::Unknown, "no answer")),
            Some(Fault::CutShort) => Err(Trouble::of_code("InternalError")),
        }
    }

    fn change(&self, op: Op, verb: Verb, id: &MachineId) -> Result<Change, Trouble> {
        self.call(op, |account| match account.change(verb, id) {
            Ok((before, _)) => Ok(verb.finds(before).unwrap_or(Change::Underway)),
            Err(NO_MACHINE) => Ok(Change::Absent),
            Err(code) => match account.seen(id).and_then(|it| verb.finds(it.machine.state)) {
                Some(change) => Ok(change),
                None => Err(Trouble::of_code(code)),
            },
        })
    }
}

impl Default for FakeEc2 {
    fn default() -> Self {
        Self::new()
    }
}

impl Machines for FakeEc2 {
    fn places(&self, tier: Tier) -> u32 {
        self.places.count(tier)
    }

    async fn start(&self, launch: &Launch) -> Result<Machine, Trouble> {
        let place = self
            .places
            .of(launch.tier, launch.workspace_id, launch.attempt);
        let order = Order {
            token: launch.token(),
            bytes: format!("{place:?} {}", user_data(launch, &self.stack)?),
            stack: self.stack.clone(),
            owner: Some(launch.owner()),
            subnet: place.subnet.to_owned(),
            instance_type: place.instance_type.to_owned(),
        };
        self.call(Op::Start, |account| {
            let machine = account.run(order).map_err(Trouble::of_code)?;
            match machine.state.is_ended() {
                true => Err(Trouble::new(Class::Spent, "its machine is dead")),
                false => Ok(machine),
            }
        })
    }

    async fn started(&self, launch: &Launch) -> Result<Option<Machine>, Trouble> {
        let token = launch.token();
        self.call(Op::Started, |account| {
            let seen = account.all_seen().map(|it| it.machine.clone());
            Ok(seen
                .filter(|machine| machine.client_token == token)
                .min_by_key(|machine| machine.state.is_ended()))
        })
    }

    async fn resume(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Op::Resume, Verb::Resume, id)
    }

    async fn stop(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Op::Stop, Verb::Stop, id)
    }

    async fn reboot(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.call(Op::Reboot, |account| {
            if account
                .seen(id)
                .is_none_or(|it| it.machine.state.is_ended())
            {
                return Ok(Change::Absent);
            }
            account.reboot(id).map_err(Trouble::of_code)?;
            Ok(Change::Underway)
        })
    }

    async fn retag(&self, id: &MachineId, generation: u32) -> Result<Change, Trouble> {
        self.call(Op::Retag, |account| match account.retag(id, generation) {
            Ok(()) => Ok(Change::Underway),
            Err(NO_MACHINE) => Ok(Change::Absent),
            Err(code) => Err(Trouble::of_code(code)),
        })
    }

    async fn terminate(&self, id: &MachineId) -> Result<Change, Trouble> {
        self.change(Op::Terminate, Verb::Terminate, id)
    }

    async fn describe(&self, ids: &[MachineId]) -> Result<Listing, Trouble> {
        self.call(Op::Describe, |account| {
            let asked = account.all_seen().filter(|it| ids.contains(&it.machine.id));
            let shown = |it: &account::Instance| {
                let mut machine = it.machine.clone();
                machine.owner = machine.owner.filter(|_| it.stack == self.stack);
                machine
            };
            Ok(Listing::asked(ids, asked.map(shown).collect()))
        })
    }

    async fn list(&self, whose: Whose) -> Result<Listing, Trouble> {
        self.call(Op::List, |account| {
            let wanted = |machine: &Machine| match whose {
                Whose::Stack => true,
                Whose::Workspace(id) => machine.owner.is_some_and(|it| it.workspace_id == id),
            };
            let ours = account.all_seen().filter(|it| it.stack == self.stack);
            let living = ours.filter(|it| !it.machine.state.is_ended() && wanted(&it.machine));
            Ok(Listing::tagged(
                whose,
                living.map(|it| it.machine.clone()).collect(),
            ))
        })
    }

    async fn console(&self, id: &MachineId) -> Result<String, Trouble> {
        self.call(Op::Console, |account| {
            Ok(account
                .seen(id)
                .map_or_else(String::new, |it| it.console.clone()))
        })
    }

    async fn leftovers(&self) -> Result<Vec<Volume>, Trouble> {
        self.call(Op::Leftovers, |account| {
            let ours = account
                .left
                .values()
                .filter(|(stack, _)| *stack == self.stack);
            Ok(ours.map(|(_, volume)| volume.clone()).collect())
        })
    }

    async fn delete_volume(&self, id: &VolumeId) -> Result<Change, Trouble> {
        self.call(Op::DeleteVolume, |account| match account.delete(id) {
            Ok(()) => Ok(Change::Underway),
            Err(NO_VOLUME) => Ok(Change::Absent),
            Err(code) => Err(Trouble::of_code(code)),
        })
    }
}

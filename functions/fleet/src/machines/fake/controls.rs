//! What a test does to a fake, and what it looks at.

use std::time::Duration;

use jiff::Timestamp;

use super::{FakeEc2, Fault, Op, account::Order};
use crate::machines::{Machine, MachineId, Owner, State, Volume, VolumeId};

impl FakeEc2 {
    /// The time in the account.
    pub fn now(&self) -> Timestamp {
        self.account().now
    }

    /// Lets time pass: after 20 s boots and stops are through, after an hour dead machines are not
    /// shown, after a day their tokens are free.
    pub fn advance(&self, by: Duration) {
        let mut account = self.account();
        account.settle();
        account.now += by;
        account.settle();
    }

    /// The permissions that the calls since the last look have needed.
    pub fn asked(&self) -> Vec<&'static str> {
        let asked = std::mem::take(&mut self.account().asked);
        asked.into_iter().flat_map(Op::actions).copied().collect()
    }

    /// Breaks the next call of this kind that is not to be broken yet.
    pub fn fail(&self, op: Op, fault: Fault) {
        self.account().faults.add(op, fault);
    }

    /// From now on, EC2 shows machines this long after they were made, to describe and to change.
    pub fn lag(&self, lag: Duration) {
        self.account().lag = lag;
    }

    /// The account may have this many machines that are not being terminated.
    pub fn limit(&self, machines: usize) {
        self.account().limit = machines;
    }

    /// There is no room for this type in this subnet.
    pub fn fill(&self, subnet: &str, instance_type: &str) {
        let place = (subnet.to_owned(), instance_type.to_owned());
        self.account().full.insert(place);
    }

    /// Requests are made otherwise from now on, as after a deployment: repeats of tokens that are
    /// taken do not match.
    pub fn redeploy(&self) {
        self.account().revision += 1;
    }

    /// All machines that are not terminated, of whatever stack, whether EC2 shows them yet or not.
    pub fn alive(&self) -> Vec<Machine> {
        let mut account = self.account();
        account.settle();
        let machines = account.instances.values().map(|it| it.machine.clone());
        machines
            .filter(|machine| !machine.state.is_ended())
            .collect()
    }

    /// A machine comes into this state by itself.
    pub fn put(&self, id: &MachineId, state: State) {
        self.account().put(id, state);
    }

    /// A machine prints this.
    pub fn print(&self, id: &MachineId, text: &str) {
        if let Some(instance) = self.account().instances.get_mut(id) {
            instance.console.push_str(text);
        }
    }

    /// A running machine of another stack, or one of this stack without an owner.
    ///
    /// # Panics
    /// The account is full.
    pub fn stranger(&self, stack: &str, owner: Option<Owner>) -> MachineId {
        let mut account = self.account();
        let number = account.number();
        let machine = account.run(Order {
            token: format!("stranger-{number}"),
            bytes: String::new(),
            stack: stack.to_owned(),
            owner,
            subnet: String::new(),
            instance_type: "t3.nano".to_owned(),
        });
        let id = machine.expect("there is room").id;
        account.put(&id, State::Running);
        id
    }

    /// A disk of this stack that belongs to no machine.
    ///
    /// # Panics
    /// Never: the number has 17 digits.
    pub fn leave(&self, owner: Owner) -> VolumeId {
        let mut account = self.account();
        let id: VolumeId = format!("vol-{:017x}", account.number())
            .parse()
            .expect("17 digits");
        let volume = Volume {
            id: id.clone(),
            owner: Some(owner),
            created_at: Some(account.now),
        };
        account
            .left
            .insert(id.clone(), (self.stack.clone(), volume));
        id
    }
}

//! Starting, stopping, rebooting and ending, one machine at a time.

use aws_sdk_ec2::types::{InstanceStateChange, Tag};

use super::{Ec2, failure::trouble, read};
use crate::machines::{
    Change, MachineId, State, Trouble,
    change::Verb,
    tags,
    trouble::{NO_MACHINE, WRONG_STATE},
};

impl Ec2 {
    /// Sends a change and says what it found.
    pub(super) async fn change(&self, verb: Verb, id: &MachineId) -> Result<Change, Trouble> {
        match self.send(verb, id).await {
            // A state that EC2 took the change in although we would not have: it knows better.
            Ok(before) => Ok(verb.finds(before).unwrap_or(Change::Underway)),
            Err(trouble) if trouble.code() == NO_MACHINE => Ok(Change::Absent),
            // "Not in a state for this" has one code for dead machines and for those on their way.
            Err(trouble) if trouble.code() == WRONG_STATE => match self.state_of(id).await? {
                None => Ok(Change::Absent),
                Some(state) => match verb.finds(state) {
                    // It has changed since: the next try will find it so.
                    Some(Change::Underway) | None => Err(trouble),
                    Some(change) => Ok(change),
                },
            },
            Err(trouble) => Err(trouble),
        }
    }

    /// Reboots a machine unless it is dead. EC2 says yes to the reboot of a terminated machine and
    /// does nothing, so it is looked at first.
    pub(super) async fn reboot_living(&self, id: &MachineId) -> Result<Change, Trouble> {
        if self.state_of(id).await?.is_none_or(State::is_ended) {
            return Ok(Change::Absent);
        }
        let request = self.client.reboot_instances().instance_ids(id.as_str());
        match request.send().await.map_err(trouble) {
            Ok(_) => Ok(Change::Underway),
            Err(trouble) if trouble.code() == NO_MACHINE => Ok(Change::Absent),
            Err(trouble) => Err(trouble),
        }
    }

    /// Writes the tag of the generation over the one there is.
    pub(super) async fn tag(&self, id: &MachineId, generation: u32) -> Result<Change, Trouble> {
        let tag = Tag::builder()
            .key(tags::GENERATION)
            .value(generation.to_string())
            .build();
        let request = self.client.create_tags().resources(id.as_str()).tags(tag);
        match request.send().await.map_err(trouble) {
            Ok(_) => Ok(Change::Underway),
            Err(trouble) if trouble.code() == NO_MACHINE => Ok(Change::Absent),
            Err(trouble) => Err(trouble),
        }
    }

    /// Sends a change; answers with the state before it.
    async fn send(&self, verb: Verb, id: &MachineId) -> Result<State, Trouble> {
        let (client, id) = (&self.client, id.as_str());
        let changes = match verb {
            Verb::Resume => {
                let answer = client.start_instances().instance_ids(id).send().await;
                answer.map_err(trouble)?.starting_instances
            }
            Verb::Stop => {
                let answer = client.stop_instances().instance_ids(id).send().await;
                answer.map_err(trouble)?.stopping_instances
            }
            Verb::Terminate => {
                let answer = client.terminate_instances().instance_ids(id).send().await;
                answer.map_err(trouble)?.terminating_instances
            }
        };
        let changes = changes.unwrap_or_default();
        let before = changes
            .first()
            .and_then(InstanceStateChange::previous_state);
        Ok(read::state(before))
    }

    async fn state_of(&self, id: &MachineId) -> Result<Option<State>, Trouble> {
        let machines = self.by_ids(std::slice::from_ref(id)).await?;
        Ok(machines.first().map(|machine| machine.state))
    }
}

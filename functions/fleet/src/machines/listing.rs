//! What a look at the machines shows, and what may be concluded from it.

use std::{collections::BTreeSet, time::Duration};

use domain::WorkspaceId;
use jiff::Timestamp;

use super::{Class, Machine, MachineId, Trouble};

/// How long EC2 may not show a machine it has made (contract: lifecycle-and-sweepers 10.4).
pub const LAG: Duration = Duration::from_secs(5 * 60);

/// Which machines to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// All of this stack.
    Stack,
    /// Those of one workspace, of whatever generation.
    Workspace(WorkspaceId),
}

#[derive(Debug, Clone)]
enum Scope {
    Tagged(Whose),
    Asked(BTreeSet<MachineId>),
}

/// A whole listing: it is made only once the last page came. A listing that failed, or broke off,
/// is a [`Trouble`] and has no machines.
#[derive(Debug, Clone)]
pub struct Listing {
    machines: Vec<Machine>,
    scope: Scope,
}

/// A machine as a record of ours names it.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Its id.
    pub id: &'a MachineId,
    /// The workspace of the record.
    pub workspace_id: WorkspaceId,
    /// When it was launched, or last resumed.
    pub launched_at: Timestamp,
}

/// What is known of a recorded machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It boots or runs.
    Up,
    /// It stops or is stopped; its disk is there.
    Down,
    /// It is being terminated, or is not there and old enough to be seen.
    Gone,
    /// Nothing is known: the look failed, did not cover it, or came too early. Nothing may be done
    /// to it: taking this for "down" restarts a fleet.
    Unsure,
    /// There is no backend, so nothing can be known or done.
    NoBackend,
}

impl Listing {
    /// All machines with these tags. For implementations, after the last page.
    pub(super) fn tagged(whose: Whose, machines: Vec<Machine>) -> Self {
        let scope = Scope::Tagged(whose);
        Self { machines, scope }
    }

    /// All that is there of these ids. For implementations, after the last page.
    pub(super) fn asked(ids: &[MachineId], machines: Vec<Machine>) -> Self {
        let scope = Scope::Asked(ids.iter().cloned().collect());
        Self { machines, scope }
    }

    /// The machines, in no order.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The machine of this id, if it was seen. That it was not means little: see
    /// [`Listing::presence`].
    pub fn machine(&self, id: &MachineId) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.id == *id)
    }

    /// What this listing says of a recorded machine (contract: lifecycle-and-sweepers 10.4).
    pub fn presence(&self, recorded: Recorded<'_>, now: Timestamp) -> Presence {
        use super::State::{Other, Pending, Running, ShuttingDown, Stopped, Stopping, Terminated};
        if let Some(machine) = self.machine(recorded.id) {
            return match machine.state {
                Pending | Running => Presence::Up,
                Stopping | Stopped => Presence::Down,
                ShuttingDown | Terminated => Presence::Gone,
                Other => Presence::Unsure,
            };
        }
        let covered = match &self.scope {
            Scope::Tagged(Whose::Stack) => true,
            Scope::Tagged(Whose::Workspace(id)) => *id == recorded.workspace_id,
            Scope::Asked(ids) => ids.contains(recorded.id),
        };
        let age = now.duration_since(recorded.launched_at);
        if covered && age.unsigned_abs() >= LAG && age.is_positive() {
            Presence::Gone
        } else {
            Presence::Unsure
        }
    }
}

impl Presence {
    /// What an answer says of a recorded machine, whether it is a listing or not.
    pub fn of(answer: &Result<Listing, Trouble>, recorded: Recorded<'_>, now: Timestamp) -> Self {
        match answer {
            Ok(listing) => listing.presence(recorded, now),
            Err(trouble) if trouble.class() == Class::NoBackend => Self::NoBackend,
            Err(_) => Self::Unsure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::{
        State,
        tests::{machine, workspace},
    };

    const LAUNCHED: Timestamp = Timestamp::UNIX_EPOCH;

    fn recorded(id: &MachineId) -> Recorded<'_> {
        let workspace_id = workspace(1);
        let launched_at = LAUNCHED;
        Recorded {
            id,
            workspace_id,
            launched_at,
        }
    }

    fn after(seconds: u64) -> Timestamp {
        LAUNCHED + Duration::from_secs(seconds)
    }

    #[test]
    fn every_state_says_something_definite_or_unsure() {
        for (state, expected) in [
            (State::Pending, Presence::Up),
            (State::Running, Presence::Up),
            (State::Stopping, Presence::Down),
            (State::Stopped, Presence::Down),
            (State::ShuttingDown, Presence::Gone),
            (State::Terminated, Presence::Gone),
            (State::Other, Presence::Unsure),
        ] {
            let machine = machine(1, state);
            let id = machine.id.clone();
            let listing = Listing::asked(std::slice::from_ref(&id), vec![machine]);
            // However young or old.
            for now in [after(0), after(10_000)] {
                assert_eq!(listing.presence(recorded(&id), now), expected, "{state:?}");
            }
        }
    }

    #[test]
    fn a_missing_machine_is_gone_only_when_it_was_asked_for_and_is_old_enough() {
        let id = machine(1, State::Running).id;
        let other = machine(2, State::Running).id;
        let now = after(300);
        let cases = [
            (
                Listing::asked(std::slice::from_ref(&id), vec![]),
                Presence::Gone,
            ),
            (Listing::asked(&[other], vec![]), Presence::Unsure),
            (Listing::tagged(Whose::Stack, vec![]), Presence::Gone),
            (
                Listing::tagged(Whose::Workspace(workspace(1)), vec![]),
                Presence::Gone,
            ),
            (
                Listing::tagged(Whose::Workspace(workspace(2)), vec![]),
                Presence::Unsure,
            ),
        ];
        for (listing, expected) in cases {
            assert_eq!(
                listing.presence(recorded(&id), now),
                expected,
                "{listing:?}"
            );
            assert_eq!(
                listing.presence(recorded(&id), after(299)),
                Presence::Unsure
            );
            // A clock that runs behind proves nothing either.
            let before = LAUNCHED - Duration::from_secs(1_000);
            assert_eq!(listing.presence(recorded(&id), before), Presence::Unsure);
        }
    }

    #[test]
    fn a_look_that_failed_proves_nothing() {
        let id = machine(1, State::Running).id;
        for class in Class::ALL {
            let failed = Err(Trouble::new(class, "x"));
            let expected = match class {
                Class::NoBackend => Presence::NoBackend,
                _ => Presence::Unsure,
            };
            assert_eq!(
                Presence::of(&failed, recorded(&id), after(10_000)),
                expected
            );
        }
    }
}

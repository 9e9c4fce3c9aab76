//! The life of a workspace: every change of its status that is not a heartbeat's or a register's.
//!
//! One transaction changes the status, the gate, what its machine should be, when somebody must look
//! again, and writes the event and the job. Whoever comes with an older generation loses.

mod act;
mod due;
mod exchange;
mod machine;
mod pulse;
mod writes;

use std::net::IpAddr;

pub use act::{Acted, Ask};
use domain::{
    WorkspaceId,
    job::Job,
    lifecycle::{LOOK_EVERY, STOP_WITHIN, Wanted},
};
pub use due::{MachinesDue, Watched};
pub use exchange::Claim;
use jiff::Timestamp;
pub use machine::Found;
pub use pulse::{Pulse, Pulses, Use};
use serde::{Deserialize, Serialize};

use crate::{
    expr::{Change, Write, item},
    keys::{self, DUE},
    ledger::pending,
};

/// What a workspace's machine should be, and which one it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Whether machines of ours run it; else only its registering is waited for.
    pub ours: bool,
    /// Rises with every wish: an older one loses.
    pub generation: u32,
    /// What it should be.
    pub wanted: Wanted,
    /// The generation whose wish has been fulfilled, as far as the cloud was asked.
    #[serde(default)]
    pub done: u32,
    /// How many machines were tried for this generation, from 1: each has its own client token.
    pub attempt: u32,
    /// Whether this generation's process begins without the session of the one before: it was asked
    /// for with this start, or with an earlier one after which no agent came up.
    #[serde(default)]
    pub reset_session: bool,
    /// The machine, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Its address inside the VPC, as the cloud told it: the one private address that its agent may
    /// register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip: Option<IpAddr>,
    /// The image that the last exchange named, as the machine was told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// When the machine was launched.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub launched_at: Option<Timestamp>,
    /// When the platform last started it anew by itself.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub revived_at: Option<Timestamp>,
    /// When this generation was wished for.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub wished_at: Option<Timestamp>,
    /// Until when it must have registered, if it is to boot: fixed with the generation, so that no
    /// edit of the workspace starts the clock anew.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub boot_by: Option<Timestamp>,
    /// Where its entry in the `due` index is, if somebody must look again. Who looks names it in
    /// the write, so that of two only one acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
}

impl Machine {
    /// The wish to have a new workspace running.
    pub fn new(ours: bool) -> Self {
        Self {
            ours,
            generation: 1,
            wanted: Wanted::Running,
            done: 0,
            attempt: 1,
            reset_session: false,
            instance_id: None,
            private_ip: None,
            image: None,
            launched_at: None,
            revived_at: None,
            wished_at: None,
            boot_by: None,
            due_at: None,
        }
    }

    /// Whether this generation's wish is still to be fulfilled.
    pub fn is_due(&self, generation: u32) -> bool {
        self.generation == generation && self.done < generation
    }
}

/// The kind of the `due` entries of machines.
const KIND: &str = "MACHINE";

/// When somebody first looks at a boot: a lost job is found well before the deadline.
fn first_look(ours: bool, deadline: Timestamp, now: Timestamp) -> Timestamp {
    if ours {
        deadline.min(now + LOOK_EVERY)
    } else {
        deadline
    }
}

/// Has somebody look at a machine at this moment.
fn due(change: Change, id: WorkspaceId, at: Timestamp) -> Change {
    change
        .set(DUE.pk, keys::due(KIND, keys::shard(id)))
        .set(DUE.sk, keys::due_at(at, &id.to_string()))
}

/// The machine of a new workspace, and the job that brings it up.
pub(crate) fn born(
    id: WorkspaceId,
    machine: &Machine,
    deadline: Timestamp,
    now: Timestamp,
) -> Vec<Write> {
    let look = first_look(machine.ours, deadline, now);
    let born = Machine {
        wished_at: Some(now),
        boot_by: Some(deadline),
        due_at: Some(keys::due_at(look, &id.to_string())),
        ..machine.clone()
    };
    let mut row = item(keys::machine(id), &born);
    let partition = crate::expr::value(keys::due(KIND, keys::shard(id)));
    row.insert(DUE.pk.to_owned(), partition);
    let mut writes = vec![Write::put_item(row).if_new()];
    if machine.ours {
        let job = Job::ProvisionV1 {
            workspace_id: id,
            generation: machine.generation,
        };
        writes.push(pending(id, &job, now));
    }
    writes
}

/// What removal means for a machine as it was read: it is to go, and somebody sees to that.
pub(crate) fn removed(id: WorkspaceId, machine: &Machine, now: Timestamp) -> Vec<Write> {
    if !machine.ours {
        return vec![Write::delete(keys::machine(id))];
    }
    let generation = machine.generation + 1;
    let change = Change::at(keys::machine(id))
        .when("attribute_exists(pk) AND #generation = :before")
        .naming("generation")
        .with("before", machine.generation)
        .set("generation", generation)
        .set("wanted", Wanted::Gone)
        .set("wished_at", now.as_microsecond())
        .remove("boot_by");
    let change = due(change, id, now + STOP_WITHIN);
    let job = Job::StopV1 {
        workspace_id: id,
        generation,
    };
    vec![change.into(), pending(id, &job, now)]
}

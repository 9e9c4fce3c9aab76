//! The life of a workspace: every change of its status that is not a heartbeat's or a register's.
//!
//! One transaction changes the status, the gate, what its machine should be, when somebody must look
//! again, and writes the event and the job. Whoever comes with an older generation loses.

mod act;
mod exchange;
mod machine;

pub use act::{Acted, Ask};
use domain::{
    WorkspaceId,
    job::Job,
    lifecycle::{STOP_WITHIN, Wanted},
};
pub use exchange::Claim;
use jiff::Timestamp;
pub use machine::Found;
use serde::{Deserialize, Serialize};

use crate::{
    expr::{Change, Write, item, value},
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
    /// Whether this generation's process begins without the session of the one before.
    #[serde(default)]
    pub reset_session: bool,
    /// The machine, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
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
            launched_at: None,
            revived_at: None,
        }
    }

    /// Whether this generation's wish is still to be fulfilled.
    pub fn is_due(&self, generation: u32) -> bool {
        self.generation == generation && self.done < generation
    }
}

/// The machine of a new workspace, and the job that brings it up.
pub(crate) fn born(
    id: WorkspaceId,
    machine: &Machine,
    deadline: Timestamp,
    now: Timestamp,
) -> Vec<Write> {
    let mut row = item(keys::machine(id), machine);
    let due = keys::due_at(deadline, &id.to_string());
    row.insert(
        DUE.pk.to_owned(),
        value(keys::due("MACHINE", keys::shard(id))),
    );
    row.insert(DUE.sk.to_owned(), value(due));
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
        .set(DUE.pk, keys::due("MACHINE", keys::shard(id)))
        .set(DUE.sk, keys::due_at(now + STOP_WITHIN, &id.to_string()));
    let job = Job::StopV1 {
        workspace_id: id,
        generation,
    };
    vec![change.into(), pending(id, &job, now)]
}

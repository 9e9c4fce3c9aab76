//! `instance_events`: EC2 tells that a machine stopped or died.
//!
//! Events are best effort and may be late, so one is only a reason to look; the sweeps find all of
//! it without them. EC2 tells of every machine of the account: those that no record of ours names
//! are nobody's to touch.

use domain::{
    Result,
    lifecycle::{Act, Wanted},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{lifecycle::Ask, workspaces::Parts};

use crate::{
    Crew,
    crew::{asked, or_without},
    machines::{MachineId, Machines, Presence},
    stop,
};

/// What EventBridge sends.
#[derive(Debug, Deserialize)]
pub struct Told {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
struct Detail {
    #[serde(rename = "instance-id")]
    instance_id: String,
}

/// Looks at the machine the event is about.
///
/// # Errors
/// EC2 or the datastore did not answer: Lambda tries twice more, then the sweep finds it.
pub async fn handle<M: Machines>(crew: &'static Crew<M>, told: Told) -> Result<Value> {
    // Not one of ours, if it is no id.
    if let Ok(machine) = told.detail.instance_id.parse() {
        look(crew, &machine, Timestamp::now()).await?;
    }
    Ok(json!({}))
}

/// Starts a workspace anew whose machine is down and should run, and finishes what was to stop.
///
/// # Errors
/// EC2 or the datastore did not answer.
pub async fn look<M: Machines>(crew: &Crew<M>, machine: &MachineId, now: Timestamp) -> Result<()> {
    let listing = crew.machines.describe(std::slice::from_ref(machine)).await;
    let Some(listing) = or_without(listing.map(Some), None)? else {
        return Ok(());
    };
    let Some(owner) = listing.machine(machine).and_then(|it| it.owner) else {
        return Ok(());
    };
    let id = owner.workspace_id;
    let rows = crew.app.store.rows(Parts::WithMachine.keys(id)).await?;
    let record = match rows.workspace(id)? {
        Some(workspace) => workspace.machine,
        // Purged: the record outlives it.
        None => crew.app.store.machine(id).await?,
    };
    let Some(record) = record.filter(|it| it.instance_id.as_deref() == Some(machine.as_str()))
    else {
        return Ok(());
    };
    let generation = record.generation;
    let presence = listing.presence(asked(machine, id, &record), now);
    match (record.wanted, presence) {
        (Wanted::Running, Presence::Down | Presence::Gone) => {
            // While it boots, its deadline is the judge; and what came up is left alone for a while.
            let runtime = rows.workspace(id)?.map(|it| it.meta.runtime);
            let boot_within = crew
                .app
                .settings
                .fleet
                .boot_within(&runtime.unwrap_or_default());
            // First that it is offline, which is told and stays where it may not be started anew yet.
            let silence = Ask::new(&Act::Silence, None, now).of_generation(generation);
            crew.app.store.act(id, &silence).await?;
            let revive = Ask::new(&Act::Revive, boot_within, now).of_generation(generation);
            let acted = crew.app.store.act(id, &revive).await?;
            tracing::warn!(workspace_id = %id, instance_id = %machine, ?acted, "a machine went down");
        }
        (Wanted::Stopped | Wanted::Gone, Presence::Down | Presence::Gone) => {
            stop::stop(crew, id, generation, now).await?;
        }
        (_, Presence::Up | Presence::Unsure | Presence::NoBackend) => {}
    }
    Ok(())
}

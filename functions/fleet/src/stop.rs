//! `stop`: what is to be stopped or gone, made so (contract: lifecycle-and-sweepers 10.3).
//!
//! It works from the machine's record and from tags, so also for workspaces that are removed or
//! purged: their record stays until nothing of theirs runs.

use domain::{
    Error, Result, WorkspaceId,
    job::Job,
    lifecycle::{Act, Wanted},
};
use jiff::Timestamp;
use store::lifecycle::{Ask, Found, Machine as Record};

use crate::{
    Crew,
    crew::{asked, later, or_without, recorded},
    jobs::{Batch, Progress, Queue, Said},
    machines::{Backend, Change, Class, Machine, MachineId, Machines, Presence, State, Whose},
};

/// The context of `stop`.
#[derive(Debug)]
pub struct Stopper<M = Backend> {
    /// The machines.
    pub crew: Crew<M>,
    /// Where its jobs come from.
    pub queue: Queue,
}

/// Works on jobs of the queue.
///
/// # Errors
/// Never: a job that fails comes back.
pub async fn handle<M: Machines>(on: &'static Stopper<M>, batch: Batch) -> Result<Said> {
    let work = |job| async move {
        match job {
            Job::StopV1 {
                workspace_id,
                generation,
            } => stop(&on.crew, workspace_id, generation, Timestamp::now()).await,
            other => Err(Error::internal(format!(
                "a job of another queue: {other:?}"
            ))),
        }
    };
    Ok(on.queue.each(batch, work).await)
}

/// Makes the machines of a workspace what this generation wants, if it wants them down; done as
/// often as it is asked.
///
/// # Errors
/// EC2 or the datastore did not answer, or EC2 refused.
pub async fn stop<M: Machines>(
    crew: &Crew<M>,
    id: WorkspaceId,
    generation: u32,
    now: Timestamp,
) -> Result<Progress> {
    let Some(record) = crew.app.store.machine(id).await? else {
        return Ok(Progress::Done);
    };
    if !record.ours || record.generation != generation {
        return Ok(Progress::Done);
    }
    match record.wanted {
        Wanted::Running => Ok(Progress::Done),
        Wanted::Stopped => stop_all(crew, id, &record, now).await,
        Wanted::Gone => end_all(crew, id, &record, now).await,
    }
}

/// The machines of a workspace: the recorded one and those with its tags, and what is known of the
/// recorded one. A listing that failed or broke off is an error and never "none".
struct Seen {
    machines: Vec<Machine>,
    recorded: Option<(MachineId, Presence)>,
}

async fn seen<M: Machines>(
    crew: &Crew<M>,
    id: WorkspaceId,
    record: &Record,
    now: Timestamp,
) -> Result<Seen> {
    let mut machines = Vec::new();
    let mut known = None;
    if let Some(machine) = recorded(record) {
        let ids = std::slice::from_ref(&machine);
        // Without a backend nothing can be done to a machine that is on file: somebody must see.
        let listing = crew.machines.describe(ids).await.map_err(later)?;
        let presence = listing.presence(asked(&machine, id, record), now);
        machines.extend(listing.machine(&machine).cloned());
        known = Some((machine, presence));
    }
    let tagged = crew.machines.list(Whose::Workspace(id)).await;
    let tagged = or_without(tagged.map(|it| it.machines().to_vec()), Vec::new())?;
    let mine = |it: &Machine| it.owner.is_some_and(|owner| owner.workspace_id == id);
    for machine in tagged.into_iter().filter(mine) {
        if !machines.iter().any(|it| it.id == machine.id) {
            machines.push(machine);
        }
    }
    Ok(Seen {
        machines,
        recorded: known,
    })
}

async fn stop_all<M: Machines>(
    crew: &Crew<M>,
    id: WorkspaceId,
    record: &Record,
    now: Timestamp,
) -> Result<Progress> {
    let (store, generation) = (&crew.app.store, record.generation);
    let all = seen(crew, id, record, now).await?;
    let mut moving = matches!(all.recorded, Some((_, Presence::Unsure)));
    for machine in &all.machines {
        if machine.state == State::Stopped || machine.state.is_ended() {
            continue;
        }
        moving = true;
        match crew.machines.stop(&machine.id).await {
            Ok(_) => {}
            // It boots: it can be stopped once it has.
            Err(trouble) if trouble.class() == Class::WrongState => {}
            Err(trouble) => return Err(later(trouble)),
        }
    }
    if moving {
        return Ok(Progress::Later("its machine has not stopped yet"));
    }
    // First the status, then the record: a crash in between repeats both.
    let boot_within = crew.app.settings.fleet.boot_within("");
    let asleep = Ask::new(&Act::FallAsleep, boot_within, now).of_generation(generation);
    store.act(id, &asleep).await?;
    if matches!(all.recorded, Some((_, Presence::Gone))) {
        store.found(id, generation, &Found::Gone).await?;
    }
    store.found(id, generation, &Found::Stopped).await?;
    Ok(Progress::Done)
}

async fn end_all<M: Machines>(
    crew: &Crew<M>,
    id: WorkspaceId,
    record: &Record,
    now: Timestamp,
) -> Result<Progress> {
    let all = seen(crew, id, record, now).await?;
    let mut failed = None;
    // Not seen yet is no reason to leave it: it is asked to go by its id as well.
    let unseen = all
        .recorded
        .iter()
        .filter_map(|(machine, presence)| (*presence == Presence::Unsure).then_some(machine));
    let living = all.machines.iter().filter(|it| !it.state.is_ended());
    for machine in living.map(|it| &it.id).chain(unseen.clone()) {
        // One after the other, and each though another fails.
        match crew.machines.terminate(machine).await {
            Ok(Change::Underway | Change::Already) => {}
            Ok(Change::Absent) if unseen.clone().any(|it| it == machine) => {
                return Ok(Progress::Later("its machine cannot be seen yet"));
            }
            Ok(Change::Absent) => {}
            Err(trouble) => failed = Some(trouble),
        }
    }
    if let Some(trouble) = failed {
        return Err(later(trouble));
    }
    crew.app.store.forget_machine(id, record.generation).await?;
    Ok(Progress::Done)
}

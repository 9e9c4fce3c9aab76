//! Creating what was planned: parents first, a few at the same time, until one fails.

use std::{collections::BTreeMap, time::Duration};

use domain::{Error, Result, event::Event, workspace::Status};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::Timestamp;
use store::{
    lifecycle::Machine,
    workspaces::{Created, Meta, NewWorkspace},
};
use tokio::time::Instant;

use super::{
    plan::Planned,
    schedules::{self, Made},
};
use crate::Importer;

/// How many are created at the same time (contract 7.4). Siblings check one parent in their
/// transactions: more would mostly wait for one another.
const AT_ONCE: usize = 3;

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Those that are there, by their place in the plan, each with what became of its schedules.
    pub created: BTreeMap<usize, Made>,
    /// Those that could not be created.
    pub failed: Vec<(usize, Error)>,
}

/// Creates the workspaces of a plan. None is begun after one failed, or when the time is over;
/// those that were created stay.
pub async fn create(
    context: &Importer,
    plan: &[Planned],
    now: Timestamp,
    time: Duration,
) -> Outcome {
    let until = Instant::now() + time;
    let (mut outcome, mut running) = (Outcome::default(), FuturesUnordered::new());
    let mut ready: Vec<usize> = below(plan, None);
    loop {
        while running.len() < AT_ONCE && outcome.failed.is_empty() && Instant::now() < until {
            let Some(next) = ready.pop() else { break };
            running.push(async move { (next, one(context, plan, next, now, until).await) });
        }
        match running.next().await {
            Some((done, Ok(made))) => {
                outcome.created.insert(done, made);
                // In front of what waits already: a branch is finished before the next begins.
                ready.extend(below(plan, Some(done)));
            }
            Some((failed, Err(error))) => outcome.failed.push((failed, error)),
            None => break,
        }
    }
    outcome
}

/// The children of a place in the plan, the last first: they are taken from the end.
fn below(plan: &[Planned], parent: Option<usize>) -> Vec<usize> {
    let children = plan.iter().enumerate().rev();
    let children = children.filter(|(_, it)| it.parent == parent);
    children.map(|(at, _)| at).collect()
}

async fn one(
    context: &Importer,
    plan: &[Planned],
    at: usize,
    now: Timestamp,
    until: Instant,
) -> Result<Made> {
    let Some(planned) = plan.get(at) else {
        return Ok(Made::default());
    };
    let sealed = context.vault.seal(planned.place.id, &planned.secrets, now);
    let sealed = sealed.await?;
    let parent = planned.parent.and_then(|parent| plan.get(parent));
    let meta = meta(planned, now);
    let fleet = &context.app.settings.fleet;
    let machine = (!meta.is_external()).then(|| {
        let deadline = now + fleet.boot_within(&meta.runtime);
        (Machine::new(fleet.runs(&meta.runtime)), deadline)
    });
    let (status, events) = beginning(planned);
    let new = NewWorkspace {
        meta,
        status,
        parent: parent.map(|parent| &parent.place),
        events,
        token: None,
        machine,
        secrets: sealed.as_ref(),
        once: None,
    };
    let (store, settings) = (&context.app.store, &context.app.settings);
    match store
        .create_workspace_within(settings.max_workspaces, &new)
        .await?
    {
        Created::Yes => Ok(schedules::make(context.app, planned, now, until).await),
        Created::ParentChanged => Err(Error::conflict("its parent was moved or removed")),
        Created::Full(there) => Err(settings.quota_reached(there)),
        Created::Exists | Created::Repeat => Err(Error::internal("a random id is taken")),
    }
}

/// External ones are online at once, with or without an address (contract 7.4).
fn beginning(planned: &Planned) -> (Status, Vec<Event>) {
    let created = Event::Imported {
        name: planned.name.clone(),
        tier: planned.tier,
        runtime: planned.runtime.clone(),
        x: planned.beside_parent.0,
        y: planned.beside_parent.1,
        parent_id: planned.place.parent(),
    };
    let name = planned.name.clone();
    match planned.runtime.as_str() {
        "external" => (
            Status::Online,
            vec![created, Event::ExternalOnline { name }],
        ),
        _ => (Status::Provisioning, vec![created]),
    }
}

fn meta(planned: &Planned, now: Timestamp) -> Meta {
    Meta {
        role: planned.role.clone(),
        tier: planned.tier,
        model: Some(planned.model.clone()),
        url: planned.url.clone(),
        path: planned.place.path.clone(),
        template: planned.template.clone(),
        workspace_dir: planned.workspace_dir.clone(),
        workspace_access: planned.workspace_access.clone(),
        max_concurrent_tasks: planned.max_concurrent_tasks,
        x: planned.at.0,
        y: planned.at.1,
        ..Meta::new(planned.place.id, &planned.name, &planned.runtime, now)
    }
}

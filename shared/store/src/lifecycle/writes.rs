//! The writes of an act beside the hot item: address and gate, and what is wished of the machine (its
//! generation, its deadline, who looks again, the job).

use domain::{
    WorkspaceId,
    job::Job,
    lifecycle::{self, Act, Host, REVIVE_PAUSE, STOP_WITHIN, Turn, Wanted},
    workspace::Status,
};

use super::{Ask, act::host, due, first_look};
use crate::{
    expr::{Change, Write},
    keys::{self, DUE},
    ledger::pending,
    workspaces::Workspace,
};

/// Whether the process of before is over.
pub(super) fn ends_process(turn: &Turn) -> bool {
    matches!(
        turn.to,
        Status::Provisioning | Status::AwaitingAgent | Status::Paused | Status::Hibernated
    )
}

/// The address and the task go with the process; why it failed stays. Who runs it follows from what
/// runs in it, so that must still be what was read.
pub(super) fn cold(workspace: &Workspace, turn: &Turn, act: &Act) -> Write {
    let key = keys::meta(workspace.meta.id);
    let runtime = &workspace.meta.runtime;
    let there =
        "attribute_exists(pk) AND attribute_not_exists(#removed_at) AND #runtime = :runtime";
    let change = Change::at(key.clone())
        .when(there)
        .naming("removed_at")
        .naming("runtime")
        .with("runtime", runtime);
    match act {
        Act::Fail(failure) => change
            .set("last_sample_error", failure.sample_error())
            .into(),
        _ if ends_process(turn) => change.set("url", "").set("current_task", "").into(),
        _ => Write::check(key)
            .when(there)
            .naming("removed_at")
            .naming("runtime")
            .with("runtime", runtime),
    }
}

/// The gate. Nobody is sent to sleep, or started anew for an image, over a message that came in
/// meanwhile.
pub(super) fn load(workspace: &Workspace, turn: &Turn, act: &Act) -> Write {
    let key = keys::load(workspace.meta.id);
    let Some(gate) = turn.gate else {
        return Write::check(key).if_there();
    };
    let change = Change::at(key).set("gate", gate);
    if act.spares_work() {
        return change
            .when("attribute_exists(pk) AND #running = :none AND #waiting = :none")
            .naming("running")
            .naming("waiting")
            .with("none", 0)
            .into();
    }
    change.when("attribute_exists(pk)").into()
}

/// Whether it begins a new generation: every wish does, and every boot by hand, so that a deadline
/// always belongs to one.
pub(super) fn rises(turn: &Turn) -> bool {
    turn.wanted.is_some() || turn.to == Status::Provisioning
}

/// What the machine should be, and when somebody looks whether it is.
pub(super) fn machine(workspace: &Workspace, turn: &Turn, ask: &Ask<'_>) -> Option<Change> {
    let (id, now) = (workspace.meta.id, ask.now);
    let (boots, change) = (
        turn.to == Status::Provisioning,
        Change::at(keys::machine(id)),
    );
    let Some(machine) = &workspace.machine else {
        // Run by hand so far: unless it gets a machine, only its registering is waited for.
        let ours = host(workspace, ask) == Host::Machine;
        let change = change
            .when("attribute_not_exists(pk)")
            .set("ours", ours)
            .set("generation", 1)
            .set("attempt", 1)
            .set("wanted", Wanted::Running);
        return boots.then(|| booting(change, workspace, ours, ask));
    };
    let change = change
        .when("attribute_exists(pk) AND #generation = :before")
        .naming("generation")
        .with("before", machine.generation);
    if rises(turn) {
        let change = change
            .set("generation", machine.generation + 1)
            .set("attempt", 1)
            .set("wanted", turn.wanted.unwrap_or(Wanted::Running));
        let change = match ask.act {
            Act::Revive => change.set("revived_at", now.as_microsecond()),
            _ => change,
        };
        let ours = host(workspace, ask) == Host::Machine;
        let change = change.set("ours", ours);
        return Some(if boots {
            booting(change, workspace, ours, ask)
        } else {
            let change = change
                .set("wished_at", now.as_microsecond())
                .remove("boot_by");
            due(change, id, now + STOP_WITHIN)
        });
    }
    match ask.act {
        Act::Fail(_) => Some(change.remove("boot_by").remove(DUE.pk).remove(DUE.sk)),
        // Whoever silenced it may not live to start it anew: then the sweep of what is due does.
        Act::Silence if machine.ours && machine.wanted == Wanted::Running => {
            let rested = machine.revived_at.map(|last| last + REVIVE_PAUSE);
            Some(due(change, id, rested.map_or(now, |at| at.max(now))))
        }
        _ => None,
    }
}

fn booting(change: Change, workspace: &Workspace, ours: bool, ask: &Ask<'_>) -> Change {
    let id = workspace.meta.id;
    let needs = || lifecycle::boot_within(&workspace.meta.runtime);
    let deadline = ask.now + ask.boot_within.unwrap_or_else(needs);
    let change = change
        .set("reset_session", ask.reset || still_resets(workspace))
        .set("wished_at", ask.now.as_microsecond())
        .set("boot_by", deadline.as_microsecond());
    due(change, id, first_look(ours, deadline, ask.now))
}

/// Whether a start without the session of before was asked for, and no agent has come up since: a
/// start that overtakes it is one without that session as well. What is told of a restart stays with
/// the beat until the agent is back, so this needs no write of its own.
fn still_resets(workspace: &Workspace) -> bool {
    let asked = workspace
        .machine
        .as_ref()
        .is_some_and(|it| it.reset_session);
    let beat = workspace.beat.as_ref();
    asked && beat.is_some_and(|beat| beat.restart.is_some())
}

/// The job for what is wished now.
pub(super) fn job(workspace: &Workspace, turn: &Turn, ask: &Ask<'_>) -> Option<Write> {
    let id = workspace.meta.id;
    if host(workspace, ask) != Host::Machine {
        return None;
    }
    let before = workspace.machine.as_ref().map_or(0, |it| it.generation);
    let generation = before + 1;
    let job = match turn.wanted? {
        Wanted::Running => Job::ProvisionV1 {
            workspace_id: id,
            generation,
        },
        Wanted::Stopped | Wanted::Gone => Job::StopV1 {
            workspace_id: id,
            generation,
        },
    };
    Some(pending(id, &job, ask.now))
}

/// The check that an ancestor is not paused.
pub(super) fn not_paused(ancestor: WorkspaceId) -> Write {
    // One that is removed takes this one with it in a moment; it does not hold it.
    Write::check(keys::beat(ancestor))
        .when("attribute_not_exists(pk) OR #status <> :paused")
        .naming("status")
        .with("paused", Status::Paused)
}

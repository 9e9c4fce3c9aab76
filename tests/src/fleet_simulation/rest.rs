//! What must be in the end: every workspace where its wish is, and no machine too many.

use domain::{
    WorkspaceId,
    lifecycle::{Host, Wanted},
    workspace::Status,
};
use fleet::machines::{Machine, State};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use store::{
    beats::Beat,
    keys::{self, Key},
    lifecycle::Machine as Record,
    workspaces::{Meta, Workspace},
};

use super::{agents::Runs, sim::Sim};

/// Attribute values without their types.
fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|it| it.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "N" => inner
            .as_str()
            .and_then(|it| serde_json::from_str(it).ok())
            .unwrap_or(Value::Null),
        "L" => inner.as_array().into_iter().flatten().map(plain).collect(),
        "M" => {
            let entries = inner.as_object().into_iter().flatten();
            Value::Object(entries.map(|(k, v)| (k.clone(), plain(v))).collect())
        }
        "NULL" => Value::Null,
        _ => inner.clone(),
    }
}

fn row<T: DeserializeOwned>(sim: &Sim, key: &Key) -> Option<T> {
    let row = sim.row(key)?;
    let fields = row.as_object().into_iter().flatten();
    let fields: Map<_, _> = fields.map(|(k, v)| (k.clone(), plain(v))).collect();
    let row = json!(fields);
    Some(serde_json::from_value(row).expect("a row that can be read"))
}

/// A workspace by its rows; none if there is no cold item.
pub(super) fn read(sim: &Sim, id: WorkspaceId) -> Option<Workspace> {
    let meta: Meta = row(sim, &keys::meta(id))?;
    Some(Workspace {
        meta,
        beat: row::<Beat>(sim, &keys::beat(id)),
        card: None,
        load: None,
        machine: record(sim, id),
    })
}

fn record(sim: &Sim, id: WorkspaceId) -> Option<Record> {
    row(sim, &keys::machine(id))
}

/// What is not at rest, or not as it should be.
pub(super) fn left(sim: &Sim) -> Vec<String> {
    let mut left = Vec::new();
    if !sim.queue.is_empty() || !sim.stream.is_empty() || sim.running() > 0 {
        left.push(format!(
            "on its way: {:?} {:?}, {} run",
            sim.queue,
            sim.stream,
            sim.running()
        ));
    }
    let alive = sim.ec2.alive();
    let known: Vec<WorkspaceId> = sim.places.iter().map(|it| it.id).collect();
    for machine in &alive {
        let foreign = sim.foreign.contains(&machine.id);
        let owner = machine.owner.map(|it| it.workspace_id);
        if !foreign && owner.is_none_or(|owner| !known.contains(&owner)) {
            left.push(format!("nobody's machine lives: {machine:?}"));
        }
    }
    for id in &sim.foreign {
        let runs = |it: &Machine| it.id == *id && it.state == State::Running;
        if !alive.iter().any(runs) {
            left.push(format!("the stranger {id} does not run any more"));
        }
    }
    for id in known {
        let of = |it: &&Machine| it.owner.is_some_and(|owner| owner.workspace_id == id);
        let machines: Vec<&Machine> = alive.iter().filter(of).collect();
        if let Some(why) = place(sim, id, &machines) {
            let (found, record) = (read(sim, id), record(sim, id));
            let status = found.map(|it| it.status());
            left.push(format!("{why}: {id} {status:?} {record:?} {machines:?}"));
        }
    }
    let jobs = sim
        .dynamo
        .table()
        .items
        .keys()
        .filter(|id| id.0.starts_with("JOB#"))
        .count();
    if jobs > 0 {
        left.push(format!("{jobs} jobs that nobody carries"));
    }
    left
}

fn place(sim: &Sim, id: WorkspaceId, machines: &[&Machine]) -> Option<&'static str> {
    let up: Vec<&&Machine> = machines.iter().filter(|it| it.state.is_up()).collect();
    let workspace = read(sim, id).filter(|it| it.beat.is_some());
    let Some(workspace) = workspace else {
        return match (record(sim, id), machines) {
            (None, []) => None,
            (Some(_), _) => Some("removed, and its machine is on file"),
            (None, _) => Some("removed, and it has a machine"),
        };
    };
    if up.len() > 1 {
        return Some("two machines live");
    }
    let status = workspace.status();
    if matches!(
        status,
        Status::Provisioning | Status::Hibernating | Status::Removed
    ) {
        return Some("on its way for ever");
    }
    if workspace.host() != Host::Machine {
        return (!machines.is_empty()).then_some("a machine of one that has none");
    }
    let record = workspace.machine.as_ref()?;
    let recorded = machines
        .iter()
        .find(|it| record.instance_id.as_deref() == Some(it.id.as_str()));
    let above = &workspace.meta.path;
    let held = above.iter().filter_map(|it| read(sim, *it));
    let held = held.into_iter().any(|it| it.status() == Status::Paused);
    let rests = matches!(status, Status::Paused | Status::Hibernated | Status::Failed);
    match record.wanted {
        Wanted::Gone => Some("it lives, and its machine is to go"),
        Wanted::Running if rests => Some("it rests, and its machine is to run"),
        Wanted::Running if status == Status::Offline && held => None,
        Wanted::Running if !status.answers() => Some("it is to run, and does not"),
        Wanted::Running => match recorded {
            None => Some("the record lies"),
            Some(it) if !it.state.is_up() => Some("online without a machine"),
            Some(it)
                if it
                    .owner
                    .is_none_or(|owner| owner.generation != record.generation) =>
            {
                Some("a machine of another generation")
            }
            Some(it) => {
                let runs = sim.agents.get(&it.id).map(|agent| &agent.runs);
                let fine = matches!(runs, Some(Runs::Registered(_)));
                (!fine).then_some("its agent is not up")
            }
        },
        Wanted::Stopped if !rests => Some("it is to rest, and does not"),
        Wanted::Stopped if !up.is_empty() => Some("it rests, and its machine runs"),
        Wanted::Stopped if record.done != record.generation => Some("its stop is not done"),
        // One that was terminated while it was off, and EC2's event lost, is found when it is started:
        // nobody looks at machines that are off.
        Wanted::Stopped => None,
    }
}

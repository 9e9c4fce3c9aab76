//! What must hold after every write: changes along the table of the domain, each with its event, and
//! no event without a change.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    capabilities::Capabilities,
    lifecycle::{Act, BootFailure, Called, Host},
    workspace::{Heartbeat, Status},
};
use serde_json::Value;

use crate::dynamo::{Change, Item};

/// Remembers what may not go back.
#[derive(Debug, Default)]
pub(super) struct Audit {
    removed: BTreeSet<String>,
    hosts: BTreeMap<String, Host>,
    generations: BTreeMap<String, u64>,
    /// How many changes of status there were.
    pub(super) turns: usize,
}

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}

fn status(item: Option<&Item>) -> Option<Status> {
    let text = text(item?, "status")?;
    Some(serde_json::from_value(Value::from(text)).expect("a status"))
}

/// The workspace of an item that is one of its own.
fn of_workspace(change: &Change) -> Option<String> {
    let (pk, sk) = &change.id;
    let id = match pk.split_once('#')? {
        ("BEAT", _) => sk,
        ("WS" | "EVENTS", id) => id,
        _ => return None,
    };
    Some(id.to_owned())
}

impl Audit {
    /// What is wrong with one write, which may be of many items.
    pub(super) fn judge(&mut self, changes: &[Change]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut workspaces: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
        for change in changes {
            if let Some(id) = of_workspace(change) {
                workspaces.entry(id).or_default().push(change);
            }
        }
        for (id, own) in workspaces {
            for why in self.one(&id, &own, changes) {
                let touched: Vec<_> = own.iter().map(|it| &it.id).collect();
                wrong.push(format!("{why}: {id} {touched:?}"));
            }
        }
        wrong
    }

    fn one(&mut self, id: &str, own: &[&Change], all: &[Change]) -> Vec<String> {
        let mut wrong = Vec::new();
        self.machine(id, own, all, &mut wrong);
        let events: Vec<&str> = own
            .iter()
            .filter(|it| it.id.0.starts_with("EVENTS#"))
            .filter_map(|it| text(it.after.as_ref()?, "event_type"))
            .collect();
        let changed = own
            .iter()
            .any(|it| !it.id.0.starts_with("EVENTS#") && it.before != it.after);
        if !events.is_empty() && !changed {
            wrong.push(format!("{events:?} without a change"));
        }
        let told: Vec<&str> = events
            .into_iter()
            .filter(|it| it.starts_with("WORKSPACE_"))
            .collect();
        let beat = own.iter().find(|it| it.id.0.starts_with("BEAT#"));
        let (before, after) = match beat {
            Some(beat) => (status(beat.before.as_ref()), status(beat.after.as_ref())),
            None => (None, None),
        };
        if self.removed.contains(id) && after.is_some() {
            wrong.push("it was removed, and is back".to_owned());
        }
        if before != after {
            self.turns += 1;
            self.turn(id, before, after, &told, &mut wrong);
        } else if !told.is_empty() && !still(after, &told) {
            wrong.push(format!("{told:?} while it stays {after:?}"));
        }
        if before.is_some() && after.is_none() {
            self.removed.insert(id.to_owned());
        }
        wrong
    }

    /// A change of status: along the table, with its event.
    fn turn(
        &self,
        id: &str,
        before: Option<Status>,
        after: Option<Status>,
        told: &[&str],
        wrong: &mut Vec<String>,
    ) {
        let host = self.hosts.get(id).copied().unwrap_or(Host::External);
        let right = match (before, after) {
            (None, Some(Status::Provisioning)) => told == ["WORKSPACE_PROVISIONING"],
            (None, Some(Status::AwaitingAgent)) => told == ["WORKSPACE_AWAITING_AGENT"],
            (Some(_), None) => told == ["WORKSPACE_REMOVED"],
            (Some(before), Some(after)) => {
                turns(before, host).contains(&(after, told.first().copied())) && told.len() <= 1
            }
            _ => false,
        };
        if !right {
            wrong.push(format!("{before:?} to {after:?} on {host:?} with {told:?}"));
        }
    }

    /// Generations rise one by one, each with its job; and a record goes when it is to.
    fn machine(&mut self, id: &str, own: &[&Change], all: &[Change], wrong: &mut Vec<String>) {
        let Some(change) = own.iter().find(|it| it.id.1 == "MACHINE") else {
            return;
        };
        let Some(after) = &change.after else {
            let before = change.before.as_ref();
            let gone = before
                .is_none_or(|it| text(it, "wanted") == Some("gone") || it["ours"]["BOOL"] == false);
            if !gone {
                wrong.push("the record of a machine that is wanted went".to_owned());
            }
            return;
        };
        let ours = after["ours"]["BOOL"] == true;
        self.hosts.insert(
            id.to_owned(),
            if ours { Host::Machine } else { Host::ByHand },
        );
        let generation = number(after, "generation").unwrap_or_default();
        let last = self
            .generations
            .insert(id.to_owned(), generation)
            .unwrap_or_default();
        if generation < last || generation > last + 1 {
            wrong.push(format!("from generation {last} to {generation}"));
        }
        let wanted = |it: &Item| text(it, "wanted").map(str::to_owned);
        let before = change.before.as_ref();
        if generation == last && before.is_some_and(|it| wanted(it) != wanted(after)) {
            wrong.push("another wish of the same generation".to_owned());
        }
        let job = all.iter().any(|it| {
            let job = it.after.as_ref().and_then(|it| text(it, "job"));
            let named = format!("\"generation\":{generation}}}");
            job.is_some_and(|job| job.contains(id) && job.contains(&named))
        });
        if generation > last && ours && !job {
            wrong.push(format!("generation {generation} without a job"));
        }
    }
}

/// Events that may be told while the status stays.
fn still(status: Option<Status>, told: &[&str]) -> bool {
    let name = match status {
        // Registering again; being started anew while that is on its way.
        Some(Status::Online) => "WORKSPACE_ONLINE",
        Some(Status::Provisioning) => "WORKSPACE_PROVISIONING",
        Some(Status::AwaitingAgent) => "WORKSPACE_AWAITING_AGENT",
        _ => return false,
    };
    told == [name]
}

/// Where a status may lead, and what is told.
fn turns(from: Status, host: Host) -> Vec<(Status, Option<&'static str>)> {
    let called = Called {
        name: "",
        tier: 1,
        runtime: "",
    };
    let acts = [
        Act::Restart,
        Act::Revive,
        Act::Resume,
        Act::Wake,
        Act::Pause,
        Act::Hibernate { force: false },
        Act::FallAsleep,
        Act::Fail(BootFailure::LAUNCH),
        Act::Silence,
    ];
    let acts = acts.iter().filter_map(|act| act.turn(from, host, called));
    let mut turns: Vec<_> = acts
        .map(|it| (it.to, it.event.map(|event| event.name())))
        .collect();
    let beats = [("", 0.0), ("wedged", 0.0), ("", 1.0)];
    turns.extend(beats.into_iter().filter_map(|(state, error_rate)| {
        let beat = Heartbeat {
            error_rate,
            runtime_state: state.to_owned(),
            ..Heartbeat::default()
        };
        let turn = beat.turn(from, Capabilities::default())?;
        Some((turn.to, Some(turn.event.name())))
    }));
    if from.may_register() {
        turns.push((Status::Online, Some("WORKSPACE_ONLINE")));
    }
    turns
}

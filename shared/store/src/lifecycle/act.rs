//! One act: read, decide, change, in one transaction; decided anew when something moved meanwhile.

use domain::{
    Error, Result, WorkspaceId,
    job::Job,
    lifecycle::{self, Act, Called, Host, REVIVE_PAUSE, STOP_WITHIN, Turn, Wanted},
    workspace::Status,
};
use jiff::{SignedDuration, Timestamp};

use super::Machine;
use crate::{
    Store, TransactError,
    beats::{TOKENS, digest},
    events,
    expr::{Change, Item, Write},
    keys,
    ledger::pending,
    workspaces::{Parts, Workspace},
};

/// How often an act that met other changes is decided anew.
const TRIES: usize = 6;
/// The most ancestors that are checked: as deep as trees are in practice, and one transaction.
const MAX_DEPTH: usize = 40;

/// What is asked for, and under which conditions.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// What.
    pub act: &'a Act,
    /// Only if this is still its machine's generation.
    pub generation: Option<u32>,
    /// Only if it was not heard of since then.
    pub unheard_since: Option<Timestamp>,
    /// Only if its status is none of these.
    pub unless: &'a [Status],
    /// Its ancestors from this one down may be paused: they go on with it.
    pub with: Option<WorkspaceId>,
    /// Whether its new process begins without the session of the old one.
    pub reset: bool,
    /// How long it may take to register, if it is to run; none: as long as its runtime needs.
    pub boot_within: Option<SignedDuration>,
    /// Now.
    pub now: Timestamp,
}

impl<'a> Ask<'a> {
    /// An act without conditions.
    pub fn new(
        act: &'a Act,
        boot_within: impl Into<Option<SignedDuration>>,
        now: Timestamp,
    ) -> Self {
        Self {
            act,
            generation: None,
            unheard_since: None,
            unless: &[],
            with: None,
            reset: false,
            boot_within: boot_within.into(),
            now,
        }
    }

    /// Only if its status is none of these.
    #[must_use]
    pub fn unless(self, unless: &'a [Status]) -> Self {
        Self { unless, ..self }
    }

    /// Its ancestors from this one down may be paused: they go on with it.
    #[must_use]
    pub fn with(self, ancestor: WorkspaceId) -> Self {
        Self {
            with: Some(ancestor),
            ..self
        }
    }

    /// Whether its new process begins without the session of the old one.
    #[must_use]
    pub fn resetting(self, reset: bool) -> Self {
        Self { reset, ..self }
    }

    /// Only if this is still its machine's generation.
    #[must_use]
    pub fn of_generation(self, generation: u32) -> Self {
        Self {
            generation: Some(generation),
            ..self
        }
    }

    /// Only if it was not heard of since then.
    #[must_use]
    pub fn unheard_since(self, at: Timestamp) -> Self {
        Self {
            unheard_since: Some(at),
            ..self
        }
    }
}

/// What became of an act.
#[derive(Debug, Clone, PartialEq)]
pub enum Acted {
    /// It is done.
    Done {
        /// What it changed.
        turn: Turn,
        /// The generation of its machine now; zero if it has none.
        generation: u32,
    },
    /// It cannot be done to a workspace that is as this one is, or a condition does not hold.
    NotNow(Status),
    /// An ancestor is paused: that one must go on first.
    UnderPaused(WorkspaceId),
    /// It has messages to work on, or in line.
    Working,
    /// There is no such workspace (any more).
    Unknown,
}

impl Store {
    /// Does something to a workspace's life.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn act(&self, id: WorkspaceId, ask: &Ask<'_>) -> Result<Acted> {
        for _ in 0..TRIES {
            let rows = self.rows(Parts::WithMachine.keys(id)).await?;
            let Some(workspace) = rows.workspace(id)?.filter(|found| found.beat.is_some()) else {
                return Ok(Acted::Unknown);
            };
            let beat = rows.item(&keys::beat(id)).cloned().unwrap_or_default();
            if let Some(acted) = self.act_on(&workspace, &beat, ask).await? {
                return Ok(acted);
            }
        }
        Err(Error::unavailable("the workspace kept changing"))
    }

    /// One try on a workspace as it was read; none when it has changed since.
    async fn act_on(
        &self,
        workspace: &Workspace,
        beat: &Item,
        ask: &Ask<'_>,
    ) -> Result<Option<Acted>> {
        let id = workspace.meta.id;
        let (status, host) = (workspace.status(), workspace.host());
        let called = Called {
            name: &workspace.meta.name,
            tier: workspace.meta.tier,
            runtime: &workspace.meta.runtime,
        };
        let Some(turn) = ask.act.turn(status, host, called) else {
            return Ok(Some(Acted::NotNow(status)));
        };
        if !self.holds(workspace, ask) {
            return Ok(Some(Acted::NotNow(status)));
        }
        if let Act::Hibernate { force: false } = ask.act
            && works(workspace)
        {
            return Ok(Some(Acted::Working));
        }
        // A machine that is started anew gets a new token, and its old process none.
        let revokes = turn.wanted == Some(Wanted::Running);
        let rows = if revokes {
            self.tokens(id).await?
        } else {
            Vec::new()
        };
        // What a crash left of earlier ones has no mark, and its credential is gone.
        let live = rows.iter().filter(|row| row.is_marked(beat.get(TOKENS)));
        let machine = machine(workspace, &turn, ask);
        let before = workspace.machine.as_ref().map_or(0, |it| it.generation);
        let generation = before + u32::from(machine.is_some());
        let mut writes = vec![
            hot(workspace, beat, &turn, ask).into(),
            cold(workspace, &turn, ask.act),
            load(workspace, &turn, ask.act),
        ];
        writes.extend(machine.map(Write::from));
        writes.extend(
            turn.event
                .iter()
                .map(|event| events::record(id, event, ask.now)),
        );
        writes.extend(job(workspace, &turn, ask.now));
        writes.extend(live.map(|row| Write::delete(row.credential())));
        let ancestors_at = writes.len();
        let ancestors = above(workspace, ask);
        writes.extend(ancestors.iter().rev().map(|ancestor| not_paused(*ancestor)));
        match self.transact(writes).await {
            Ok(()) => {
                // Nothing looks these up any more; a crash here leaves rows that mean nothing. Only
                // these: the new process may have its token already.
                for row in &rows {
                    self.delete(keys::token(id, row.id)).await?;
                }
                Ok(Some(Acted::Done { turn, generation }))
            }
            Err(TransactError::Failed(error)) => Err(error),
            Err(TransactError::Cancelled(why)) => {
                let mut nearest = ancestors.iter().rev().enumerate();
                let paused = nearest.find(|(n, _)| why.failed(ancestors_at + n));
                Ok(paused.map(|(_, id)| Acted::UnderPaused(*id)))
            }
        }
    }

    /// Whether the conditions hold for a workspace as it was read.
    fn holds(&self, workspace: &Workspace, ask: &Ask<'_>) -> bool {
        let machine = workspace.machine.as_ref();
        let generation = machine.map(|machine| machine.generation);
        let right = ask
            .generation
            .is_none_or(|wanted| generation == Some(wanted));
        let heard = workspace.beat.as_ref().and_then(|beat| beat.beat_at);
        let unheard = ask
            .unheard_since
            .is_none_or(|since| heard.is_none_or(|heard| heard <= since));
        let rested = *ask.act != Act::Revive
            || machine
                .and_then(|machine| machine.revived_at)
                .is_none_or(|last| last + REVIVE_PAUSE <= ask.now);
        let wanted = !ask.unless.contains(&workspace.status());
        right && unheard && rested && wanted
    }
}

/// The ancestors that must not be paused, nearest last.
fn above<'a>(workspace: &'a Workspace, ask: &Ask<'_>) -> &'a [WorkspaceId] {
    if !ask.act.starts() {
        return &[];
    }
    let path = workspace.meta.path.as_slice();
    let with = path.iter().position(|ancestor| Some(*ancestor) == ask.with);
    let path = &path[..with.unwrap_or(path.len())];
    &path[path.len().saturating_sub(MAX_DEPTH)..]
}

/// Whether it works on messages, or some wait for it.
fn works(workspace: &Workspace) -> bool {
    let counts = workspace.load.as_ref().map(|load| load.counts);
    let active = workspace.beat.as_ref().map_or(0, |beat| beat.active_tasks);
    active > 0 || counts.is_some_and(|counts| counts.running > 0 || counts.waiting > 0)
}

/// The status, if it is as it was read and nobody was heard of since.
fn hot(workspace: &Workspace, beat: &Item, turn: &Turn, ask: &Ask<'_>) -> Change {
    let (act, now) = (ask.act, ask.now);
    let mut condition = "attribute_exists(pk) AND #status = :before".to_owned();
    let mut change = Change::at(keys::beat(workspace.meta.id))
        .with("before", workspace.status())
        .set("status", turn.to);
    // A beat of the last moment speaks against silence.
    if turn.to == Status::Offline {
        match beat.get("beat_at") {
            Some(at) => {
                condition.push_str(" AND #beat_at = :heard");
                change = change.naming("beat_at").with_raw("heard", at.clone());
            }
            None => {
                condition.push_str(" AND attribute_not_exists(#beat_at)");
                change = change.naming("beat_at");
            }
        }
    }
    if turn.wanted == Some(Wanted::Running) {
        // A token that was minted meanwhile must not outlive this.
        match beat.get(TOKENS) {
            Some(marks) => {
                condition.push_str(" AND #tokens = :marks");
                change = change.remove(TOKENS).with_raw("marks", marks.clone());
            }
            None => {
                condition.push_str(" AND attribute_not_exists(#tokens)");
                change = change.naming(TOKENS);
            }
        }
    }
    if let Act::Hibernate { force: false } = act {
        // Nor work that a beat of the last moment tells of.
        condition.push_str(" AND #active_tasks = :idle");
        change = change.naming("active_tasks").with("idle", 0);
    }
    if ends_process(turn) {
        change = change.set("active_tasks", 0).set("task_digest", "");
    }
    if act.starts() {
        // Else a workspace that was idle before would be sent to sleep as soon as it is up.
        change = change.set("active_at", now.as_microsecond());
    }
    if let Act::Fail(failure) = act {
        // So that the first beat without an error clears it.
        change = change.set("error_digest", digest(&failure.sample_error()));
    }
    change.when(condition)
}

/// Whether the process of before is over.
fn ends_process(turn: &Turn) -> bool {
    matches!(
        turn.to,
        Status::Provisioning | Status::AwaitingAgent | Status::Paused | Status::Hibernated
    )
}

/// The address and the task go with the process; why it failed stays.
fn cold(workspace: &Workspace, turn: &Turn, act: &Act) -> Write {
    let key = keys::meta(workspace.meta.id);
    let there = "attribute_exists(pk) AND attribute_not_exists(#removed_at)";
    let change = Change::at(key.clone()).when(there).naming("removed_at");
    match act {
        Act::Fail(failure) => change
            .set("last_sample_error", failure.sample_error())
            .into(),
        _ if ends_process(turn) => change.set("url", "").set("current_task", "").into(),
        _ => Write::check(key).when(there).naming("removed_at"),
    }
}

/// The gate. Nobody is sent to sleep over a message that came in meanwhile.
fn load(workspace: &Workspace, turn: &Turn, act: &Act) -> Write {
    let key = keys::load(workspace.meta.id);
    let Some(gate) = turn.gate else {
        return Write::check(key).if_there();
    };
    let change = Change::at(key).set("gate", gate);
    match act {
        Act::Hibernate { force: false } => change
            .when("attribute_exists(pk) AND #running = :none AND #waiting = :none")
            .naming("running")
            .naming("waiting")
            .with("none", 0)
            .into(),
        _ => change.when("attribute_exists(pk)").into(),
    }
}

/// What the machine should be, and when somebody looks whether it is.
fn machine(workspace: &Workspace, turn: &Turn, ask: &Ask<'_>) -> Option<Change> {
    let id = workspace.meta.id;
    let change = Change::at(keys::machine(id));
    let boots = turn.to == Status::Provisioning;
    let change = match (&workspace.machine, turn.wanted) {
        (None, _) if !boots => return None,
        (Some(_), None) if !boots => return None,
        // Run by hand: only its registering is waited for.
        (None, _) => change
            .when("attribute_not_exists(pk)")
            .set("ours", false)
            .set("generation", 1)
            .set("attempt", 1)
            .set("wanted", Wanted::Running),
        // A new generation also when it is run by hand: who found the last one overdue must not
        // end this one.
        (Some(Machine { generation, .. }), wanted) => change
            .when("attribute_exists(pk) AND #generation = :before")
            .with("before", *generation)
            .set("generation", generation + 1)
            .set("wanted", wanted.unwrap_or(Wanted::Running))
            .set("attempt", 1),
    };
    let change = if boots {
        change.set("reset_session", ask.reset)
    } else {
        change
    };
    let change = match ask.act {
        Act::Revive => change.set("revived_at", ask.now.as_microsecond()),
        _ => change,
    };
    let needs = || lifecycle::boot_within(&workspace.meta.runtime);
    let within = if boots {
        ask.boot_within.unwrap_or_else(needs)
    } else {
        STOP_WITHIN
    };
    Some(
        change
            .set(keys::DUE.pk, keys::due("MACHINE", keys::shard(id)))
            .set(
                keys::DUE.sk,
                keys::due_at(ask.now + within, &id.to_string()),
            ),
    )
}

fn job(workspace: &Workspace, turn: &Turn, now: Timestamp) -> Option<Write> {
    let id = workspace.meta.id;
    if workspace.host() != Host::Machine {
        return None;
    }
    let generation = workspace.machine.as_ref()?.generation + 1;
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
    Some(pending(id, &job, now))
}

fn not_paused(ancestor: WorkspaceId) -> Write {
    // One that is removed takes this one with it in a moment; it does not hold it.
    Write::check(keys::beat(ancestor))
        .when("attribute_not_exists(pk) OR #status <> :paused")
        .naming("status")
        .with("paused", Status::Paused)
}

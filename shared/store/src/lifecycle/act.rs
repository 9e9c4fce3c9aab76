//! One act: read, decide, change, in one transaction; decided anew when something moved meanwhile.

use std::collections::BTreeMap;

use domain::{
    Error, Result, WorkspaceId,
    lifecycle::{Act, Called, Host, REVIVE_PAUSE, Turn, Wanted},
    restart::Restart,
    workspace::Status,
};
use jiff::{SignedDuration, Timestamp};

use super::writes::{cold, ends_process, job, load, machine, not_paused, rises};
use crate::{
    Store, TransactError,
    beats::{RESTART, TOKENS, digest},
    events,
    expr::{Change, Item, Write},
    keys,
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
    /// The runtimes that the fleet has images for: run by hand so far, it gets a machine now if it
    /// has one of these when the act is done, whatever it had when it was asked for.
    pub adopts: Option<&'a BTreeMap<String, String>>,
    /// Only if it had nothing to do since then.
    pub idle_since: Option<Timestamp>,
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
            idle_since: None,
            unless: &[],
            with: None,
            reset: false,
            adopts: None,
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

    /// It gets a machine if it was run by hand so far and there is an image for its runtime. An
    /// external workspace never does.
    #[must_use]
    pub fn adopting(self, images: &'a BTreeMap<String, String>) -> Self {
        Self {
            adopts: Some(images),
            ..self
        }
    }

    /// Only if this is still its machine's generation.
    #[must_use]
    pub fn of_generation(self, generation: u32) -> Self {
        Self {
            generation: Some(generation),
            ..self
        }
    }

    /// Only if it had nothing to do since then.
    #[must_use]
    pub fn idle_since(self, at: Timestamp) -> Self {
        Self {
            idle_since: Some(at),
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
        let (status, host) = (workspace.status(), host(workspace, ask));
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
        if ask.act.spares_work() && works(workspace) {
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
        let generation = before + u32::from(rises(&turn));
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
        writes.extend(job(workspace, &turn, ask));
        writes.extend(live.map(|row| Write::delete(row.credential())));
        let ancestors_at = writes.len();
        let ancestors = above(workspace, ask);
        writes.extend(ancestors.iter().rev().map(|ancestor| not_paused(*ancestor)));
        match self.transact(writes).await {
            Ok(()) => {
                // Nothing looks these up any more; a crash here leaves rows that mean nothing, and so does
                // a failure, as the act is done. Only these: the new process may have its token already.
                for row in &rows {
                    if let Err(error) = self.delete(keys::token(id, row.id)).await {
                        tracing::warn!(workspace_id = %id, %error, "rows of dead tokens are left");
                        break;
                    }
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
        let used = workspace.beat.as_ref().and_then(|beat| beat.active_at);
        let idle = ask
            .idle_since
            .is_none_or(|since| used.is_none_or(|used| used <= since));
        let rested = *ask.act != Act::Revive
            || machine
                .and_then(|machine| machine.revived_at)
                .is_none_or(|last| last + REVIVE_PAUSE <= ask.now);
        let wanted = !ask.unless.contains(&workspace.status());
        right && unheard && idle && rested && wanted
    }
}

/// Who runs it from this act on.
pub(super) fn host(workspace: &Workspace, ask: &Ask<'_>) -> Host {
    match workspace.host() {
        Host::ByHand if adopts(workspace, ask) => Host::Machine,
        host => host,
    }
}

fn adopts(workspace: &Workspace, ask: &Ask<'_>) -> bool {
    ask.adopts
        .is_some_and(|images| images.contains_key(&workspace.meta.runtime))
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
    // A beat of the last moment speaks against silence, and against a new start because of it.
    if turn.to == Status::Offline || ask.unheard_since.is_some() {
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
    if let Some(since) = ask.idle_since {
        condition.push_str(" AND (attribute_not_exists(#active_at) OR #active_at <= :since)");
        change = change
            .naming("active_at")
            .with("since", since.as_microsecond());
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
    if act.spares_work() {
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
        // Who runs elsewhere is not started by us.
        if workspace.host() != Host::External {
            let ended = workspace.beat.as_ref().and_then(|beat| beat.beat_at);
            change = change.set(RESTART, Restart { at: now, ended });
        }
    }
    if let Act::Fail(failure) = act {
        // So that the first beat without an error clears it.
        change = change.set("error_digest", digest(&failure.sample_error()));
    }
    change.when(condition)
}

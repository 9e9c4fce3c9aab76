//! Workspaces: the cold item with everything but the status, and the views put together from the
//! items of one workspace.

mod change;
mod create;
mod list;
mod once;
mod purge;
mod quota;
mod register;
mod remove;

use std::net::IpAddr;

pub use change::{Moved, Patch, Patched};
pub(crate) use create::unmoved;
pub use create::{Created, NewWorkspace};
use domain::{
    Result, WorkspaceId,
    access::Place,
    address::{AgentUrl, Reach},
    lifecycle::{Host, Wanted},
    workspace::Status,
};
use jiff::Timestamp;
pub use once::Once;
pub use register::{Registered, Registration};
pub use remove::Removal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Rows, Store,
    beats::{Beat, beat_in},
    keys::{self, Key},
    ledger::{Gate, Load},
    lifecycle::Machine,
};

/// How messages reach an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// They are posted to its URL.
    #[default]
    Push,
    /// It fetches them from its activity.
    Poll,
}

/// A workspace's cold item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its size, 1 to 4.
    pub tier: i64,
    /// What runs in it.
    pub runtime: String,
    /// The model it was made with, if one was chosen and its secret was not changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Where its agent answers, as the agent gave it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// How messages reach it.
    #[serde(default)]
    pub delivery_mode: DeliveryMode,
    /// Its ancestors, nearest last.
    #[serde(default)]
    pub path: Vec<WorkspaceId>,
    /// The template it is made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The directory it works in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_dir: Option<String>,
    /// What it may do there: `none`, `read_only`, `read_write`.
    pub workspace_access: String,
    /// What a month may cost in US cents; none is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_limit: Option<i64>,
    /// After how many idle minutes it sleeps; none is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hibernation_idle_minutes: Option<i64>,
    /// How many messages it takes at once. Fixed at creation; the load item has it too.
    pub max_concurrent_tasks: i64,
    /// Place on the canvas.
    #[serde(default)]
    pub x: f64,
    /// Place on the canvas.
    #[serde(default)]
    pub y: f64,
    /// Whether its children are hidden on the canvas.
    #[serde(default)]
    pub collapsed: bool,
    /// What it works on, in its words.
    #[serde(default)]
    pub current_task: String,
    /// A recent error, in its words, or why it failed.
    #[serde(default)]
    pub last_sample_error: String,
    /// When it was created.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub created_at: Timestamp,
    /// When it was removed. What is left is a tombstone.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub removed_at: Option<Timestamp>,
}

impl Meta {
    /// A root with this name that runs this, and what nobody said anything about.
    pub fn new(id: WorkspaceId, name: &str, runtime: &str, now: Timestamp) -> Self {
        Self {
            id,
            name: name.to_owned(),
            role: None,
            tier: 1,
            runtime: runtime.to_owned(),
            model: None,
            url: String::new(),
            delivery_mode: DeliveryMode::Push,
            path: Vec::new(),
            template: None,
            workspace_dir: None,
            workspace_access: "none".to_owned(),
            budget_limit: None,
            hibernation_idle_minutes: None,
            max_concurrent_tasks: 1,
            x: 0.0,
            y: 0.0,
            collapsed: false,
            current_task: String::new(),
            last_sample_error: String::new(),
            created_at: now,
            removed_at: None,
        }
    }

    /// Its place in the tree.
    pub fn place(&self) -> Place {
        Place {
            id: self.id,
            path: self.path.clone(),
        }
    }

    /// Its parent.
    pub fn parent(&self) -> Option<WorkspaceId> {
        self.path.last().copied()
    }

    /// Whether it runs on a host of the user's.
    pub fn is_external(&self) -> bool {
        self.runtime == "external"
    }
}

/// A workspace as far as its items were read.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The cold item.
    pub meta: Meta,
    /// The hot item; none once removed.
    pub beat: Option<Beat>,
    /// The card; none before the first register, JSON null if the agent has none.
    pub card: Option<Value>,
    /// Slots and counters, if they were asked for.
    pub load: Option<Load>,
    /// Its machine, if that was asked for and it may have one.
    pub machine: Option<Machine>,
}

impl Workspace {
    /// The address of its machine inside the VPC, if it has one and that was read: the one private
    /// address its agent may register.
    pub fn recorded(&self) -> Option<IpAddr> {
        self.machine.as_ref()?.private_ip
    }

    /// The same if that is where its agent answers: then it is called from inside the VPC.
    pub fn inside(&self) -> Option<IpAddr> {
        let recorded = self.recorded()?;
        let reach = Reach::LOCAL.with_recorded([recorded]);
        let url = AgentUrl::parse(&self.meta.url, &reach).ok()?;
        (url.literal() == Some(recorded)).then_some(recorded)
    }

    /// Who runs it, if its machine was read (decision 47).
    pub fn host(&self) -> Host {
        if self.meta.is_external() {
            return Host::External;
        }
        match &self.machine {
            Some(machine) if machine.ours => Host::Machine,
            _ => Host::ByHand,
        }
    }

    /// Whether its machine is on its way and was not given its environment yet, if it was read: what
    /// is changed of its secrets by now is in there. Before that they are looked at once more, for
    /// those that its template requires.
    pub fn is_yet_to_read_secrets(&self) -> bool {
        let tokens = self.beat.as_ref().is_some_and(|beat| beat.has_tokens);
        let asked = self
            .machine
            .as_ref()
            .is_some_and(|it| it.ours && it.wanted == Wanted::Running && it.done == it.generation);
        self.status() == Status::Provisioning && asked && !tokens
    }

    /// Since when it has had nothing to do, if its load was read: since the last message for it,
    /// answer to it, notification, activity or reported task, or since it came up (decision 14).
    /// That it still lives is no work. Whoever works is not idle, whatever this says.
    pub fn idle_since(&self) -> Timestamp {
        let beat = self.beat.as_ref();
        let load = self.load.as_ref();
        let signs = [
            beat.and_then(|beat| beat.active_at),
            load.and_then(|load| load.message_at),
            load.and_then(|load| load.last_outbound_at),
        ];
        let signs = signs.into_iter().flatten();
        signs.fold(self.meta.created_at, Timestamp::max)
    }

    /// Whether messages are kept until it is awake, if its load was read.
    pub fn keeps_messages(&self) -> bool {
        self.load
            .as_ref()
            .is_some_and(|load| load.gate == Gate::Wake)
    }

    /// Its status: that of the hot item, which removal deletes.
    pub fn status(&self) -> Status {
        self.beat
            .as_ref()
            .map_or(Status::Removed, |beat| beat.status)
    }
}

/// The card as stored: text, so that any JSON comes back as it came.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CardRow {
    card: String,
}

impl CardRow {
    pub(crate) fn new(card: &Value) -> Self {
        Self {
            card: card.to_string(),
        }
    }
}

/// Which items of a workspace to read.
#[derive(Debug, Clone, Copy)]
pub enum Parts {
    /// Meta and beat: who it is and how it is.
    Core,
    /// And the load.
    WithLoad,
    /// And the card.
    WithCard,
    /// And the machine: where it may be called.
    WithAddress,
    /// And the load and the machine.
    WithMachine,
    /// Meta, beat, load and card.
    All,
}

impl Parts {
    /// The keys to put into a batch get.
    pub fn keys(self, id: WorkspaceId) -> Vec<Key> {
        let mut keys = vec![keys::meta(id), keys::beat(id)];
        if matches!(self, Self::WithLoad | Self::WithMachine | Self::All) {
            keys.push(keys::load(id));
        }
        if matches!(self, Self::WithCard | Self::All) {
            keys.push(keys::card(id));
        }
        if matches!(self, Self::WithAddress | Self::WithMachine) {
            keys.push(keys::machine(id));
        }
        keys
    }
}

impl Rows {
    /// The workspace among these rows; none when its meta is not there. Reads, does not take: the
    /// same workspace may be caller and target.
    ///
    /// # Errors
    /// A row is there and cannot be read: a defect of ours.
    pub fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>> {
        let read = |key: Key| self.item(&key).cloned();
        let Some(meta) = read(keys::meta(id)) else {
            return Ok(None);
        };
        let card: Option<CardRow> = read(keys::card(id)).map(crate::ops::read).transpose()?;
        Ok(Some(Workspace {
            meta: crate::ops::read(meta)?,
            beat: beat_in(self, id)?,
            card: card.map(|row| serde_json::from_str(&row.card).unwrap_or_default()),
            load: read(keys::load(id)).map(crate::ops::read).transpose()?,
            machine: read(keys::machine(id)).map(crate::ops::read).transpose()?,
        }))
    }
}

impl Store {
    /// One workspace, removed ones included.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn workspace(&self, id: WorkspaceId, parts: Parts) -> Result<Option<Workspace>> {
        self.rows(parts.keys(id)).await?.workspace(id)
    }
}

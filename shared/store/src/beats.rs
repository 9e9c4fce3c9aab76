//! The hot item: what every heartbeat writes, and the status, which has its one home here.
//!
//! No index holds it and it stays under 1 KB, so a steady heartbeat is one write unit: one
//! conditional update that proves the caller by the token marks and returns the item before.

mod restart;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use domain::{
    Error, Result, WorkspaceId,
    capabilities::Capabilities,
    event::Event,
    restart::Restart,
    time::month,
    token::TokenHash,
    workspace::{Heartbeat, Status, Turn},
};
use jiff::Timestamp;
pub(crate) use restart::{RESTART, restarted, told};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Store, TransactError, events,
    expr::{Change, Item, Write},
    keys,
    ops::{UpdateError, read},
};

/// The set of live tokens' marks. Absent means that the workspace has no live token.
pub(crate) const TOKENS: &str = "tokens";

/// The mark of the token that proved the last heartbeat: with the time of that beat it says when the
/// token was last used, and costs no write of its own.
const PROVEN_BY: &str = "proven_by";

/// After how many idle minutes it sleeps, if ever: a copy of the cold item's, for the sweep.
pub(crate) const SLEEPS_AFTER: &str = "sleeps_after";

/// A workspace's hot item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// The status, here and nowhere else.
    pub status: Status,
    /// When the agent was last heard of.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub beat_at: Option<Timestamp>,
    /// When it last had something to do: messages, notify, reported tasks.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub active_at: Option<Timestamp>,
    /// How many messages the agent works on.
    #[serde(default)]
    pub active_tasks: i64,
    /// Share of failed calls.
    #[serde(default)]
    pub error_rate: f64,
    /// Seconds since the agent started.
    #[serde(default)]
    pub uptime_seconds: i64,
    /// What its runtime does by itself.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// How long it may be silent on a message, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<u32>,
    /// How many messages it takes at once.
    #[serde(default = "one")]
    pub max_tasks: i64,
    /// Whether messages may be waiting for it: a hint, sometimes wrong.
    #[serde(default)]
    pub waiting: bool,
    /// Its spend of `spend_month`, in US cents.
    /// The restart of which its agent is to be told when it is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    #[serde(default)]
    spend: i64,
    #[serde(default)]
    spend_month: i32,
    #[serde(default)]
    task_digest: String,
    #[serde(default)]
    error_digest: String,
    /// Whether the workspace has a live token at all.
    #[serde(skip)]
    pub has_tokens: bool,
    /// The mark of the token that proved the last heartbeat.
    #[serde(skip)]
    proven_by: Option<[u8; 12]>,
}

impl Beat {
    /// The beat of a workspace that was just created or registered.
    pub fn new(status: Status, heard_at: Option<Timestamp>, max_tasks: i64) -> Self {
        Self {
            status,
            beat_at: heard_at,
            active_at: None,
            active_tasks: 0,
            error_rate: 0.0,
            uptime_seconds: 0,
            capabilities: Capabilities::default(),
            idle_timeout: None,
            max_tasks,
            waiting: false,
            restart: None,
            spend: 0,
            spend_month: 0,
            task_digest: String::new(),
            error_digest: String::new(),
            has_tokens: false,
            proven_by: None,
        }
    }

    pub(crate) fn from_item(item: Item) -> Result<Self> {
        let has_tokens = item.contains_key(TOKENS);
        let proven_by = item.get(PROVEN_BY).and_then(|mark| mark.as_b().ok());
        let proven_by = proven_by.and_then(|mark| mark.as_ref().try_into().ok());
        Ok(Self {
            has_tokens,
            proven_by,
            ..read(item)?
        })
    }

    /// Whether the last heartbeat was proven by the token of this mark.
    pub(crate) fn is_proven_by(&self, mark: [u8; 12]) -> bool {
        self.proven_by == Some(mark)
    }

    /// What was spent in the month of `now`, in US cents: a new month starts at nothing.
    pub fn monthly_spend(&self, now: Timestamp) -> i64 {
        if self.spend_month == month(now) {
            self.spend
        } else {
            0
        }
    }

    /// Whether the beat's task is not the stored one.
    pub fn task_changes(&self, beat: &Heartbeat) -> bool {
        self.task_digest != digest(&beat.current_task)
    }

    /// Whether the beat's error text is not the stored one.
    pub fn error_changes(&self, beat: &Heartbeat) -> bool {
        self.error_digest != digest(&beat.sample_error)
    }
}

fn one() -> i64 {
    1
}

/// Six bytes tell two texts apart; the text itself is on the cold item.
pub(crate) fn digest(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let hash = Sha256::digest(text.as_bytes());
    hash[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The mark of a token as a set of one.
pub(crate) fn mark_set(hash: &TokenHash) -> AttributeValue {
    AttributeValue::Bs(vec![Blob::new(hash.mark())])
}

/// How a heartbeat proves whose it is.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// This token must be live for the workspace.
    Token(&'a TokenHash),
    /// Open doors: this token, or a workspace that has none.
    TokenOrNone(&'a TokenHash),
    /// Open doors, and no token presented: only a workspace that has none.
    None,
}

/// What became of a heartbeat.
#[derive(Debug)]
pub enum Recorded {
    /// It was written; this is the item before.
    Before(Box<Beat>),
    /// The workspace is there and the proof does not fit.
    NotProven,
    /// There is no such workspace.
    Unknown,
}

impl Store {
    /// Writes a heartbeat if its proof holds, and nothing else: the steady case is this one call.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn record_beat(
        &self,
        id: WorkspaceId,
        proof: Proof<'_>,
        beat: &Heartbeat,
        now: Timestamp,
    ) -> Result<Recorded> {
        let mut change = Change::at(keys::beat(id))
            .set("beat_at", now.as_microsecond())
            .set("active_tasks", beat.active_tasks)
            .set("error_rate", beat.error_rate)
            .set("uptime_seconds", beat.uptime_seconds);
        if beat.active_tasks > 0 {
            change = change.set("active_at", now.as_microsecond());
        }
        if let Some(spend) = beat.monthly_spend {
            change = change.set("spend", spend).set("spend_month", month(now));
        }
        if let Some(runtime) = beat.runtime {
            change = change
                .set("capabilities", runtime.capabilities)
                .set_or_remove("idle_timeout", runtime.idle_timeout_seconds);
        }
        match self.update(proven(change, proof)).await {
            Ok(Some(before)) => Ok(Recorded::Before(Box::new(Beat::from_item(before)?))),
            Ok(None) | Err(UpdateError::Refused(None)) => Ok(Recorded::Unknown),
            Err(UpdateError::Refused(Some(_))) => Ok(Recorded::NotProven),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// Writes what a heartbeat changed: texts, digests, status and events, in one transaction.
    /// Does nothing if the status is not `before`'s any more: whoever changed it knew better, and
    /// the next beat is 30 s away.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn settle_beat(
        &self,
        id: WorkspaceId,
        before: &Beat,
        beat: &Heartbeat,
        turn: Option<&Turn>,
        now: Timestamp,
    ) -> Result<()> {
        let (task, error) = (before.task_changes(beat), before.error_changes(beat));
        let mut hot = Change::at(keys::beat(id))
            .naming("status")
            .when("attribute_exists(pk) AND #status = :before")
            .with("before", before.status)
            .set("task_digest", digest(&beat.current_task))
            .set("error_digest", digest(&beat.sample_error));
        let mut writes = Vec::new();
        if let Some(turn) = turn {
            hot = hot.set("status", turn.to);
            if turn.to.answers() {
                hot = told(hot, "attribute_exists(pk) AND #status = :before", before);
                writes.extend(restarted(id, before, now));
            }
            // The gate stays as it is: only registering brings an address.
            writes.push(events::record(id, &turn.event, now));
        }
        if task {
            let event = Event::TaskUpdated {
                current_task: beat.current_task.clone(),
                active_tasks: beat.active_tasks,
            };
            writes.push(events::record(id, &event, now));
        }
        if task || error {
            let cold = Change::at(keys::meta(id))
                .when("attribute_exists(pk)")
                .set("current_task", &beat.current_task)
                .set("last_sample_error", &beat.sample_error);
            writes.push(cold.into());
        }
        writes.push(hot.into());
        match self.transact(writes).await {
            Ok(()) | Err(TransactError::Cancelled(_)) => Ok(()),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

fn proven(change: Change, proof: Proof<'_>) -> Change {
    let mark = |hash: &TokenHash| AttributeValue::B(Blob::new(hash.mark()));
    let change = change.naming(TOKENS);
    match proof {
        Proof::Token(hash) => change
            .when("attribute_exists(pk) AND contains(#tokens, :mark)")
            .with_raw("mark", mark(hash))
            .set_raw(PROVEN_BY, mark(hash)),
        Proof::TokenOrNone(hash) => change
            .when(
                "attribute_exists(pk) AND (attribute_not_exists(#tokens) OR contains(#tokens, :mark))",
            )
            .with_raw("mark", mark(hash)),
        Proof::None => change.when("attribute_exists(pk) AND attribute_not_exists(#tokens)"),
    }
}

/// The write that says the agent gave a sign of life and had something to do.
pub(crate) fn active(id: WorkspaceId, now: Timestamp) -> Write {
    Change::at(keys::beat(id))
        .when("attribute_exists(pk)")
        .set("active_at", now.as_microsecond())
        .into()
}

/// Reads a beat out of the rows of a batch get.
pub(crate) fn beat_in(rows: &crate::Rows, id: WorkspaceId) -> Result<Option<Beat>> {
    rows.item(&keys::beat(id))
        .cloned()
        .map(Beat::from_item)
        .transpose()
        .map_err(Error::internal)
}

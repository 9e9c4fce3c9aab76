//! The ledger: every A2A request, the slots it holds, and the line of those that wait.
//!
//! [`Ledger`] is what the message functions need of it, each operation one decision that the
//! database makes; [`Store`](crate::Store) does it in DynamoDB.
//!
//! Invariant, per workspace: accepted = done + failed + expired + dropped + waiting + running.

mod accept;
mod audit;
mod due;
mod end;
mod jobs;
mod line;
mod rows;

use std::collections::HashMap;

use domain::{
    BodyId, RequestId, Result, WorkspaceId,
    activity::Activity,
    job::Job,
    request::{Hold, Request, State},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use accept::taken;
pub use domain::lifecycle::Gate;
pub(crate) use jobs::pending;
pub use jobs::{JOB_OVERDUE, PendingJob};
pub(crate) use line::opened;

/// A fresh request id: also the id of the A2A task, so version 4 as on the wire.
pub fn new_id() -> RequestId {
    RequestId::from_uuid(Uuid::new_v4())
}

/// A workspace's slots, gate and counters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The requests that hold a slot, each with its chain.
    #[serde(default)]
    pub slots: HashMap<String, Vec<WorkspaceId>>,
    /// How many may hold one at once.
    pub max_concurrent_tasks: i64,
    /// Whether messages may come in.
    pub gate: Gate,
    /// When a message for it was last accepted, or ended.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub message_at: Option<Timestamp>,
    /// When the workspace last got an answer from another one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub last_outbound_at: Option<Timestamp>,
    /// What became of the requests it was sent.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What became of a workspace's requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// All that were accepted.
    pub accepted: i64,
    /// Those in line.
    pub waiting: i64,
    /// Those offered or running.
    pub running: i64,
    /// Those with a result.
    pub done: i64,
    /// Those that ended without.
    pub failed: i64,
    /// Those that waited too long.
    pub expired: i64,
    /// Those whose target went away.
    pub dropped: i64,
}

impl Counts {
    /// By how much the invariant is broken; zero is right.
    pub fn drift(&self) -> i64 {
        let ended = self.done + self.failed + self.expired + self.dropped;
        self.accepted - ended - self.waiting - self.running
    }
}

impl Load {
    /// The load of a new workspace.
    pub fn new(max_concurrent_tasks: i64) -> Self {
        Self {
            slots: HashMap::new(),
            max_concurrent_tasks,
            gate: Gate::Open,
            message_at: None,
            last_outbound_at: None,
            counts: Counts::default(),
        }
    }

    /// How many slots are free.
    pub fn free(&self) -> i64 {
        self.max_concurrent_tasks - i64::try_from(self.slots.len()).unwrap_or(i64::MAX)
    }
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Recorded and offered, with its slot if it needs one.
    Offered,
    /// Recorded, and in line.
    Waiting,
    /// It is a repeat of this request.
    Repeat {
        /// The request it repeats.
        of: RequestId,
        /// The digest of that one's message.
        digest: String,
    },
    /// So many wait already; no more may.
    QueueFull(i64),
    /// The workspace takes no messages now.
    Paused,
    /// The workspace takes no messages any more.
    Closed,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// Any of the final states.
    pub state: State,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The stored reply, if the agent gave one.
    pub result: Option<BodyId>,
    /// Whether the agent has the message.
    pub delivery_confirmed: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// What its caller is told if it failed, for those who ask again: an answer of the message
    /// functions, as JSON.
    pub told: Option<String>,
    /// The sentence in it, for a delegation.
    pub sentence: Option<String>,
    /// The row for the target's activity.
    pub activity: Activity,
    /// Whether the caller got an answer it can use.
    pub answered: bool,
    /// Whether the answer to a schedule's prompt said nothing.
    pub empty: bool,
    /// What a delegation ends with: the stored `{"text", "delegation_id"}`, and the text's
    /// beginning.
    pub text: Option<(BodyId, String)>,
    /// Tokens the agent said it used: input, output.
    pub usage: Option<(i64, i64)>,
}

impl Ending {
    /// The end of a request that got no answer.
    pub fn failed(status: u16, why: &str, activity: Activity) -> Self {
        Self {
            state: State::Failed,
            status,
            result: None,
            delivery_confirmed: false,
            error: Some(why.to_owned()),
            told: None,
            sentence: None,
            activity,
            answered: false,
            empty: false,
            text: None,
            usage: None,
        }
    }

    /// Whether it lets go of a request that nobody carries: only as it was seen, because who carries
    /// it meanwhile brings the result.
    pub fn gives_up(&self) -> bool {
        matches!(self.state, State::Expired | State::Dropped)
    }

    /// Whether the agent may have the message though nobody knows.
    pub fn may_have_arrived(&self) -> bool {
        let unknown = |why: &String| why.starts_with("outcome_unknown");
        self.error.as_ref().is_some_and(unknown)
    }
}

/// What became of an ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It had ended before: the first result of any fence stands.
    Before,
    /// It has ended; its slot went to the next in line, or nobody waits.
    Now,
    /// It has ended, and somebody should look at the line.
    LookAtLine,
}

/// A request in line, with what is needed to offer it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place: urgent first, then by arrival.
    pub sk: String,
    /// The request.
    pub request_id: RequestId,
    /// Its chain.
    pub chain: Vec<WorkspaceId>,
    /// The fence of its last offer.
    pub fence: u32,
    /// Whether it needs a slot.
    pub slot: bool,
    /// What it waits for besides.
    pub hold: Hold,
    /// Until when it may wait.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub valid_until: Timestamp,
    /// Since when it waits in all.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub accepted_at: Timestamp,
}

impl Entry {
    /// The entry of a request that waits.
    pub fn of(request: &Request) -> Self {
        Self {
            sk: request.line_key(),
            request_id: request.id,
            chain: request.chain.clone(),
            fence: request.fence,
            slot: request.slot,
            hold: request.hold,
            valid_until: request.valid_until,
            accepted_at: request.accepted_at,
        }
    }
}

/// A workspace's line as somebody looks at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Slots, gate, counters.
    pub load: Load,
    /// The first in line.
    pub entries: Vec<Entry>,
    /// When the agent was last heard of.
    pub beat_at: Option<Timestamp>,
    /// Whether it is asleep, so that somebody must wake it.
    pub asleep: bool,
    /// How many messages it said it works on.
    pub active_tasks: i64,
}

/// Something that is due to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// An offer that nobody claimed, a lease that ran out, or a wait that is over.
    Request(RequestId),
    /// A line that should have moved.
    Line(WorkspaceId),
    /// A job that did not reach its queue.
    Job(PendingJob),
}

/// What is due, and how far behind that is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// What is due.
    pub due: Vec<Due>,
    /// Since when the oldest of it is due.
    pub oldest: Option<Timestamp>,
    /// Whether more is due than was asked for.
    pub more: bool,
}

/// What the message functions need of the ledger. All times are told.
pub trait Ledger: Send + Sync {
    /// Records a request: offered if it needs no slot or one is free and nobody waits (with a job
    /// for the queue if `by_queue`), else in line. Or finds that it is a repeat.
    fn accept(
        &self,
        request: &Request,
        by_queue: bool,
    ) -> impl Future<Output = Result<Accepted>> + Send;

    /// A request, if it is still kept.
    fn request(&self, id: RequestId) -> impl Future<Output = Result<Option<Request>>> + Send;

    /// Takes an offered request for one delivery, once: whoever is second, or comes with an old
    /// fence, gets nothing and must stop.
    fn claim(
        &self,
        id: RequestId,
        fence: u32,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Request>>> + Send;

    /// Extends the lease of a running delivery; false when it was lost.
    fn renew(
        &self,
        id: RequestId,
        fence: u32,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// Ends a request in whatever state it is (or, if it is given up, only in the one it was seen
    /// in), and hands its slot to the next in line.
    fn finish(
        &self,
        request: &Request,
        ending: &Ending,
        now: Timestamp,
    ) -> impl Future<Output = Result<Ended>> + Send;

    /// Puts an offered or running request back in line under `hold`, if this fence still has it and
    /// there is a line.
    fn requeue(
        &self,
        request: &Request,
        hold: Hold,
        why: &str,
        redelivered: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// The line of a workspace; none if there is no such workspace and nobody waits for it.
    fn line(&self, target: WorkspaceId) -> impl Future<Output = Result<Option<Line>>> + Send;

    /// How many wait for a request's target, and its place among them, from 1 (0: not there).
    fn place(&self, request: &Request) -> impl Future<Output = Result<(usize, usize)>> + Send;

    /// Offers one that waits, with a job for the queue; false when something changed meanwhile.
    fn offer(
        &self,
        target: WorkspaceId,
        entry: &Entry,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// Says when somebody must look at a line again; none: when nobody waits, never.
    fn look_again(
        &self,
        target: WorkspaceId,
        at: Option<Timestamp>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Wakes a workspace that is asleep; nothing if it is not (any more), or if one above it is
    /// paused. `boot_within` is what the operator allows it to take, if that is said.
    fn wake(
        &self,
        target: WorkspaceId,
        boot_within: Option<SignedDuration>,
        now: Timestamp,
    ) -> impl Future<Output = Result<()>> + Send;

    /// What is due: jobs, requests, lines, of each kind the oldest first, and at most `limit` of
    /// each kind and shard.
    fn due(&self, now: Timestamp, limit: i32) -> impl Future<Output = Result<Backlog>> + Send;

    /// Looks at a due request's lease again at this moment instead.
    fn postpone(&self, request: &Request, at: Timestamp)
    -> impl Future<Output = Result<()>> + Send;

    /// Forgets a job that reached its queue.
    fn sent(&self, job: &PendingJob) -> impl Future<Output = Result<()>> + Send;
}

/// A job of a transaction: what the queue will carry.
pub(crate) fn deliver(request: &Request) -> Job {
    Job::DeliverV1 {
        request_id: request.id,
        fence: request.fence,
    }
}

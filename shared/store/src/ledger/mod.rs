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
mod ending;
mod jobs;
mod line;
mod load;
mod requeue;
mod rows;

use domain::{
    RequestId, Result, WorkspaceId,
    job::Job,
    request::{Hold, Request},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use accept::taken;
pub use domain::lifecycle::Gate;
pub use ending::Ending;
pub(crate) use jobs::pending;
pub use jobs::{JOB_OVERDUE, PendingJob};
pub(crate) use line::opened;
pub use load::{Counts, Load};

/// A fresh request id: also the id of the A2A task, so version 4 as on the wire.
pub fn new_id() -> RequestId {
    RequestId::from_uuid(Uuid::new_v4())
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
    /// So many wait that each sender has a share, and its sender's is taken.
    ShareTaken(i64),
    /// The workspace takes no messages now.
    Paused,
    /// The workspace takes no messages any more.
    Closed,
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

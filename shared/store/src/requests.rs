//! The ledger of A2A requests, and the slots they hold on their targets.

use std::collections::HashMap;

use domain::{
    BodyId, RequestId, Result, WorkspaceId,
    activity::{Activity, Source},
    request::{LEASE, RESULT_KEPT, Request, State, Step},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Store, TransactError, activity, expr,
    expr::{Change, Write},
    keys,
    ops::{UpdateError, read},
};

/// A fresh request id: also the id of the A2A task, so version 4 as on the wire.
pub fn new_id() -> RequestId {
    RequestId::from_uuid(Uuid::new_v4())
}

/// Whether messages may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// They may.
    Open,
    /// They are kept, and wake it.
    Wake,
    /// They may not.
    Closed,
}

/// A workspace's slots, gate and counters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The running requests, each with its chain.
    #[serde(default)]
    pub slots: HashMap<String, Vec<WorkspaceId>>,
    /// How many may run at once.
    pub max_concurrent_tasks: i64,
    /// Whether messages may come in.
    pub gate: Gate,
    /// When the workspace last got an answer from another one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub last_outbound_at: Option<Timestamp>,
}

impl Load {
    /// The load of a new workspace.
    pub fn new(max_concurrent_tasks: i64) -> Self {
        Self {
            slots: HashMap::new(),
            max_concurrent_tasks,
            gate: Gate::Open,
            last_outbound_at: None,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    id: RequestId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caller: Option<WorkspaceId>,
    target: WorkspaceId,
    method: String,
    message_id: String,
    body: BodyId,
    chain: Vec<WorkspaceId>,
    slot: bool,
    state: State,
    fence: u32,
    attempts: u32,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    accepted_at: Timestamp,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    lease_until: Option<Timestamp>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    started_at: Option<Timestamp>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    ended_at: Option<Timestamp>,
    #[serde(default)]
    delivery_confirmed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<BodyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result_status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    timeline: Vec<Step>,
}

impl From<&Request> for Row {
    fn from(request: &Request) -> Self {
        let Request {
            id,
            caller,
            target,
            method,
            message_id,
            body,
            chain,
            slot,
            state,
            fence,
            attempts,
            accepted_at,
            lease_until,
            started_at,
            ended_at,
            delivery_confirmed,
            result,
            result_status,
            error,
            timeline,
        } = request.clone();
        Self {
            id,
            caller: caller.id(),
            target,
            method,
            message_id,
            body,
            chain,
            slot,
            state,
            fence,
            attempts,
            accepted_at,
            lease_until,
            started_at,
            ended_at,
            delivery_confirmed,
            result,
            result_status,
            error,
            timeline,
        }
    }
}

impl From<Row> for Request {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            caller: row.caller.map_or(Source::Person, Source::Workspace),
            target: row.target,
            method: row.method,
            message_id: row.message_id,
            body: row.body,
            chain: row.chain,
            slot: row.slot,
            state: row.state,
            fence: row.fence,
            attempts: row.attempts,
            accepted_at: row.accepted_at,
            lease_until: row.lease_until,
            started_at: row.started_at,
            ended_at: row.ended_at,
            delivery_confirmed: row.delivery_confirmed,
            result: row.result,
            result_status: row.result_status,
            error: row.error,
            timeline: row.timeline,
        }
    }
}

/// What became of an acceptance.
#[derive(Debug)]
pub enum Accepted {
    /// The request is recorded and, if it needs one, has its slot.
    Yes,
    /// All slots are taken.
    Full(Box<Load>),
    /// The gate is not open, or the workspace has gone.
    Closed,
}

/// How a request ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Completed or failed.
    pub state: State,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The stored reply, if the agent gave one.
    pub result: Option<BodyId>,
    /// Whether the agent has the message.
    pub delivery_confirmed: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// The row for the target's activity.
    pub activity: Activity,
    /// Whether the caller got an answer it can use.
    pub answered: bool,
}

impl Ending {
    /// The end of a request that got no answer, with the status its caller gets.
    pub fn failed(status: u16, delivery_confirmed: bool, why: &str, activity: Activity) -> Self {
        Self {
            state: State::Failed,
            status,
            result: None,
            delivery_confirmed,
            error: Some(why.to_owned()),
            activity,
            answered: false,
        }
    }
}

impl Store {
    /// Records a message that its target fetches: the activity row is its delivery, so it has
    /// ended. False when the target takes no messages (any more).
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn leave(&self, request: &Request, row: &Activity, now: Timestamp) -> Result<bool> {
        let mut request = request.clone();
        request.state = State::Completed;
        request.ended_at = Some(now);
        request.lease_until = None;
        request.timeline.push(Step {
            at: now,
            state: State::Completed,
            note: Some("left in the activity of the target".to_owned()),
        });
        let target = Change::at(keys::load(request.target))
            .naming("gate")
            .when("attribute_exists(pk) AND #gate = :open")
            .with("open", Gate::Open)
            .set("message_at", now.as_microsecond())
            .count("accepted", 1)
            .count("done", 1);
        let mut item = expr::item(keys::request(request.id), &Row::from(&request));
        let expires_at = (now + RESULT_KEPT).as_second();
        item.insert(keys::EXPIRES_AT.to_owned(), expr::value(expires_at));
        let writes = [
            target.into(),
            Write::put_item(item).if_new(),
            activity::record(row),
        ];
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(why)) if why.failed(0) => Ok(false),
            Err(other) => Err(other.into_error()),
        }
    }

    /// Records a request that is offered to a delivery and takes its slot, or does neither.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn accept(&self, request: &Request) -> Result<Accepted> {
        let target = Change::at(keys::load(request.target))
            .naming("gate")
            .with("open", Gate::Open)
            .set("message_at", request.accepted_at.as_microsecond())
            .count("accepted", 1)
            .count("running", 1);
        let target = if request.slot {
            target
                .when("attribute_exists(pk) AND #gate = :open AND size(#slots) < #max_concurrent_tasks")
                .naming("max_concurrent_tasks")
                .set_entry("slots", &request.id.to_string(), &request.chain)
        } else {
            target.when("attribute_exists(pk) AND #gate = :open")
        };
        let row = Write::put(keys::request(request.id), &Row::from(request)).if_new();
        match self.transact([target.into(), row]).await {
            Ok(()) => Ok(Accepted::Yes),
            Err(TransactError::Cancelled(why)) if why.failed(0) => {
                let Some(found) = why.found(0).cloned() else {
                    return Ok(Accepted::Closed);
                };
                let load: Load = read(found)?;
                Ok(match load.gate {
                    Gate::Open => Accepted::Full(Box::new(load)),
                    Gate::Wake | Gate::Closed => Accepted::Closed,
                })
            }
            Err(other) => Err(other.into_error()),
        }
    }

    /// Takes an offered request for this delivery, once: whoever is second, or comes with an old
    /// fence, gets nothing and must stop.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn claim(
        &self,
        id: RequestId,
        fence: u32,
        now: Timestamp,
    ) -> Result<Option<Request>> {
        let step = Step {
            at: now,
            state: State::Running,
            note: None,
        };
        let change = Change::at(keys::request(id))
            .naming("state")
            .naming("fence")
            .when("#state = :offered AND #fence = :fence")
            .with("offered", State::Offered)
            .with("fence", fence)
            .set("state", State::Running)
            .set("started_at", now.as_microsecond())
            .set("lease_until", (now + LEASE).as_microsecond())
            .count("attempts", 1)
            .append("timeline", &step);
        match self.update(change).await {
            Ok(Some(before)) => {
                let mut request = Request::from(read::<Row>(before)?);
                request.state = State::Running;
                request.started_at = Some(now);
                request.lease_until = Some(now + LEASE);
                request.attempts += 1;
                request.timeline.push(step);
                Ok(Some(request))
            }
            Ok(None) | Err(UpdateError::Refused(_)) => Ok(None),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// Extends the lease of a running delivery; false when it was lost.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn renew(&self, id: RequestId, fence: u32, now: Timestamp) -> Result<bool> {
        let change = Change::at(keys::request(id))
            .naming("state")
            .naming("fence")
            .when("#state = :running AND #fence = :fence")
            .with("running", State::Running)
            .with("fence", fence)
            .set("lease_until", (now + LEASE).as_microsecond());
        match self.update(change).await {
            Ok(_) => Ok(true),
            Err(UpdateError::Refused(_)) => Ok(false),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// Ends a request: result, activity, counters and slot in one transaction. False when it had
    /// ended before: the first result of any fence wins.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn finish(&self, request: &Request, ending: &Ending, now: Timestamp) -> Result<bool> {
        let step = Step {
            at: now,
            state: ending.state,
            note: ending.error.clone(),
        };
        let row = Change::at(keys::request(request.id))
            .naming("state")
            .when("#state IN (:waiting, :offered, :running)")
            .with("waiting", State::Waiting)
            .with("offered", State::Offered)
            .with("running", State::Running)
            .set("state", ending.state)
            .set("ended_at", now.as_microsecond())
            .set("result_status", ending.status)
            .set("delivery_confirmed", ending.delivery_confirmed)
            .set_or_remove("result", ending.result)
            .set_or_remove("error", ending.error.as_ref())
            .set("expires_at", (now + RESULT_KEPT).as_second())
            .remove("lease_until")
            .append("timeline", step);
        let counter = match ending.state {
            State::Completed => "done",
            State::Expired => "expired",
            State::Dropped => "dropped",
            State::Failed | State::Waiting | State::Offered | State::Running => "failed",
        };
        let outbound = ending.answered.then(|| request.caller.id()).flatten();
        let (mut with_target, mut with_caller) = (true, true);
        loop {
            let mut writes = vec![row.clone().into(), activity::record(&ending.activity)];
            if with_target {
                let own = outbound == Some(request.target);
                writes.push(released(request, counter, own.then_some(now)));
            }
            let other = outbound.filter(|caller| with_caller && *caller != request.target);
            if let Some(caller) = other {
                let change = Change::at(keys::load(caller))
                    .when("attribute_exists(pk)")
                    .set("last_outbound_at", now.as_microsecond());
                writes.push(change.into());
            }
            match self.transact(writes).await {
                Ok(()) => return Ok(true),
                Err(TransactError::Cancelled(why)) if why.failed(0) => return Ok(false),
                // Purged meanwhile: a result is not lost because somebody it concerns is gone.
                Err(TransactError::Cancelled(_)) if with_caller && other.is_some() => {
                    with_caller = false;
                }
                Err(TransactError::Cancelled(_)) if with_target => with_target = false,
                Err(other) => return Err(other.into_error()),
            }
        }
    }

    /// A request, if it is still kept.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn request(&self, id: RequestId) -> Result<Option<Request>> {
        let key = keys::request(id);
        let row: Option<Row> = self.rows([key.clone()]).await?.take(&key)?;
        Ok(row.map(Request::from))
    }
}

/// The target's load without this request.
fn released(request: &Request, counter: &str, answered_itself: Option<Timestamp>) -> Write {
    let mut change = Change::at(keys::load(request.target))
        .when("attribute_exists(pk)")
        .count(counter, 1)
        .count("running", -1);
    if request.slot {
        change = change.remove_entry("slots", &request.id.to_string());
    }
    if let Some(now) = answered_itself {
        change = change.set("last_outbound_at", now.as_microsecond());
    }
    change.into()
}

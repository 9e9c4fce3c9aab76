//! A request as stored.

use domain::{
    BodyId, DelegationId, RequestId, WorkspaceId,
    activity::Source,
    request::{Hold, Idempotency, Priority, Request, State, Step},
    schedule::Fire,
    trace::Trace,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    expr::{self, Item, value},
    keys,
};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    id: RequestId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caller: Option<WorkspaceId>,
    /// A caller that is a part of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<String>,
    priority: Priority,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    valid_until: Timestamp,
    hold: Hold,
    #[serde(default)]
    redelivered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idempotency: Option<Idempotency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegation: Option<DelegationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fire: Option<Fire>,
    #[serde(default)]
    native: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<Trace>,
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
            told,
            priority,
            valid_until,
            hold,
            redelivered,
            idempotency,
            delegation,
            fire,
            native,
            trace,
            timeline,
        } = request.clone();
        Self {
            id,
            caller: caller.id(),
            platform: caller.platform().map(str::to_owned),
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
            told,
            priority,
            valid_until,
            hold,
            redelivered,
            idempotency,
            delegation,
            fire,
            native,
            trace,
            timeline,
        }
    }
}

impl From<Row> for Request {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            caller: match (row.caller, row.platform) {
                (Some(id), _) => Source::Workspace(id),
                (None, Some(name)) => Source::Platform(name),
                (None, None) => Source::Person,
            },
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
            told: row.told,
            priority: row.priority,
            valid_until: row.valid_until,
            hold: row.hold,
            redelivered: row.redelivered,
            idempotency: row.idempotency,
            delegation: row.delegation,
            fire: row.fire,
            native: row.native,
            trace: row.trace,
            timeline: row.timeline,
        }
    }
}

/// The item of a request that has ended.
pub(super) fn ended_item(request: &Request) -> Item {
    expr::item(keys::request(request.id), &Row::from(request))
}

/// A new request's item, due to be looked at at `due`.
pub(super) fn item(request: &Request, due: Timestamp) -> Item {
    let mut item = ended_item(request);
    item.insert(keys::DUE.pk.to_owned(), value(due_pk(request)));
    item.insert(
        keys::DUE.sk.to_owned(),
        value(keys::due_at(due, &request.id.to_string())),
    );
    item
}

/// The partition in which requests to this target are due.
pub(super) fn due_pk(request: &Request) -> String {
    keys::due("REQUEST", keys::shard(request.target))
}

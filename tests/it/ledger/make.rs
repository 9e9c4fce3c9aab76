//! Requests and endings.

use domain::{
    BodyId, RequestId, WorkspaceId,
    activity::{Activity, Content, Source},
    job::Job,
    request::{EXPIRY, Hold, Idempotency, Priority, Request, State},
};
use jiff::{SignedDuration, Timestamp};
use store::{
    activity, bodies,
    ledger::{self, Counts, Ending},
};

/// No counts, to say only what is not zero.
pub(super) const NONE: Counts = Counts {
    accepted: 0,
    waiting: 0,
    running: 0,
    done: 0,
    failed: 0,
    expired: 0,
    dropped: 0,
};

/// So many seconds after everything here begins.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_900_000_000 + seconds).expect("a time")
}

/// A request to `target` by a person, accepted then, that needs a slot.
pub(super) fn request(target: WorkspaceId, seconds: i64) -> Request {
    Request {
        id: ledger::new_id(),
        caller: Source::Person,
        target,
        method: "message/send".to_owned(),
        message_id: String::new(),
        body: bodies::new_id(),
        chain: vec![target],
        slot: true,
        state: State::Offered,
        fence: 1,
        attempts: 0,
        accepted_at: at(seconds),
        lease_until: None,
        started_at: None,
        ended_at: None,
        delivery_confirmed: false,
        result: None,
        result_status: None,
        error: None,
        told: None,
        priority: Priority::Task,
        valid_until: at(seconds) + EXPIRY,
        hold: Hold::None,
        redelivered: false,
        idempotency: None,
        delegation: None,
        fire: None,
        native: false,
        trace: None,
        timeline: Vec::new(),
    }
}

/// The same, sent by a workspace that does nothing else.
pub(super) fn by(sender: WorkspaceId, request: Request) -> Request {
    Request {
        caller: Source::Workspace(sender),
        chain: vec![sender, request.target],
        ..request
    }
}

/// One that needs no slot.
pub(super) fn slotless(target: WorkspaceId, seconds: i64) -> Request {
    Request {
        slot: false,
        ..request(target, seconds)
    }
}

/// One with this priority.
pub(super) fn urgent(target: WorkspaceId, seconds: i64, priority: Priority) -> Request {
    Request {
        priority,
        ..request(target, seconds)
    }
}

/// One that may wait for so many seconds only.
pub(super) fn hasty(target: WorkspaceId, seconds: i64, waits: i64) -> Request {
    Request {
        valid_until: at(seconds + waits),
        ..request(target, seconds)
    }
}

/// One with an idempotency key.
pub(super) fn named(target: WorkspaceId, seconds: i64, key: &str, digest: &str) -> Request {
    Request {
        idempotency: Some(Idempotency {
            key: key.to_owned(),
            digest: digest.to_owned(),
        }),
        ..request(target, seconds)
    }
}

fn row(request: &Request) -> Activity {
    Activity {
        id: activity::new_id(),
        workspace: request.target,
        activity_type: "a2a_receive".to_owned(),
        source: request.caller.clone(),
        target_id: None,
        method: None,
        summary: None,
        request_body: Content::Absent,
        response_body: Content::Absent,
        tool_trace: Content::Absent,
        duration_ms: None,
        status: "ok".to_owned(),
        error_detail: None,
        created_at: request.accepted_at,
    }
}

/// The end with a usable answer.
pub(super) fn answered(request: &Request) -> Ending {
    Ending {
        state: State::Completed,
        result: Some(BodyId::from_uuid(*request.id.as_uuid())),
        delivery_confirmed: true,
        error: None,
        answered: true,
        ..Ending::failed(200, "", row(request))
    }
}

/// The end without an answer.
pub(super) fn failed(request: &Request, why: &str) -> Ending {
    Ending {
        told: Some("{}".to_owned()),
        ..Ending::failed(503, why, row(request))
    }
}

/// The end in one of the other final states.
pub(super) fn ended(request: &Request, state: State) -> Ending {
    Ending {
        state,
        ..failed(request, "why")
    }
}

/// The job that an offer writes.
pub(super) fn job(request_id: RequestId, fence: u32) -> Job {
    Job::DeliverV1 { request_id, fence }
}

/// So many seconds.
pub(super) fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

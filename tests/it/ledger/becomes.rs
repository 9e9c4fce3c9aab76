//! What becomes of requests: the row after each change.

use domain::request::{Hold, LEASE, OFFER, Request, State, Step};
use jiff::Timestamp;
use store::ledger::Ending;

/// A step of a timeline.
pub(super) fn step(at: Timestamp, state: State, note: Option<&str>) -> Step {
    Step {
        at,
        state,
        note: note.map(str::to_owned),
    }
}

/// A request as it is recorded when it is offered at once.
pub(super) fn as_offered(request: &Request) -> Request {
    let now = request.accepted_at;
    Request {
        state: State::Offered,
        fence: 1,
        lease_until: Some(now + OFFER),
        timeline: vec![step(now, State::Offered, Some("accepted"))],
        ..request.clone()
    }
}

/// A request as it is recorded when it has to wait.
pub(super) fn as_waiting(request: &Request) -> Request {
    let now = request.accepted_at;
    Request {
        state: State::Waiting,
        fence: 0,
        lease_until: None,
        timeline: vec![step(now, State::Waiting, Some("accepted"))],
        ..request.clone()
    }
}

/// A waiting request after its offer.
pub(super) fn then_offered(mut request: Request, now: Timestamp) -> Request {
    request.state = State::Offered;
    request.fence += 1;
    request.hold = Hold::None;
    request.lease_until = Some(now + OFFER);
    request.timeline.push(step(now, State::Offered, None));
    request
}

/// An offered request after its claim.
pub(super) fn then_running(mut request: Request, now: Timestamp) -> Request {
    request.state = State::Running;
    request.attempts += 1;
    request.started_at = Some(now);
    request.lease_until = Some(now + LEASE);
    request.timeline.push(step(now, State::Running, None));
    request
}

/// A request after its end.
pub(super) fn then_ended(mut request: Request, ending: &Ending, now: Timestamp) -> Request {
    let note = ending.error.as_deref();
    request.timeline.push(step(now, ending.state, note));
    Request {
        state: ending.state,
        lease_until: None,
        ended_at: Some(now),
        delivery_confirmed: ending.delivery_confirmed,
        result: ending.result,
        result_status: Some(ending.status),
        error: ending.error.clone(),
        told: ending.told.clone(),
        ..request
    }
}

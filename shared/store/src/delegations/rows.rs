//! The two activity rows of a delegation, and what ends with the request that carries it.

use domain::{
    ActivityId, BodyId, DelegationId, WorkspaceId,
    activity::{Activity, Content, Source, preview},
    event::Event,
    request::{Request, State},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Delegation, ERROR_KEPT, REPLY_PREVIEW, SUMMARY_PREVIEW, Status};
use crate::{
    activity, events,
    expr::{Change, Write},
    keys,
    ledger::Ending,
};

/// The row of what was asked.
fn asked_row(id: DelegationId) -> ActivityId {
    ActivityId::from_uuid(*id.as_uuid())
}

/// The row of what came back: next to the other, and the same whoever computes it. Ids of before
/// [`new_id`](super::new_id) cleared the lowest bit may be odd: then it is the one below.
fn answer_row(id: DelegationId) -> ActivityId {
    ActivityId::from_uuid(Uuid::from_u128(id.as_uuid().as_u128() ^ 1))
}

pub(super) fn asked(delegation: &Delegation, target: &str, status: &str) -> Activity {
    Activity {
        id: asked_row(delegation.id),
        workspace: delegation.source,
        activity_type: "delegation".to_owned(),
        source: Source::Workspace(delegation.source),
        target_id: Some(target.to_owned()),
        method: Some("delegate".to_owned()),
        summary: Some(format!("Delegating to {target}")),
        request_body: Content::Stored(delegation.task),
        response_body: Content::Absent,
        tool_trace: Content::Absent,
        duration_ms: None,
        status: status.to_owned(),
        error_detail: None,
        created_at: delegation.created_at,
    }
}

/// What the second row says.
pub(super) struct Outcome<'a> {
    pub(super) status: Status,
    pub(super) text: Option<(BodyId, &'a str)>,
    pub(super) error: Option<&'a str>,
}

pub(super) fn answer(
    source: WorkspaceId,
    id: DelegationId,
    target: Option<String>,
    outcome: &Outcome<'_>,
    now: Timestamp,
) -> Activity {
    let (summary, response_body) = match (outcome.status, outcome.text) {
        (Status::Completed, Some((body, text))) => {
            let text = preview(text, SUMMARY_PREVIEW, "...");
            (
                format!("Delegation completed ({text})"),
                Content::Stored(body),
            )
        }
        (Status::Queued, _) => (
            "Delegation queued — target at capacity".to_owned(),
            Content::from(serde_json::json!({"delegation_id": id, "queued": true})),
        ),
        _ => ("Delegation failed".to_owned(), Content::Absent),
    };
    Activity {
        id: answer_row(id),
        workspace: source,
        activity_type: "delegation".to_owned(),
        source: Source::Workspace(source),
        target_id: target,
        method: Some("delegate_result".to_owned()),
        summary: Some(summary),
        request_body: Content::Absent,
        response_body,
        tool_trace: Content::Absent,
        duration_ms: None,
        status: outcome.status.as_str().to_owned(),
        error_detail: outcome.error.map(str::to_owned),
        created_at: now,
    }
}

/// The status on the item and on the `delegate` row, unless it has ended.
pub(super) fn moved(
    source: WorkspaceId,
    id: DelegationId,
    to: Status,
    error: Option<&str>,
) -> [Change; 2] {
    let item = Change::at(keys::delegation(source, id))
        .naming("status")
        .when("attribute_exists(pk) AND NOT #status IN (:completed, :failed)")
        .with("completed", Status::Completed)
        .with("failed", Status::Failed)
        .set("status", to);
    let row = Change::at(keys::activity(source, asked_row(id)))
        .when("attribute_exists(pk)")
        .set("status", to.as_str())
        .set_or_remove("error_detail", error);
    [item, row]
}

/// What ends with the request that carries a delegation. May be left out as a whole: when its
/// source was purged there is nobody to tell.
pub(crate) fn ended(request: &Request, ending: &Ending, now: Timestamp) -> Vec<Write> {
    let (Some(id), Some(source)) = (request.delegation, request.caller.id()) else {
        return Vec::new();
    };
    let queued = request
        .timeline
        .iter()
        .any(|step| step.state == State::Waiting);
    let target = request.target.to_string();
    let (status, text, error) = match (&ending.text, ending.state) {
        (Some((body, text)), State::Completed) => {
            (Status::Completed, Some((*body, text.as_str())), None)
        }
        _ => {
            let why = ending.sentence.as_deref().or(ending.error.as_deref());
            let why = preview(why.unwrap_or("failed"), ERROR_KEPT, "...");
            (Status::Failed, None, Some(why))
        }
    };
    let event = match text {
        Some((_, text)) => Event::DelegationComplete {
            delegation_id: id.to_string(),
            target_id: Some(target.clone()),
            response_preview: preview(text, REPLY_PREVIEW, "..."),
            via_queue: queued,
        },
        None => Event::DelegationFailed {
            delegation_id: id.to_string(),
            target_id: Some(target.clone()),
            error: error.clone().unwrap_or_default(),
        },
    };
    let error = error.as_deref();
    let outcome = Outcome {
        status,
        text,
        error,
    };
    let [item, row] = moved(source, id, status, error);
    vec![
        item.set("ended_at", now.as_microsecond()).into(),
        row.into(),
        activity::record(&answer(source, id, Some(target), &outcome, now)),
        events::record(source, &event, now),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegations::new_id;

    #[test]
    fn a_result_is_right_above_what_was_asked() {
        for _ in 0..64 {
            let id = new_id();
            assert_eq!(id.as_uuid().get_version_num(), 7);
            let (asked, answer) = (asked_row(id), answer_row(id));
            assert_eq!(
                answer.as_uuid().as_u128(),
                asked.as_uuid().as_u128() + 1,
                "{id}"
            );
        }
    }

    #[test]
    fn of_an_odd_id_the_two_rows_are_still_two() {
        let odd = DelegationId::from_uuid(Uuid::from_u128(7));
        assert_eq!(answer_row(odd).as_uuid().as_u128(), 6);
        assert_eq!(asked_row(odd).as_uuid().as_u128(), 7);
    }
}

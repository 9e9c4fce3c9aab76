//! What an exchange comes to: an end with its row and its counters, or a place in line again.

use domain::{
    Result,
    activity::Content,
    reply,
    request::{Next, Request, State, Trouble, after},
    schedule,
};
use jiff::{SignedDuration, Timestamp};
use store::{
    bodies,
    ledger::{Ended, Ending, Ledger},
};

use super::{Clock, Exchange, Flow, Shelf, Talks, deliver::End, line};
use crate::{
    outcome::{Body, Outcome},
    rows,
};

/// Records what an exchange came to, and says what the caller gets.
pub(super) async fn settle<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    name: &str,
    direct: bool,
    end: End,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let took = end.took_ms;
    let fail = |status, why: &str| {
        Ending::failed(status, why, rows::failed(request, name, why, took, now))
    };
    let (ending, outcome) = match end.exchange {
        Exchange::Reply { status, body } => {
            return answered(flow, request, name, status, body, took).await;
        }
        Exchange::Lost { status, why } => {
            let delivery_confirmed = (200..400).contains(&status);
            let mut ending = Ending::failed(
                502,
                &why,
                rows::answered(request, name, status, None, took, now),
            );
            ending.delivery_confirmed = delivery_confirmed;
            (ending, Outcome::ReplyLost { delivery_confirmed })
        }
        Exchange::Unroutable { why } => (fail(500, &why), Outcome::Unroutable),
        Exchange::Nonsense { why } => {
            let why = format!("outcome_unknown: the answer is no HTTP: {why}");
            (fail(502, &why), Outcome::Unreachable)
        }
        Exchange::Unreachable { why } if direct => (fail(502, &why), Outcome::Unreachable),
        Exchange::Unreachable { why } => {
            let trouble = Trouble::Refused {
                retry_after: None,
                why,
            };
            return troubled(flow, request, name, trouble, took).await;
        }
        Exchange::Busy { why, retry_after } => {
            let retry_after = retry_after.map(|s| SignedDuration::from_secs(s.into()));
            let trouble = Trouble::Refused { retry_after, why };
            return troubled(flow, request, name, trouble, took).await;
        }
        Exchange::Broken { why, at_once } => {
            let trouble = if at_once {
                Trouble::Refused {
                    retry_after: None,
                    why,
                }
            } else {
                Trouble::Unknown { why }
            };
            return troubled(flow, request, name, trouble, took).await;
        }
    };
    finish(flow, request, ending, outcome, now).await
}

/// Back in line, or at the end of its tries.
async fn troubled<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    name: &str,
    trouble: Trouble,
    took: i64,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let unknown = matches!(trouble, Trouble::Unknown { .. });
    let next = if request.native {
        // It queues by itself, so nothing is queued for it.
        let (Trouble::Refused { why, .. } | Trouble::Unknown { why }) = trouble;
        let why = if unknown {
            format!("outcome_unknown: {why}")
        } else {
            why
        };
        Next::Fail { why }
    } else {
        after(trouble, request, now)
    };
    match next {
        Next::Wait { hold, why } => {
            let redelivered = request.redelivered || unknown;
            let put = flow
                .world
                .requeue(request, hold, &why, redelivered, now)
                .await?;
            if put {
                return Ok(Outcome::Queued);
            }
            let dropped = line::drop_if_gone(flow, request).await?;
            Ok(dropped.unwrap_or(Outcome::NotOurs))
        }
        Next::Fail { why } => {
            let row = rows::failed(request, name, &why, took, now);
            let outcome = Outcome::Busy {
                native: request.native,
            };
            finish(flow, request, Ending::failed(503, &why, row), outcome, now).await
        }
    }
}

/// Keeps the reply and ends the request with it.
async fn answered<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    name: &str,
    status: u16,
    bytes: Vec<u8>,
    took: i64,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    let now = flow.now();
    let id = bodies::new_id();
    flow.world.put(id, &bytes, now).await?;
    let text = match request.delegation.filter(|_| status < 300) {
        Some(delegation) => {
            let text = reply::text(&bytes);
            let kept = serde_json::json!({"text": text, "delegation_id": delegation}).to_string();
            let id = bodies::new_id();
            flow.world.put(id, kept.as_bytes(), now).await?;
            Some((id, text))
        }
        None => None,
    };
    let body = Body::of(&bytes);
    let outcome = if body.fits() {
        Outcome::Answered { status, body }
    } else {
        let result_url = flow.world.address(id).await?;
        Outcome::TooLong { status, result_url }
    };
    let mut activity = rows::answered(request, name, status, Some((id, &bytes)), took, now);
    set_aside(flow, &mut activity.tool_trace, now).await?;
    let ending = Ending {
        state: State::Completed,
        status,
        result: Some(id),
        delivery_confirmed: (200..400).contains(&status),
        error: None,
        told: None,
        sentence: None,
        activity,
        answered: status < 400,
        empty: request.fire.is_some() && schedule::is_empty(&bytes),
        text,
        usage: reply::usage(&bytes),
    };
    finish(flow, request, ending, outcome, now).await
}

/// What is too long to be written with a row is kept beside it: one call more.
async fn set_aside<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    content: &mut Content,
    now: Timestamp,
) -> Result<()>
where
    W: Shelf,
{
    let Content::Inline(json) = content else {
        return Ok(());
    };
    let text = json.as_str();
    if text.len() > bodies::IN_TABLE {
        let id = bodies::new_id();
        flow.world.put(id, text.as_bytes(), now).await?;
        *content = Content::Stored(id);
    }
    Ok(())
}

/// Ends a request, and sees to the line if nobody else does.
pub(super) async fn finish<W, T, C>(
    flow: &Flow<'_, W, T, C>,
    request: &Request,
    mut ending: Ending,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Outcome>
where
    W: Ledger + Shelf,
    T: Talks,
    C: Clock,
{
    if request.redelivered && ending.state != State::Completed && !ending.may_have_arrived() {
        // However this try went: an earlier one may have brought it there.
        let why = ending.error.unwrap_or_default();
        ending.error = Some(format!("outcome_unknown: {why}"));
    }
    if ending.state != State::Completed {
        ending.told = serde_json::to_string(&outcome).ok();
    }
    if request.delegation.is_some() && ending.text.is_none() {
        ending.sentence = Some(outcome.sentence());
    }
    let ended = flow.world.finish(request, &ending, now).await?;
    tracing::info!(
        request_id = %request.id,
        workspace_id = %request.target,
        state = %ending.state,
        status = ending.status,
        first = ended != Ended::Before,
        "message ended"
    );
    if ended == Ended::LookAtLine {
        line::look(flow, request.target).await?;
    }
    Ok(outcome)
}

//! Ending a request, in whatever state it is.

use domain::{
    Error, RequestId, Result,
    request::{Hold, OFFER, RESULT_KEPT, Request, State, Step},
};
use jiff::Timestamp;

use super::{Ended, Ending, Entry, Gate, jobs::pending, rows};
use crate::{
    Store, TransactError, activity, delegations,
    expr::{Change, Write},
    keys,
    ops::read,
    usage,
};

/// How often an ending that met other changes is put together anew.
const TRIES: usize = 8;
/// In the last of them the slot is only freed: the line is somebody else's turn.
const HANDING_OVER: usize = 5;

/// What happens to the slot.
enum Slot {
    /// Nobody waits: it is free.
    NobodyWaits,
    /// It goes to the next in line.
    Next(Box<Entry>),
    /// It is free, and somebody should look at the line.
    LookAtLine,
    /// There is no load any more.
    Purged,
}

impl Store {
    pub(super) async fn end_request(
        &self,
        request: &Request,
        ending: &Ending,
        now: Timestamp,
    ) -> Result<Ended> {
        if request.state.is_final() {
            // What is final stays: its row would be found as it was read.
            return Ok(Ended::Before);
        }
        let mut request = request.clone();
        let mut slot = Slot::NobodyWaits;
        let mut caller_is_there = true;
        let mut fired = self.fired(&request).await?;
        for tried in 0..TRIES {
            let mut writes = vec![end_row(&request, ending, now).into()];
            if request.caller.is_logged() {
                writes.push(activity::record(&ending.activity));
            }
            let load_at = writes.len();
            writes.extend(load_writes(&request, ending, &slot, now));
            let load_end = writes.len();
            writes.extend(aside(&request, ending, now));
            let caller_at = writes.len();
            if caller_is_there {
                writes.extend(for_caller(&request, ending, now));
            }
            let caller_end = writes.len();
            if let Some(fired) = &fired {
                writes.extend(fired.ended_with(&request, ending, now));
            }
            let fired_end = writes.len();

            match self.transact(writes).await {
                Ok(()) => {
                    return Ok(match slot {
                        Slot::LookAtLine => Ended::LookAtLine,
                        Slot::NobodyWaits | Slot::Next(_) | Slot::Purged => Ended::Now,
                    });
                }
                Err(TransactError::Failed(error)) => return Err(error),
                Err(TransactError::Cancelled(why)) => {
                    if why.failed(0) {
                        let Some(found) = why.found(0).cloned() else {
                            return Ok(Ended::Before);
                        };
                        request = Request::from(read::<rows::Row>(found)?);
                        if request.state.is_final() || ending.gives_up() {
                            return Ok(Ended::Before);
                        }
                        continue;
                    }
                    if (caller_at..caller_end).any(|n| why.failed(n)) {
                        // Gone meanwhile: an answer is not lost because its asker is.
                        caller_is_there = false;
                        continue;
                    }
                    if (caller_end..fired_end).any(|n| why.failed(n)) {
                        // Edited in no way that matters, ended, or deleted: read again.
                        fired = self.fired(&request).await?;
                        continue;
                    }
                    if (load_at..load_end).any(|n| why.failed(n)) {
                        slot = match why.found(load_at).cloned() {
                            None if why.failed(load_at) => Slot::Purged,
                            _ => self.next_slot(&request, tried, now).await?,
                        };
                    }
                }
            }
        }
        Err(Error::unavailable("an ending kept meeting other changes"))
    }

    /// Who gets the slot, read anew.
    async fn next_slot(&self, request: &Request, tried: usize, now: Timestamp) -> Result<Slot> {
        if tried >= HANDING_OVER {
            return Ok(Slot::LookAtLine);
        }
        let head = self.entries(request.target, 1).await?.pop();
        Ok(match head {
            Some(entry)
                if entry.slot
                    && entry.valid_until > now
                    && !matches!(entry.hold, Hold::Capacity(_)) =>
            {
                Slot::Next(Box::new(entry))
            }
            _ => Slot::LookAtLine,
        })
    }
}

/// The end of the request's own row, if it is still as it was read.
fn end_row(request: &Request, ending: &Ending, now: Timestamp) -> Change {
    let step = Step {
        at: now,
        state: ending.state,
        note: ending.error.clone(),
    };
    Change::at(keys::request(request.id))
        .naming("state")
        .naming("fence")
        .when("#state = :was AND #fence = :fence")
        .with("was", request.state)
        .with("fence", request.fence)
        .set("state", ending.state)
        .set("ended_at", now.as_microsecond())
        .set("result_status", ending.status)
        .set("delivery_confirmed", ending.delivery_confirmed)
        .set_or_remove("result", ending.result)
        .set_or_remove("error", ending.error.as_ref())
        .set_or_remove("told", ending.told.as_ref())
        .set(keys::EXPIRES_AT, (now + RESULT_KEPT).as_second())
        .remove("lease_until")
        .remove(keys::DUE.pk)
        .remove(keys::DUE.sk)
        .append("timeline", step)
}

/// The counters, the slot, and whoever gets it.
fn load_writes(request: &Request, ending: &Ending, slot: &Slot, now: Timestamp) -> Vec<Write> {
    let counter = match ending.state {
        State::Completed => "done",
        State::Expired => "expired",
        State::Dropped => "dropped",
        State::Failed | State::Waiting | State::Offered | State::Running => "failed",
    };
    let mut load = Change::at(keys::load(request.target))
        // While one runs nobody is sent to sleep; idle is who has ended the last one.
        .set("message_at", now.as_microsecond())
        .count(counter, 1);
    let place = keys::in_line(request.target, &request.line_key());
    let own = request.id.to_string();
    if ending.answered && request.caller.id() == Some(request.target) {
        load = load.set("last_outbound_at", now.as_microsecond());
    }
    if request.state == State::Waiting {
        if matches!(slot, Slot::Purged) {
            return vec![Write::delete(place)];
        }
        let load = load.count("waiting", -1).when("attribute_exists(pk)");
        return vec![load.into(), Write::delete(place)];
    }
    if request.slot {
        load = load.remove_entry("slots", &own);
    }
    if !matches!(slot, Slot::Next(_)) {
        // Handed over, as many run as before.
        load = load.count("running", -1);
    }
    match slot {
        Slot::Purged => Vec::new(),
        Slot::NobodyWaits if request.slot => vec![
            load.naming("waiting")
                .when("attribute_exists(pk) AND #waiting = :none")
                .with("none", 0)
                .into(),
        ],
        Slot::NobodyWaits | Slot::LookAtLine => vec![load.when("attribute_exists(pk)").into()],
        Slot::Next(entry) => {
            let load = load
                .count("waiting", -1)
                .naming("gate")
                .when("attribute_exists(pk) AND #gate = :open AND attribute_exists(#slots.#entry)")
                .with("open", Gate::Open)
                .set_entry("slots", &entry.request_id.to_string(), &entry.chain);
            let mut writes = vec![load.into()];
            writes.extend(offer_writes(request.target, entry, now));
            writes
        }
    }
}

/// What makes a waiting request an offered one, with its job.
pub(super) fn offer_writes(
    target: domain::WorkspaceId,
    entry: &Entry,
    now: Timestamp,
) -> [Write; 3] {
    let fence = entry.fence + 1;
    let job = domain::job::Job::DeliverV1 {
        request_id: entry.request_id,
        fence,
    };
    [
        Write::delete(keys::in_line(target, &entry.sk)).if_there(),
        offered(entry.request_id, entry.fence, now).into(),
        pending(target, &job, now),
    ]
}

fn offered(id: RequestId, fence: u32, now: Timestamp) -> Change {
    Change::at(keys::request(id))
        .naming("state")
        .when("#state = :waiting AND #fence = :before")
        .with("waiting", State::Waiting)
        .with("before", fence)
        .set("state", State::Offered)
        .set("fence", fence + 1)
        .set("hold", Hold::None)
        .set("lease_until", (now + OFFER).as_microsecond())
        .set(keys::DUE.sk, keys::due_at(now + OFFER, &id.to_string()))
        .append(
            "timeline",
            Step {
                at: now,
                state: State::Offered,
                note: None,
            },
        )
}

/// What ends with the request: its key, its tokens.
fn aside(request: &Request, ending: &Ending, now: Timestamp) -> Vec<Write> {
    let mut writes = Vec::new();
    if let Some(idempotency) = &request.idempotency
        && ending.state != State::Completed
        && !ending.delivery_confirmed
        && !ending.may_have_arrived()
        && !request.redelivered
    {
        // It never reached the agent, so the same message may be sent again.
        writes.push(Write::delete(keys::idempotency(&idempotency.key)));
    }
    if let Some((input, output)) = ending.usage {
        writes.push(usage::add(request.target, input, output, now));
    }
    writes
}

/// What concerns the caller: that it got an answer, and its delegation. Left out when it has gone.
fn for_caller(request: &Request, ending: &Ending, now: Timestamp) -> Vec<Write> {
    let mut writes = delegations::ended(request, ending, now);
    let caller = ending.answered.then(|| request.caller.id()).flatten();
    if let Some(caller) = caller.filter(|caller| *caller != request.target) {
        let change = Change::at(keys::load(caller))
            .when("attribute_exists(pk)")
            .set("last_outbound_at", now.as_microsecond());
        writes.push(change.into());
    }
    writes
}

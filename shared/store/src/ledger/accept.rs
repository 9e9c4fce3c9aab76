//! Accepting: a slot if one is free and nobody waits, else a place in line.

use domain::{
    ActivityId, Error, RequestId, Result,
    activity::Activity,
    request::{
        CROWDED, EXPIRY, Idempotency, LOOK_AGAIN, MAX_RUNNING, MAX_WAITING, OFFER, RESULT_KEPT,
        Request, SHARE, State, Step, sender_in,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Accepted, Entry, Gate, Load, deliver, jobs::pending, rows};
use crate::{
    Cancelled, Store, TransactError, activity,
    expr::{Change, Write, value},
    keys,
    ops::read,
};

/// How often an acceptance that met a change of the load is decided anew.
const TRIES: usize = 8;

#[derive(Debug, Serialize, Deserialize)]
struct Repeat {
    request_id: RequestId,
    digest: String,
    expires_at: i64,
}

/// How far an agent that fetches its messages was shown its activity.
#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(default)]
    shown: Option<ActivityId>,
}

enum Tried {
    Done,
    Repeat(Repeat),
    /// The load as it was found; none if the workspace has none.
    Load(Option<Box<Load>>),
}

impl Store {
    pub(super) async fn accept_request(
        &self,
        request: &Request,
        by_queue: bool,
    ) -> Result<Accepted> {
        for _ in 0..TRIES {
            let load = match self.take_slot(request, by_queue).await? {
                Tried::Done => return Ok(Accepted::Offered),
                Tried::Repeat(found) => return Ok(repeat(found)),
                Tried::Load(load) => load,
            };
            let counts = load.as_ref().map(|load| load.counts).unwrap_or_default();
            match load.map(|load| load.gate) {
                None | Some(Gate::Closed) => return Ok(Accepted::Closed),
                Some(Gate::Paused) => return Ok(Accepted::Paused),
                Some(Gate::Open | Gate::Wake) => {}
            }
            if !request.slot && counts.running >= MAX_RUNNING {
                return Ok(Accepted::QueueFull(counts.running));
            }
            if (CROWDED..MAX_WAITING).contains(&counts.waiting)
                && self.has_its_share(request).await?
            {
                return Ok(Accepted::ShareTaken(counts.waiting));
            }
            match self.stand_in_line(request).await? {
                Tried::Done => {
                    self.hint(request.target, true).await?;
                    return Ok(Accepted::Waiting);
                }
                Tried::Repeat(found) => return Ok(repeat(found)),
                Tried::Load(None) => return Ok(Accepted::Closed),
                Tried::Load(Some(load)) if load.counts.waiting >= MAX_WAITING => {
                    return Ok(Accepted::QueueFull(load.counts.waiting));
                }
                // The gate moved, which the next try tells; or a slot was freed in between and
                // nobody waits: nobody would offer it.
                Tried::Load(Some(_)) => {}
            }
        }
        Err(Error::unavailable("the load kept changing"))
    }

    /// Whether the sender has as many places in this line as one may have of a crowded one. It is
    /// looked at before the place is taken: those that a sender sends at the same moment may all go
    /// by. Up to 1,000 entries are read, about 40 read units, which only happens in a crowd.
    async fn has_its_share(&self, request: &Request) -> Result<bool> {
        let Some(sender) = request.caller.id() else {
            return Ok(false);
        };
        let line = self.whole_line(request.target).await?;
        let of_sender = |entry: &&Entry| sender_in(&entry.chain) == Some(sender);
        Ok(line.iter().filter(of_sender).count() >= SHARE)
    }

    async fn take_slot(&self, request: &Request, by_queue: bool) -> Result<Tried> {
        let mut offered = request.clone();
        offered.state = State::Offered;
        offered.fence = 1;
        offered.lease_until = Some(request.accepted_at + OFFER);
        offered.timeline = vec![Step {
            at: request.accepted_at,
            state: State::Offered,
            note: Some("accepted".to_owned()),
        }];
        let load = changed_load(request).count("running", 1);
        let load = if request.slot {
            load.when(
                "attribute_exists(pk) AND #gate = :open AND #waiting = :none \
                 AND size(#slots) < #max_concurrent_tasks",
            )
            .naming("waiting")
            .naming("max_concurrent_tasks")
            .with("none", 0)
            .with("open", Gate::Open)
            .set_entry("slots", &request.id.to_string(), &request.chain)
        } else {
            load.when(
                "attribute_exists(pk) AND #gate = :open \
                 AND (attribute_not_exists(#running) OR #running < :most)",
            )
            .with("open", Gate::Open)
            .with("most", MAX_RUNNING)
        };
        let item = rows::item(&offered, request.accepted_at + OFFER);
        let mut writes = first(request, load);
        writes.push(Write::put_item(item).if_new());
        if by_queue {
            let job = deliver(&offered);
            writes.push(pending(request.target, &job, request.accepted_at));
        }
        self.tried(request, writes).await
    }

    async fn stand_in_line(&self, request: &Request) -> Result<Tried> {
        let mut waiting = request.clone();
        waiting.state = State::Waiting;
        waiting.fence = 0;
        waiting.lease_until = None;
        waiting.timeline = vec![Step {
            at: request.accepted_at,
            state: State::Waiting,
            note: Some("accepted".to_owned()),
        }];
        let look = keys::due_at(
            request.accepted_at + LOOK_AGAIN,
            &request.target.to_string(),
        );
        let load = changed_load(request)
            // Somebody who ends, or waits already, must be there to move the line.
            .when(
                "attribute_exists(pk) AND #gate IN (:open, :wake) AND #waiting < :most AND \
                 (#waiting > :none OR size(#slots) >= #max_concurrent_tasks OR #gate = :wake)",
            )
            .with("open", Gate::Open)
            .with("wake", Gate::Wake)
            .with("most", MAX_WAITING)
            .with("none", 0)
            .naming("slots")
            .naming("max_concurrent_tasks")
            .count("waiting", 1)
            .set(keys::DUE.pk, keys::due("LINE", keys::shard(request.target)))
            .set_if_absent(keys::DUE.sk, look);
        let mut writes = first(request, load);
        let item = rows::item(&waiting, request.valid_until);
        writes.push(Write::put_item(item).if_new());
        writes.push(Write::put(
            keys::in_line(request.target, &waiting.line_key()),
            &Entry::of(&waiting),
        ));
        self.tried(request, writes).await
    }

    /// Records a message that its target fetches: the activity row is its delivery, so it has
    /// ended. False when the target takes no messages (any more).
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn leave(&self, request: &Request, row: &Activity) -> Result<bool> {
        let now = request.accepted_at;
        let mut request = request.clone();
        request.state = State::Completed;
        request.ended_at = Some(now);
        request.timeline.push(Step {
            at: now,
            state: State::Completed,
            note: Some("left in the activity of the target".to_owned()),
        });
        let mut item = rows::ended_item(&request);
        let expires_at = (now + RESULT_KEPT).as_second();
        item.insert(keys::EXPIRES_AT.to_owned(), value(expires_at));
        let mut row = row.clone();
        for _ in 0..TRIES {
            // Also while it is asleep or boots: what it fetches lies there until it does. Above what its
            // agent was shown, which goes on from there and would never see it.
            let load = changed_load(&request)
                .naming("shown")
                .when(
                    "attribute_exists(pk) AND #gate IN (:open, :wake) \
                     AND (attribute_not_exists(#shown) OR #shown < :row)",
                )
                .with("open", Gate::Open)
                .with("wake", Gate::Wake)
                .with("row", row.id)
                .count("done", 1);
            let writes = [
                load.into(),
                Write::put_item(item.clone()).if_new(),
                activity::record(&row),
            ];
            let why = match self.transact(writes).await {
                Ok(()) => return Ok(true),
                Err(TransactError::Cancelled(why)) if why.failed(0) => why,
                Err(other) => return Err(other.into_error()),
            };
            let found: Option<Shown> = why.found(0).cloned().map(read).transpose()?;
            match found.and_then(|load| load.shown) {
                Some(shown) if shown >= row.id => row.id = activity::new_id_above(shown),
                // It is the gate, or there is no load.
                _ => return Ok(false),
            }
        }
        Err(Error::unavailable("the agent kept being shown more"))
    }

    async fn tried(&self, request: &Request, writes: Vec<Write>) -> Result<Tried> {
        match self.transact(writes).await {
            Ok(()) => Ok(Tried::Done),
            Err(TransactError::Cancelled(why)) => refused(request, &why),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

/// What every acceptance changes of the load.
fn changed_load(request: &Request) -> Change {
    Change::at(keys::load(request.target))
        .naming("gate")
        .set("message_at", request.accepted_at.as_microsecond())
        .count("accepted", 1)
}

/// The load first, then the idempotency key: [`refused`] looks at them by number.
fn first(request: &Request, load: Change) -> Vec<Write> {
    let mut writes = vec![load.into()];
    if let Some(idempotency) = &request.idempotency {
        let row = Repeat {
            request_id: request.id,
            digest: idempotency.digest.clone(),
            expires_at: (request.valid_until + EXPIRY).as_second(),
        };
        writes.push(
            Write::put(keys::idempotency(&idempotency.key), &row)
                .when("attribute_not_exists(pk) OR expires_at < :now")
                .with("now", request.accepted_at.as_second()),
        );
    }
    writes
}

/// The write that takes an idempotency key for a request that is not to be accepted; it fails where
/// one was.
pub(crate) fn taken(request: RequestId, idempotency: &Idempotency, now: Timestamp) -> Write {
    let row = Repeat {
        request_id: request,
        digest: idempotency.digest.clone(),
        expires_at: (now + EXPIRY).as_second(),
    };
    Write::put(keys::idempotency(&idempotency.key), &row).if_new()
}

fn refused(request: &Request, why: &Cancelled) -> Result<Tried> {
    if request.idempotency.is_some() && why.failed(1) {
        let found = why.found(1).cloned().map(read).transpose()?;
        return Ok(found.map_or(Tried::Load(None), Tried::Repeat));
    }
    let load = why.found(0).cloned().map(read::<Load>).transpose()?;
    Ok(Tried::Load(load.map(Box::new)))
}

fn repeat(found: Repeat) -> Accepted {
    Accepted::Repeat {
        of: found.request_id,
        digest: found.digest,
    }
}

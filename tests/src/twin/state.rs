//! What the twin holds, and each decision of the ledger as one change of it.

use std::collections::BTreeMap;

use domain::{
    BodyId, RequestId, WorkspaceId,
    job::Job,
    request::{
        EXPIRY, Hold, LEASE, LOOK_AGAIN, MAX_WAITING, OFFER, Request, State as Stands, Step,
    },
};
use jiff::Timestamp;
use store::ledger::{Accepted, Ended, Ending, Entry, Gate, Load, PendingJob};

/// What a heartbeat left behind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beat {
    /// When.
    pub at: Option<Timestamp>,
    /// How many messages the agent works on.
    pub active_tasks: i64,
    /// Whether somebody may wait: a hint.
    pub waiting: bool,
}

/// A workspace: its load, and its last beat.
#[derive(Debug)]
pub struct Place {
    /// Slots, gate, counters.
    pub load: Load,
    /// When somebody looks at the line.
    pub due: Option<Timestamp>,
    /// The last beat.
    pub beat: Beat,
}

/// A job as it was written.
#[derive(Debug)]
pub struct Written {
    /// When.
    pub at: Timestamp,
    /// Whom it concerns.
    pub concerning: WorkspaceId,
    /// The job.
    pub job: PendingJob,
}

/// Everything.
#[derive(Debug, Default)]
pub struct State {
    /// The workspaces that are not purged.
    pub places: BTreeMap<WorkspaceId, Place>,
    /// Those who wait, in order: they outlive a load that is gone, as they do in the table.
    pub lines: BTreeMap<WorkspaceId, BTreeMap<String, Entry>>,
    /// All requests.
    pub requests: BTreeMap<RequestId, Request>,
    /// When somebody looks at a request.
    pub due: BTreeMap<RequestId, Timestamp>,
    /// Jobs that are not known to have reached their queue.
    pub jobs: Vec<Written>,
    /// Jobs in the order they were written, for the stream.
    pub stream: Vec<PendingJob>,
    /// Bodies.
    pub bodies: BTreeMap<BodyId, Vec<u8>>,
    /// Requests by idempotency key, with the digest and the end of the key.
    keys: BTreeMap<String, (RequestId, String, Timestamp)>,
}

fn step(at: Timestamp, state: Stands, note: Option<&str>) -> Step {
    Step {
        at,
        state,
        note: note.map(str::to_owned),
    }
}

impl State {
    /// Those who wait for a workspace, in order.
    pub fn line(&self, target: WorkspaceId) -> impl Iterator<Item = &Entry> {
        self.lines
            .get(&target)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// Removes a workspace: its gate closes, its beat goes, and somebody looks at its line.
    pub fn remove(&mut self, id: WorkspaceId, now: Timestamp) {
        let Some(place) = self.places.get_mut(&id) else {
            return;
        };
        place.load.gate = Gate::Closed;
        place.beat = Beat::default();
        self.write(id, &Job::OfferV1 { workspace_id: id }, now);
    }

    /// Purges a removed workspace: its load goes unless somebody runs or waits.
    pub fn purge(&mut self, id: WorkspaceId) {
        let place = self.places.get(&id);
        let counts = place.map(|place| place.load.counts);
        if counts.is_some_and(|counts| counts.waiting == 0 && counts.running == 0) {
            self.places.remove(&id);
        }
    }

    /// Writes a job, for the stream to carry.
    pub fn write(&mut self, concerning: WorkspaceId, job: &Job, at: Timestamp) {
        let job = PendingJob::new(concerning, job, at);
        self.stream.push(job.clone());
        self.jobs.push(Written {
            at,
            concerning,
            job,
        });
    }

    fn job(&mut self, target: WorkspaceId, id: RequestId, fence: u32, now: Timestamp) {
        let job = Job::DeliverV1 {
            request_id: id,
            fence,
        };
        self.write(target, &job, now);
    }

    pub(super) fn accept(&mut self, request: &Request, by_queue: bool) -> Accepted {
        let now = request.accepted_at;
        if let Some(own) = &request.idempotency
            && let Some((of, digest, _)) = self
                .keys
                .get(&own.key)
                .filter(|(_, _, end)| end.as_second() >= now.as_second())
        {
            return Accepted::Repeat {
                of: *of,
                digest: digest.clone(),
            };
        }
        let Some(place) = self.places.get_mut(&request.target) else {
            return Accepted::Closed;
        };
        let load = &mut place.load;
        let wakes = match load.gate {
            Gate::Closed => return Accepted::Closed,
            Gate::Paused => return Accepted::Paused,
            Gate::Wake => true,
            Gate::Open => false,
        };
        let mut kept = request.clone();
        let takes = !wakes && (!request.slot || (load.counts.waiting == 0 && load.free() > 0));
        if takes {
            kept.state = Stands::Offered;
            kept.fence = 1;
            kept.lease_until = Some(now + OFFER);
            if request.slot {
                load.slots
                    .insert(request.id.to_string(), request.chain.clone());
            }
            load.counts.running += 1;
        } else {
            if load.counts.waiting >= MAX_WAITING {
                return Accepted::QueueFull(load.counts.waiting);
            }
            kept.state = Stands::Waiting;
            kept.fence = 0;
            kept.lease_until = None;
            load.counts.waiting += 1;
            place.due.get_or_insert(now + LOOK_AGAIN);
            let line = self.lines.entry(kept.target).or_default();
            line.insert(kept.line_key(), Entry::of(&kept));
        }
        load.counts.accepted += 1;
        kept.timeline = vec![step(now, kept.state, Some("accepted"))];
        if let Some(own) = &request.idempotency {
            let end = request.valid_until + EXPIRY;
            let row = (request.id, own.digest.clone(), end);
            self.keys.insert(own.key.clone(), row);
        }
        let due = if takes { now + OFFER } else { kept.valid_until };
        self.due.insert(kept.id, due);
        self.requests.insert(kept.id, kept);
        if !takes {
            return Accepted::Waiting;
        }
        if by_queue {
            self.job(request.target, request.id, 1, now);
        }
        Accepted::Offered
    }

    pub(super) fn claim(&mut self, id: RequestId, fence: u32, now: Timestamp) -> Option<Request> {
        let request = self.requests.get_mut(&id)?;
        if request.state != Stands::Offered || request.fence != fence {
            return None;
        }
        request.state = Stands::Running;
        request.started_at = Some(now);
        request.lease_until = Some(now + LEASE);
        request.attempts += 1;
        request.timeline.push(step(now, Stands::Running, None));
        self.due.insert(id, now + LEASE);
        Some(request.clone())
    }

    pub(super) fn renew(&mut self, id: RequestId, fence: u32, now: Timestamp) -> bool {
        let request = self.requests.get_mut(&id);
        let Some(request) =
            request.filter(|request| request.state == Stands::Running && request.fence == fence)
        else {
            return false;
        };
        request.lease_until = Some(now + LEASE);
        true
    }

    pub(super) fn finish(&mut self, seen: &Request, ending: &Ending, now: Timestamp) -> Ended {
        let id = seen.id;
        let Some(request) = self.requests.get_mut(&id) else {
            return Ended::Before;
        };
        let as_seen = request.state == seen.state && request.fence == seen.fence;
        if request.state.is_final() || (ending.gives_up() && !as_seen) {
            return Ended::Before;
        }
        let was = request.state;
        request.state = ending.state;
        request.ended_at = Some(now);
        request.result_status = Some(ending.status);
        request.delivery_confirmed = ending.delivery_confirmed;
        request.result = ending.result;
        request.error.clone_from(&ending.error);
        request.told.clone_from(&ending.told);
        request.lease_until = None;
        let note = ending.error.as_deref();
        request.timeline.push(step(now, ending.state, note));
        self.due.remove(&id);
        let request = request.clone();
        if let Some(caller) = request.caller.id().filter(|_| ending.answered)
            && let Some(place) = self.places.get_mut(&caller)
        {
            place.load.last_outbound_at = Some(now);
        }
        if let Some(own) = &request.idempotency
            && ending.state != Stands::Completed
            && !ending.delivery_confirmed
            && !ending.may_have_arrived()
            && !request.redelivered
        {
            self.keys.remove(&own.key);
        }
        self.leave_place(&request, was, now)
    }

    /// The counters, the slot, and whoever gets it.
    fn leave_place(&mut self, request: &Request, was: Stands, now: Timestamp) -> Ended {
        if was == Stands::Waiting
            && let Some(line) = self.lines.get_mut(&request.target)
        {
            line.remove(&request.line_key());
        }
        let Some(place) = self.places.get_mut(&request.target) else {
            return Ended::Now;
        };
        let counts = &mut place.load.counts;
        match request.state {
            Stands::Completed => counts.done += 1,
            Stands::Expired => counts.expired += 1,
            Stands::Dropped => counts.dropped += 1,
            Stands::Failed | Stands::Waiting | Stands::Offered | Stands::Running => {
                counts.failed += 1;
            }
        }
        if was == Stands::Waiting {
            counts.waiting -= 1;
            return Ended::Now;
        }
        counts.running -= 1;
        place.load.slots.remove(&request.id.to_string());
        if !request.slot || place.load.counts.waiting == 0 {
            return Ended::Now;
        }
        let open = place.load.gate == Gate::Open;
        let next = self.line(request.target).next().cloned();
        match next {
            Some(next)
                if open
                    && next.slot
                    && next.valid_until > now
                    && !matches!(next.hold, Hold::Capacity(_)) =>
            {
                self.offer(request.target, &next, now);
                Ended::Now
            }
            _ => Ended::LookAtLine,
        }
    }

    pub(super) fn requeue(
        &mut self,
        seen: &Request,
        hold: Hold,
        why: &str,
        redelivered: bool,
        now: Timestamp,
    ) -> bool {
        let (Some(request), Some(place)) = (
            self.requests.get_mut(&seen.id),
            self.places.get_mut(&seen.target),
        ) else {
            return false;
        };
        let has_it = matches!(seen.state, Stands::Offered | Stands::Running)
            && request.state == seen.state
            && request.fence == seen.fence;
        if place.load.gate == Gate::Closed || !has_it {
            return false;
        }
        request.state = Stands::Waiting;
        request.hold = hold;
        request.redelivered = redelivered;
        request.error = Some(why.to_owned());
        request.lease_until = None;
        request.timeline.push(step(now, Stands::Waiting, Some(why)));
        self.due.insert(seen.id, request.valid_until);
        place.load.slots.remove(&seen.id.to_string());
        place.load.counts.running -= 1;
        place.load.counts.waiting += 1;
        let look = now + LOOK_AGAIN;
        let look = hold.ends_at().map_or(look, |at| at.min(look));
        place.due.get_or_insert(look);
        let line = self.lines.entry(seen.target).or_default();
        line.insert(request.line_key(), Entry::of(request));
        true
    }

    pub(super) fn offer(&mut self, target: WorkspaceId, entry: &Entry, now: Timestamp) -> bool {
        let (Some(place), Some(line), Some(request)) = (
            self.places.get_mut(&target),
            self.lines.get_mut(&target),
            self.requests.get_mut(&entry.request_id),
        ) else {
            return false;
        };
        let fits = place.load.gate == Gate::Open
            && (!entry.slot || place.load.free() > 0)
            && line.contains_key(&entry.sk)
            && request.state == Stands::Waiting
            && request.fence == entry.fence;
        if !fits {
            return false;
        }
        line.remove(&entry.sk);
        place.load.counts.waiting -= 1;
        place.load.counts.running += 1;
        if entry.slot {
            let slots = &mut place.load.slots;
            slots.insert(entry.request_id.to_string(), entry.chain.clone());
        }
        request.state = Stands::Offered;
        request.fence += 1;
        request.hold = Hold::None;
        request.lease_until = Some(now + OFFER);
        request.timeline.push(step(now, Stands::Offered, None));
        let fence = request.fence;
        self.due.insert(entry.request_id, now + OFFER);
        self.job(target, entry.request_id, fence, now);
        true
    }

    /// Whether it took effect.
    pub(super) fn look_again(&mut self, target: WorkspaceId, at: Option<Timestamp>) -> bool {
        let Some(place) = self.places.get_mut(&target) else {
            return false;
        };
        if (place.load.counts.waiting > 0) != at.is_some() {
            return false;
        }
        place.due = at;
        true
    }

    pub(super) fn postpone(&mut self, seen: &Request, at: Timestamp) {
        if let Some(request) = self.requests.get(&seen.id)
            && request.state == seen.state
            && request.fence == seen.fence
            && !request.state.is_final()
        {
            self.due.insert(seen.id, at);
        }
    }
}

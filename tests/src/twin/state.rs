//! What the twin holds, and each decision of the ledger as one change of it.

use std::collections::BTreeMap;

use domain::{
    BodyId, RequestId, WorkspaceId,
    job::Job,
    request::{
        CROWDED, EXPIRY, LEASE, LOOK_AGAIN, MAX_WAITING, OFFER, Request, SHARE, State as Stands,
        Step, sender_in,
    },
};
use jiff::Timestamp;
use store::ledger::{Accepted, Entry, Gate, Load, PendingJob};

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
    pub(super) keys: BTreeMap<String, (RequestId, String, Timestamp)>,
}

pub(super) fn step(at: Timestamp, state: Stands, note: Option<&str>) -> Step {
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

    pub(super) fn job(&mut self, target: WorkspaceId, id: RequestId, fence: u32, now: Timestamp) {
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
            let line = self.lines.entry(kept.target).or_default();
            let sender = request.caller.id();
            let of_sender = |entry: &&Entry| sender.is_some() && sender_in(&entry.chain) == sender;
            if load.counts.waiting >= CROWDED && line.values().filter(of_sender).count() >= SHARE {
                return Accepted::ShareTaken(load.counts.waiting);
            }
            kept.state = Stands::Waiting;
            kept.fence = 0;
            kept.lease_until = None;
            load.counts.waiting += 1;
            place.due.get_or_insert(now + LOOK_AGAIN);
            line.insert(kept.line_key(), Entry::of(&kept));
        }
        load.counts.accepted += 1;
        load.message_at = Some(now);
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
}

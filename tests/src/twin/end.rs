//! What ends requests, puts them back in line, and moves the line.

use domain::{
    WorkspaceId,
    request::{Hold, LOOK_AGAIN, OFFER, Request, State as Stands},
};
use jiff::Timestamp;
use store::ledger::{Ended, Ending, Entry, Gate};

use super::state::{State, step};

impl State {
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
        place.load.message_at = Some(now);
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

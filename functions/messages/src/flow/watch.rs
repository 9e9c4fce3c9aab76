//! Keeping the lease of a running delivery, and looking for signs of life of its agent.

use std::time::Duration;

use domain::{
    Result,
    request::{LONGEST_DELIVERY, RENEW_EVERY, Request},
};
use jiff::{SignedDuration, Timestamp};
use store::ledger::Ledger;

use super::{Clock, Flow, Shelf, Talks};

/// What a look showed.
pub(super) enum Seen {
    /// All is well.
    GoOn,
    /// Another fence has the request, or it has ended.
    LeaseLost,
    /// It takes too long.
    Enough(&'static str),
}

/// The lease and the patience of one delivery.
pub(super) struct Watch<'a, W, T, C> {
    flow: &'a Flow<'a, W, T, C>,
    request: &'a Request,
    last_sign: Timestamp,
    renewed_at: Timestamp,
    idle: SignedDuration,
    ends_at: Timestamp,
}

impl<'a, W: Ledger + Shelf, T: Talks, C: Clock> Watch<'a, W, T, C> {
    pub(super) fn new(
        flow: &'a Flow<'a, W, T, C>,
        request: &'a Request,
        idle: Option<Duration>,
        deadline: Option<Timestamp>,
    ) -> Self {
        let now = flow.now();
        let longest = now + LONGEST_DELIVERY;
        let idle = idle.unwrap_or(flow.idle_timeout);
        Self {
            flow,
            request,
            last_sign: now,
            renewed_at: now,
            idle: SignedDuration::try_from(idle).unwrap_or(LONGEST_DELIVERY),
            ends_at: deadline.map_or(longest, |at| at.min(longest)),
        }
    }

    /// Until the next look: the lease's turn, the end, or the end of patience.
    pub(super) fn pause(&self) -> Duration {
        let next = (self.last_sign + self.idle)
            .min(self.ends_at)
            .min(self.renewed_at + RENEW_EVERY);
        let until = next.duration_since(self.flow.now());
        // Never a busy loop, whatever the clocks say.
        Duration::try_from(until)
            .unwrap_or_default()
            .max(Duration::from_millis(50))
    }

    pub(super) async fn look(&mut self) -> Result<Seen> {
        let now = self.flow.now();
        if now >= self.ends_at {
            return Ok(Seen::Enough("the time for this message is over"));
        }
        let world = self.flow.world;
        let (renewed, target) = tokio::join!(
            world.renew(self.request.id, self.request.fence, now),
            world.target(self.request.target),
        );
        if !renewed? {
            return Ok(Seen::LeaseLost);
        }
        self.renewed_at = now;
        if let Some(sign) = target?.and_then(|target| target.last_sign) {
            self.last_sign = self.last_sign.max(sign);
        }
        if now.duration_since(self.last_sign) >= self.idle {
            return Ok(Seen::Enough("the agent was silent for too long"));
        }
        Ok(Seen::GoOn)
    }
}

//! What the dice may do: mostly with what is there now, sometimes with what was there earlier.

use std::collections::BTreeMap;

use domain::{
    BodyId, RequestId, WorkspaceId,
    request::{Hold, Idempotency, Priority, Request, State},
};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use store::ledger::{Ending, Entry, Gate, Line};
use uuid::Uuid;

use super::{caller, op::Op};
use crate::ledger::make::{answered, at, ended, request};

/// What was seen so far, to choose from.
pub(super) struct Seen {
    workspaces: Vec<WorkspaceId>,
    gone: Vec<WorkspaceId>,
    rows: BTreeMap<RequestId, Vec<Request>>,
    entries: Vec<(WorkspaceId, Entry)>,
    now: Timestamp,
}

impl Seen {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let id = |_| WorkspaceId::from_uuid(Uuid::from_u128(rng.u128(..)));
        Self {
            workspaces: (0..2).map(id).collect(),
            gone: Vec::new(),
            rows: BTreeMap::new(),
            entries: Vec::new(),
            now: at(0),
        }
    }

    pub(super) fn workspaces(&self) -> impl Iterator<Item = WorkspaceId> + use<> {
        self.workspaces.clone().into_iter()
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = RequestId> + use<> {
        let ids: Vec<RequestId> = self.rows.keys().copied().collect();
        ids.into_iter()
    }

    /// So many seconds from now.
    pub(super) fn now(&self, ahead: i64) -> Timestamp {
        self.now + SignedDuration::from_secs(ahead)
    }

    /// A line as it is now.
    pub(super) fn line(&mut self, id: WorkspaceId, line: Option<Line>) {
        let entries = line.into_iter().flat_map(|line| line.entries);
        for entry in entries.map(|entry| (id, entry)) {
            if !self.entries.contains(&entry) {
                self.entries.push(entry);
            }
        }
    }

    /// A request as it is now.
    pub(super) fn row(&mut self, row: Option<Request>) {
        let Some(row) = row else { return };
        let seen = self.rows.entry(row.id).or_default();
        if seen.last() != Some(&row) {
            seen.push(row);
        }
    }

    fn workspace(&self, rng: &mut Rng) -> WorkspaceId {
        self.workspaces[rng.usize(0..self.workspaces.len())]
    }

    /// A request as it is, or as it was; the later ones more often.
    fn seen(&self, rng: &mut Rng) -> Option<Request> {
        let all: Vec<&Vec<Request>> = self.rows.values().collect();
        let live = |it: &&&Vec<Request>| it.last().is_some_and(|it| !it.state.is_final());
        let some: Vec<_> = match rng.u8(0..5) {
            0 => all,
            _ => all.iter().filter(live).copied().collect(),
        };
        let rows = rng.choice(some)?;
        match rng.u8(0..5) {
            0 => rng.choice(rows).cloned(),
            _ => rows.last().cloned(),
        }
    }

    fn fresh(&mut self, rng: &mut Rng) -> Request {
        let target = self.workspace(rng);
        let id = Uuid::from_u128(rng.u128(..));
        let waits = match rng.u8(0..4) {
            0 => rng.i64(1..200),
            _ => 86_400,
        };
        let named = rng.bool().then(|| Idempotency {
            key: rng.u8(0..4).to_string() + &self.workspaces[0].to_string(),
            digest: rng.u8(0..2).to_string(),
        });
        let priorities = [Priority::Info, Priority::Task, Priority::Critical];
        let fresh = Request {
            id: RequestId::from_uuid(id),
            body: BodyId::from_uuid(id),
            caller: caller(rng, &self.workspaces),
            slot: rng.u8(0..5) > 0,
            priority: priorities[rng.usize(0..3)],
            accepted_at: self.now,
            valid_until: self.now(waits),
            idempotency: named,
            ..request(target, 0)
        };
        self.rows.entry(fresh.id).or_default();
        fresh
    }

    /// The next operation.
    pub(super) fn draw(&mut self, rng: &mut Rng) -> Op {
        // No two operations at one moment: what is due at the same time has no order.
        self.now += SignedDuration::from_micros(rng.i64(1..30_000_000));
        let now = self.now;
        let kind = rng.u8(0..100);
        if kind < 30 || self.rows.is_empty() {
            return Op::Accept(self.fresh(rng), rng.bool());
        }
        if kind < 70
            && let Some(seen) = self.seen(rng)
        {
            return self.about(rng, seen);
        }
        let target = self.workspace(rng);
        match kind {
            0..78 => match rng.choice(&self.entries) {
                Some((target, entry)) => Op::Offer(*target, entry.clone(), now),
                None => Op::Beat(target, 0, now),
            },
            78..84 => Op::LookAgain(target, rng.bool().then(|| self.now(rng.i64(-5..60)))),
            84..88 => Op::Due(self.now(rng.i64(0..200)), rng.i32(1..4)),
            88..91 => Op::Send,
            91..97 if !self.gone.contains(&target) => {
                let gates = [
                    Gate::Open,
                    Gate::Open,
                    Gate::Wake,
                    Gate::Paused,
                    Gate::Closed,
                ];
                Op::Gate(target, gates[rng.usize(0..gates.len())])
            }
            97..98 if !self.gone.contains(&target) => {
                self.gone.push(target);
                Op::Purge(target, now)
            }
            97..99 if self.gone.contains(&target) => Op::Forget(target),
            _ if !self.gone.contains(&target) => Op::Beat(target, rng.i64(0..3), now),
            _ => Op::Send,
        }
    }

    /// Something about this request.
    fn about(&self, rng: &mut Rng, seen: Request) -> Op {
        let now = self.now;
        let fence = match rng.u8(0..6) {
            0 => rng.u32(0..4),
            _ => seen.fence,
        };
        // Mostly what is its turn.
        let kind = match (rng.u8(0..10), seen.state) {
            (0..6, State::Offered) => 0,
            (0..2, State::Running) => 1,
            (kind, _) => kind,
        };
        match kind {
            0 => Op::Claim(seen.id, fence, now),
            1 => Op::Renew(seen.id, fence, now),
            2..5 => {
                let ending = self.ending(rng, &seen);
                Op::Finish(seen, Box::new(ending), now)
            }
            5..8 => {
                let hold = match rng.u8(0..3) {
                    0 => Hold::None,
                    1 => Hold::Capacity(now),
                    _ => Hold::Until {
                        at: self.now(rng.i64(0..100)),
                        since: now,
                    },
                };
                Op::Requeue(seen, hold, rng.u8(0..4) == 0, now)
            }
            8 => Op::Postpone(seen, self.now(rng.i64(0..100))),
            _ => Op::Place(seen),
        }
    }

    fn ending(&self, rng: &mut Rng, seen: &Request) -> Ending {
        let states = [State::Failed, State::Expired, State::Dropped];
        match rng.u8(0..3) {
            0 => answered(seen),
            1 => ended(seen, states[rng.usize(0..3)]),
            _ => Ending {
                delivery_confirmed: rng.bool(),
                error: Some("outcome_unknown: why".to_owned()).filter(|_| rng.bool()),
                ..ended(seen, State::Failed)
            },
        }
    }
}

//! The calm: nothing goes wrong any more, and all must come to rest.

use std::time::Duration;

use domain::workspace::Status;
use jiff::SignedDuration;
use store::{keys, workspaces::Workspace};

use super::{
    agents::{Agent, Runs},
    rest,
    sim::Sim,
    stage::Turn,
    storm::Sweep,
};

/// How long all may take: deadlines of ten minutes follow one another, and a machine that came up
/// once is left alone for ten.
const MOST: SignedDuration = SignedDuration::from_hours(3);
/// How long nobody looks when nothing moves: less than an external agent may be silent.
const QUIET: u64 = 85;
/// The guards of age: nothing is at rest before they are over.
const GUARDS: SignedDuration = SignedDuration::from_mins(11);

impl Sim {
    /// Lets all come to rest; what has not by then is a violation.
    pub(super) async fn calm(&mut self) {
        self.note(|| "the storm is over".to_owned());
        self.stage.inner().open = true;
        self.ec2.lag(Duration::ZERO);
        self.let_go().await;
        let began = self.now();
        for round in 0u32.. {
            self.errands().await;
            self.beats().await;
            if self.may_be_silent() {
                self.sweep(Sweep::Silent).await;
            }
            if self.is_due("MACHINE#") {
                self.sweep(Sweep::Overdue).await;
            }
            if self.is_due("JOB#") {
                self.tick().await;
            }
            if round % 4 == 0 {
                self.sweep(Sweep::Orphans).await;
            }
            self.errands().await;
            let calm = self.now().duration_since(began);
            let left = rest::left(self);
            if calm > GUARDS && left.is_empty() {
                break;
            }
            if calm > MOST || !self.violations.is_empty() {
                for text in left {
                    self.violation(text);
                }
                break;
            }
            let moves = !self.queue.is_empty() || self.agents.values().any(Agent::is_moving);
            self.pass(if moves { 20 } else { QUIET }).await;
        }
        self.twice().await;
    }

    /// What still waits goes on, one call after the other.
    async fn let_go(&mut self) {
        loop {
            let next = {
                let mut inner = self.stage.inner();
                let next = (!inner.waiting.is_empty()).then(|| inner.waiting.remove(0));
                inner.process = next.as_ref().map_or(0, |it| it.process);
                next
            };
            let Some(call) = next else {
                return;
            };
            let process = call.process;
            call.go(Turn::Go);
            self.settle(process).await;
        }
    }

    /// Whoever rests stays so: sweeps find nothing to do.
    async fn twice(&mut self) {
        let before = self.dynamo.table().items.clone();
        for sweep in [Sweep::Silent, Sweep::Overdue, Sweep::Orphans] {
            self.sweep(sweep).await;
        }
        self.tick().await;
        let after = self.dynamo.table().items.clone();
        let changed: Vec<_> = after
            .iter()
            .filter(|(id, it)| before.get(id) != Some(it))
            .collect();
        // A wish for idle minutes, or one that waits below a paused one, is looked at for ever.
        let moved = changed.iter().any(|(id, _)| id.0.starts_with("JOB#"));
        if moved && self.violations.is_empty() {
            self.violation(format!("a sweep over what rests changes {changed:?}"));
        }
    }

    /// What is on its way arrives, and agents behave.
    pub(super) async fn errands(&mut self) {
        while !self.stream.is_empty() {
            self.kick().await;
        }
        for _ in 0..self.queue.len() {
            self.deliver().await;
            while !self.stream.is_empty() {
                self.kick().await;
            }
        }
        while !self.told.is_empty() {
            self.tell().await;
        }
        for id in self.agents.keys().cloned().collect::<Vec<_>>() {
            // It proves itself and registers at once.
            for _ in 0..2 {
                if self.agents.get(&id).is_some_and(Agent::comes_up) {
                    self.agent_acts(&id).await;
                }
            }
        }
    }

    /// Whoever is up beats.
    async fn beats(&mut self) {
        for id in self.agents.keys().cloned().collect::<Vec<_>>() {
            if self
                .agents
                .get(&id)
                .is_some_and(|it| matches!(it.runs, Runs::Registered(_)))
            {
                self.agent_acts(&id).await;
            }
        }
        for place in self.places.clone() {
            let status = self.workspace(place.id).map(|found| found.status());
            let waits = status == Some(Status::AwaitingAgent);
            let lives = status.is_some_and(|it| it != Status::Removed);
            if let Some(token) = place.token.clone().filter(|_| lives) {
                self.host_acts(&place, &token, waits).await;
            }
        }
    }

    /// Whether anybody online has not been heard of for a while, or may be idle.
    fn may_be_silent(&self) -> bool {
        let now = self.now();
        self.places.iter().any(|place| {
            let row = self.row(&keys::beat(place.id));
            row.is_some_and(|row| {
                let at = row["beat_at"]["N"]
                    .as_str()
                    .and_then(|it| it.parse::<i64>().ok());
                let silent = at.is_none_or(|at| at + 90_000_000 < now.as_microsecond());
                let answers = matches!(row["status"]["S"].as_str(), Some("online" | "degraded"));
                answers && (silent || row.get("sleeps_after").is_some())
            })
        })
    }

    /// Whether somebody must look at something of this kind by now.
    fn is_due(&self, kind: &str) -> bool {
        let now = keys::due_at(self.now(), "~");
        let table = self.dynamo.table();
        table.items.values().any(|item| {
            let text = |name: &str| item.get(name).and_then(|it| it["S"].as_str());
            let of = |it: &str| it.starts_with(kind);
            text("due_pk").is_some_and(of) && text("due_at").is_some_and(|at| at <= now.as_str())
        })
    }

    /// A workspace by its rows.
    pub(super) fn workspace(&self, id: domain::WorkspaceId) -> Option<Workspace> {
        rest::read(self, id)
    }
}

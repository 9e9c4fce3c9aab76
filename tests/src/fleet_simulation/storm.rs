//! The storm: step by step the dice say who goes on, what goes wrong with it, and what else happens.

use fleet::{
    instance_events,
    machines::{Owner, State, fake::Op},
    sweeps::{Watch, orphans, overdue, silent},
};
use std::time::Duration;

use super::{
    clients::{Kind, nobody},
    jobs::nothing,
    sim::Sim,
    stage::{Asks, Turn},
};

/// The sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sweep {
    Silent,
    Overdue,
    Orphans,
}

/// Whose call it is that goes wrong, by chance.
const READS: [Op; 3] = [Op::List, Op::Describe, Op::Leftovers];

impl Sim {
    /// The world as it is when the storm begins.
    pub(super) async fn begin(&mut self) {
        self.ec2.lag(Duration::from_secs(self.plan.lag * 60));
        // Machines of another stack, of nobody, and of a workspace that never was.
        let owner = Owner {
            workspace_id: nobody(self.rng.u128(..)),
            generation: 1,
        };
        let other = self.ec2.stranger("test", Some(owner));
        let nameless = self.ec2.stranger("prod", None);
        self.foreign = vec![other, nameless];
        self.ec2.stranger("prod", Some(owner));
        self.look_at_machines();
        self.stage.inner().open = self.plan.warm;
        for n in 0..self.plan.first {
            let kind = if n == 0 { Kind::Managed } else { self.kind() };
            let parent = self.parent();
            self.create(kind, parent).await;
        }
        if self.plan.warm {
            for _ in 0..4 {
                self.errands().await;
                self.pass(25).await;
            }
        }
        self.stage.inner().open = false;
    }

    fn kind(&mut self) -> Kind {
        let kinds = [
            Kind::Managed,
            Kind::Managed,
            Kind::Managed,
            Kind::ByHand,
            Kind::External,
        ];
        self.pick(&kinds).unwrap_or(Kind::Managed)
    }

    fn parent(&mut self) -> Option<domain::WorkspaceId> {
        let places: Vec<_> = self.places.iter().map(|it| it.id).collect();
        if self.rng.bool() {
            self.pick(&places)
        } else {
            None
        }
    }

    /// One step.
    pub(super) async fn step(&mut self) {
        let waits = !self.stage.inner().waiting.is_empty();
        if waits && (self.running() >= self.plan.at_once || self.chance(0.8)) {
            return self.turn().await;
        }
        match self.rng.u8(0..100) {
            0..14 => self.person().await,
            14..18 => {
                let (kind, parent) = (self.kind(), self.parent());
                self.create(kind, parent).await;
            }
            18..22 => self.wake().await,
            22..26 => self.host().await,
            26..44 => self.deliver().await,
            44..54 => self.kick().await,
            54..57 => self.tick().await,
            57..61 => self.sweep(Sweep::Silent).await,
            61..66 => self.sweep(Sweep::Overdue).await,
            66..70 => self.sweep(Sweep::Orphans).await,
            70..84 => {
                let ids: Vec<_> = self.agents.keys().cloned().collect();
                if let Some(id) = self.pick(&ids) {
                    self.agent_acts(&id).await;
                }
            }
            84..88 => self.tell().await,
            88..91 => self.accident(),
            _ => {
                let seconds = self.rng.u64(1..=self.plan.longest);
                self.pass(seconds).await;
            }
        }
    }

    /// One of the calls that wait is carried out, or goes wrong.
    async fn turn(&mut self) {
        let waiting = {
            let mut inner = self.stage.inner();
            let at = self.rng.usize(0..inner.waiting.len());
            let waiting = inner.waiting.remove(at);
            inner.process = waiting.process;
            waiting
        };
        let (process, label) = (waiting.process, waiting.label.clone());
        if self.chance(self.plan.chances.crash / 2.0) {
            return self.kill(process, &format!("before {label}")).await;
        }
        let turn = match waiting.asks {
            _ if self.chance(self.plan.chances.crash / 2.0) => Turn::Last,
            Asks::Reads => self.weather_of_reads(),
            Asks::Writes => self.weather_of_writes(process),
            Asks::Machines(op) => self.weather_of_machines(op),
        };
        self.note(|| format!("[{process}] {label}: {turn:?}"));
        waiting.go(turn);
        if turn == Turn::Last {
            for _ in 0..6 {
                tokio::task::yield_now().await;
            }
            return self.kill(process, "after the last call").await;
        }
        self.settle(process).await;
    }

    fn weather_of_reads(&mut self) -> Turn {
        if self.chance(self.plan.chances.table) {
            return if self.rng.bool() {
                Turn::Throttled
            } else {
                Turn::Lost
            };
        }
        if self.chance(self.plan.chances.late) {
            return Turn::Late(self.rng.usize(1..12));
        }
        Turn::Go
    }

    fn weather_of_writes(&mut self, process: usize) -> Turn {
        if !self.chance(self.plan.chances.table) {
            return Turn::Go;
        }
        // A conflict is tried again by the real clock. Where some of a process go on meanwhile, that
        // would decide something.
        let last = match self.is_alone(process) {
            true => Turn::Conflict,
            false => Turn::Throttled,
        };
        let kinds = [
            Turn::Throttled,
            Turn::Lost,
            Turn::Unheard,
            Turn::Unheard,
            last,
        ];
        self.pick(&kinds).unwrap_or(Turn::Lost)
    }

    fn weather_of_machines(&mut self, op: Op) -> Turn {
        if op == Op::Start && self.chance(self.plan.chances.room) {
            let codes = ["InsufficientInstanceCapacity", "VcpuLimitExceeded"];
            let rare = usize::from(self.rng.u8(0..8) == 0);
            return Turn::Code(codes[rare]);
        }
        if !self.chance(self.plan.chances.machines) {
            return Turn::Go;
        }
        let cut = if READS.contains(&op) {
            Turn::CutShort
        } else {
            Turn::Unheard
        };
        let kinds = [Turn::Throttled, Turn::Lost, Turn::Unheard, cut];
        self.pick(&kinds).unwrap_or(Turn::Lost)
    }

    /// A sweep, at the time it is.
    pub(super) async fn sweep(&mut self, sweep: Sweep) {
        let (yard, watch) = (self.yard, Watch::at(self.now()));
        let work = async move {
            let done = match sweep {
                Sweep::Silent => silent::sweep(yard.silent, watch).await,
                Sweep::Overdue => overdue::sweep(yard.overdue, watch).await,
                Sweep::Orphans => orphans::sweep(yard.orphans, watch).await,
            };
            nothing(done)
        };
        self.start(format!("sweep {sweep:?}"), 55, work, |_| {})
            .await;
    }

    /// EC2 tells of a machine.
    pub(super) async fn tell(&mut self) {
        if self.told.is_empty() {
            return;
        }
        let at = self.rng.usize(0..self.told.len());
        let (machine, now, yard) = (self.told.swap_remove(at), self.now(), self.yard);
        let name = format!("EC2 tells of {machine}");
        let work =
            async move { nothing(instance_events::look(&yard.works.crew, &machine, now).await) };
        self.start(name, 120, work, |_| {}).await;
    }

    /// Something happens to machines behind our back.
    fn accident(&mut self) {
        let alive = self.ec2.alive();
        let ours: Vec<_> = alive
            .iter()
            .filter(|it| !self.foreign.contains(&it.id))
            .collect();
        let Some(machine) = self.pick(&ours) else {
            return;
        };
        let (id, owner) = (machine.id.clone(), machine.owner);
        match self.rng.u8(0..5) {
            0 => self.ec2.put(&id, State::Terminated),
            1 => self.ec2.put(&id, State::ShuttingDown),
            2 => self.ec2.put(&id, State::Stopped),
            3 if machine.state == State::Running => self.touched(Op::Reboot, &id),
            // Somebody copies a machine with its tags.
            _ => drop(self.ec2.stranger("prod", owner)),
        }
        self.note(|| format!("an accident of {id}"));
        self.look_at_machines();
    }
}

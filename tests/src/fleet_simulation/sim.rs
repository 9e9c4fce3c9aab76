//! One run as it happens: the fakes, the functions over them, the processes that run, the dice.

use std::collections::BTreeMap;

use domain::{WorkspaceId, token::TokenHash};
use fastrand::Rng;
use fleet::machines::{MachineId, fake::FakeEc2};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{
    agents::Agent, audit::Audit, jobs::Queued, machines::Staged, plan::Plan, stage::Stage,
    yard::Yard,
};
use crate::dynamo::{Dynamo, Item, Line};

/// For how many milliseconds, at least, a process waits by the real clock before it is stuck.
const STUCK: u32 = 5_000;

/// What follows from the end of a process.
pub(super) type Effect = Box<dyn FnOnce(&mut Sim) + Send>;

/// A function that runs.
pub(super) struct Process {
    number: usize,
    name: String,
    /// Lambda ends it then.
    until: Timestamp,
    task: JoinHandle<Effect>,
    fails: Option<Effect>,
}

/// A workspace, as its people know it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) id: WorkspaceId,
    /// Its token, if it is run by a host of the user's.
    pub(super) token: Option<String>,
}

/// One run as it happens.
pub(super) struct Sim {
    pub(super) plan: Plan,
    pub(super) rng: Rng,
    pub(super) ec2: FakeEc2,
    pub(super) dynamo: Dynamo,
    pub(super) stage: Stage,
    pub(super) yard: &'static Yard,
    pub(super) places: Vec<Place>,
    pub(super) agents: BTreeMap<MachineId, Agent>,
    /// Machines that are nobody's to touch.
    pub(super) foreign: Vec<MachineId>,
    /// The machine that went for each generation.
    pub(super) passed: BTreeMap<(WorkspaceId, u32), MachineId>,
    /// Tokens that machines hold.
    pub(super) held: Vec<(WorkspaceId, MachineId, TokenHash)>,
    pub(super) queue: Vec<Queued>,
    /// Job rows that the stream has not carried yet.
    pub(super) stream: Vec<Item>,
    /// Machines of which EC2 tells that something happened.
    pub(super) told: Vec<MachineId>,
    pub(super) audit: Audit,
    pub(super) violations: Vec<String>,
    pub(super) crashed: usize,
    trace: Option<Vec<String>>,
    processes: Vec<Process>,
    started: usize,
}

impl Sim {
    pub(super) fn new(plan: Plan, traced: bool) -> Self {
        let (ec2, dynamo, stage) = (FakeEc2::new(), Dynamo::default(), Stage::default());
        stage.inner().traced = traced;
        let machines = Staged {
            ec2: ec2.clone(),
            stage: stage.clone(),
        };
        let line = Line::new(dynamo.clone(), std::sync::Arc::new(stage.clone()));
        Self {
            rng: Rng::with_seed(plan.seed ^ 0x5eed),
            yard: Yard::new(&machines, line),
            plan,
            ec2,
            dynamo,
            stage,
            places: Vec::new(),
            agents: BTreeMap::new(),
            foreign: Vec::new(),
            passed: BTreeMap::new(),
            held: Vec::new(),
            queue: Vec::new(),
            stream: Vec::new(),
            told: Vec::new(),
            audit: Audit::default(),
            violations: Vec::new(),
            crashed: 0,
            trace: traced.then(Vec::new),
            processes: Vec::new(),
            started: 0,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ec2.now()
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.rng.f64() < probability
    }

    /// One of these, if there are any.
    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.rng.usize(0..from.len())].clone())
    }

    pub(super) fn is_calm(&self) -> bool {
        self.stage.inner().open
    }

    /// Adds a line to the trace, if one is kept.
    pub(super) fn note(&mut self, text: impl FnOnce() -> String) {
        let at = self
            .now()
            .duration_since(fleet::machines::fake::START)
            .as_secs();
        if let Some(trace) = &mut self.trace {
            let mut text = text();
            // Ids are told apart by their ends.
            for (n, place) in self.places.iter().enumerate() {
                text = text.replace(&place.id.to_string(), &format!("w{n}"));
            }
            trace.push(format!("{at:>6} {text}"));
        }
    }

    pub(super) fn violation(&mut self, text: String) {
        self.note(|| format!("!! {text}"));
        self.violations.push(text);
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.trace.clone().unwrap_or_default()
    }

    /// Whether a process makes one call after the other; a cascade makes some at once.
    pub(super) fn is_alone(&self, number: usize) -> bool {
        let name = self.processes.iter().find(|it| it.number == number);
        name.is_some_and(|it| !it.name.starts_with("Pause") && !it.name.starts_with("Resume"))
    }

    pub(super) fn running(&self) -> usize {
        self.processes.len()
    }

    /// Starts a process, which Lambda ends after so many seconds. `fails` follows when it breaks off.
    pub(super) async fn start(
        &mut self,
        name: String,
        seconds: i64,
        work: impl Future<Output = Effect> + Send + 'static,
        fails: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        // No two things happen at the same moment.
        self.ec2.advance(std::time::Duration::from_millis(1));
        self.started += 1;
        let number = self.started;
        self.note(|| format!("[{number}] {name} starts"));
        self.stage.inner().process = number;
        self.processes.push(Process {
            number,
            name,
            until: self.now() + SignedDuration::from_secs(seconds),
            task: tokio::spawn(work),
            fails: Some(Box::new(fails)),
        });
        self.settle(number).await;
    }

    /// Waits until a process has ended or waits for its turn.
    pub(super) async fn settle(&mut self, number: usize) {
        for waited in 0u32.. {
            // What it spawned gets its go as well.
            for _ in 0..6 {
                tokio::task::yield_now().await;
            }
            let Some(at) = self.processes.iter().position(|it| it.number == number) else {
                break;
            };
            if self.processes[at].task.is_finished() {
                let process = self.processes.remove(at);
                self.take_writes();
                self.ended(process).await;
                break;
            }
            if self.stage.waiting_of(number) > 0 {
                break;
            }
            if waited > STUCK {
                let name = self.processes[at].name.clone();
                self.violation(format!("[{number}] {name} waits for what never comes"));
                self.kill(number, "it is stuck").await;
                break;
            }
            // It waits, by the real clock, before it tries again.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        self.take_writes();
    }

    async fn ended(&mut self, process: Process) {
        match process.task.await {
            Ok(effect) => effect(self),
            Err(panic) => self.violation(format!("{} panicked: {panic}", process.name)),
        }
        self.note(|| format!("[{}] {} is over", process.number, process.name));
    }

    /// A process breaks off where it is.
    pub(super) async fn kill(&mut self, number: usize, why: &str) {
        let Some(at) = self.processes.iter().position(|it| it.number == number) else {
            return;
        };
        let mut process = self.processes.remove(at);
        process.task.abort();
        // So that it is gone, with all it holds.
        if process.task.await.is_ok() {
            self.violation(format!("{} ended as it broke off", process.name));
        }
        self.stage.drop_calls_of(number);
        self.crashed += 1;
        self.note(|| format!("[{number}] {} breaks off: {why}", process.name));
        if let Some(fails) = process.fails.take() {
            fails(self);
        }
        self.take_writes();
    }

    /// Time passes: what takes too long is ended by Lambda.
    pub(super) async fn pass(&mut self, seconds: u64) {
        self.ec2.advance(std::time::Duration::from_secs(seconds));
        self.note(|| format!("{seconds} s pass"));
        let now = self.now();
        let late: Vec<usize> = self
            .processes
            .iter()
            .filter(|it| it.until < now)
            .map(|it| it.number)
            .collect();
        for number in late {
            self.kill(number, "its time is over").await;
        }
        self.look_at_machines();
    }

    /// Judges what was written since the last look.
    fn take_writes(&mut self) {
        let written = std::mem::take(&mut self.dynamo.table().written);
        for changes in written {
            for text in self.audit.judge(&changes) {
                self.violation(text);
            }
            for change in &changes {
                let new = change
                    .after
                    .as_ref()
                    .filter(|_| change.id.0.starts_with("JOB#"));
                self.stream.extend(new.cloned());
            }
        }
        let (defects, touched) = {
            let mut inner = self.stage.inner();
            (
                std::mem::take(&mut inner.defects),
                std::mem::take(&mut inner.touched),
            )
        };
        for defect in defects {
            self.violation(format!("a request that makes no sense: {defect}"));
        }
        for (op, id) in touched {
            if self.foreign.contains(&id) {
                self.violation(format!("{op:?} of {id}, which is not ours"));
            }
            self.touched(op, &id);
        }
        self.look_at_tokens();
    }

    /// A row of the table.
    pub(super) fn row(&self, key: &store::keys::Key) -> Option<Value> {
        let id = (key.pk.clone(), key.sk.clone());
        let table = self.dynamo.table();
        table.get(&id).map(|item| serde_json::json!(item))
    }
}

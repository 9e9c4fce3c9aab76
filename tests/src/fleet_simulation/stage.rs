//! The stage: every call to the table or to EC2 waits here until it is its turn, so that the dice say
//! who goes on, and nothing else does.

use std::{
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fleet::machines::{
    MachineId,
    fake::{Fault, Op},
};
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::dynamo::{Call, Weather};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is carried out and answered.
    Go,
    /// The same; a read of the table may be behind by so many changes.
    Late(usize),
    /// It is refused: too many calls.
    Throttled,
    /// It is refused: it met a transaction.
    Conflict,
    /// It never arrives.
    Lost,
    /// It is carried out, and its answer is lost.
    Unheard,
    /// It is carried out, and its process is dead before it hears.
    Last,
    /// EC2 refuses with this code.
    Code(&'static str),
    /// A listing breaks off.
    CutShort,
}

/// Whom a call asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The table, to read; consistently or not.
    Reads,
    /// The table, to write.
    Writes,
    /// EC2.
    Machines(Op),
}

/// A call that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) process: usize,
    pub(super) asks: Asks,
    pub(super) label: String,
    turn: oneshot::Sender<Turn>,
}

impl Waiting {
    /// Gives it its turn.
    pub(super) fn go(self, turn: Turn) {
        // Whoever waited may be gone.
        let _ = self.turn.send(turn);
    }
}

/// What is shared with the fakes.
#[derive(Debug, Default)]
pub(super) struct Inner {
    /// Whether nobody has to wait.
    pub(super) open: bool,
    /// Whether labels are wanted.
    pub(super) traced: bool,
    /// The process that runs.
    pub(super) process: usize,
    pub(super) waiting: Vec<Waiting>,
    /// How many calls there were.
    pub(super) calls: usize,
    /// Requests that make no sense.
    pub(super) defects: Vec<String>,
    /// What was done to which machine.
    pub(super) touched: Vec<(Op, MachineId)>,
}

/// The stage. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage(Arc<Mutex<Inner>>);

impl Stage {
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls of a process wait.
    pub(super) fn waiting_of(&self, process: usize) -> usize {
        let inner = self.inner();
        let of = inner.waiting.iter().filter(|it| it.process == process);
        of.count()
    }

    /// Forgets the calls of a process that is gone.
    pub(super) fn drop_calls_of(&self, process: usize) {
        self.inner().waiting.retain(|it| it.process != process);
    }

    /// Puts a call in the wings; none if nobody has to wait.
    fn enter(&self, asks: Asks, label: impl FnOnce() -> String) -> Option<oneshot::Receiver<Turn>> {
        let mut inner = self.inner();
        inner.calls += 1;
        if inner.open {
            return None;
        }
        let (turn, comes) = oneshot::channel();
        let label = if inner.traced { label() } else { String::new() };
        let process = inner.process;
        inner.waiting.push(Waiting {
            process,
            asks,
            label,
            turn,
        });
        Some(comes)
    }

    /// Waits for the turn of a call to EC2.
    pub(super) async fn machines(&self, op: Op, what: &str) -> Turn {
        let label = || format!("{op:?} {what}");
        match self.enter(Asks::Machines(op), label) {
            None => Turn::Go,
            Some(comes) => turn(comes).await,
        }
    }

    /// Notes what was done to a machine.
    pub(super) fn touch(&self, op: Op, id: &MachineId) {
        self.inner().touched.push((op, id.clone()));
    }
}

async fn turn(comes: oneshot::Receiver<Turn>) -> Turn {
    // Its process is gone, and with it whoever would hear.
    comes.await.unwrap_or(Turn::Lost)
}

impl Turn {
    /// The fault that stands for it at EC2's fake.
    pub(super) fn fault(self) -> Option<Fault> {
        match self {
            Self::Go | Self::Late(_) | Self::Last => None,
            Self::Throttled | Self::Conflict => Some(Fault::THROTTLED),
            Self::Lost => Some(Fault::NeverArrives),
            Self::Unheard => Some(Fault::AnswerLost),
            Self::Code(code) => Some(Fault::Code(code)),
            Self::CutShort => Some(Fault::CutShort),
        }
    }

    fn call(self, operation: &str) -> Call {
        match self {
            Self::Go | Self::CutShort | Self::Code(_) => Call::Answered(0),
            Self::Late(changes) => Call::Answered(changes),
            Self::Throttled => Call::throttled(),
            Self::Conflict => Call::conflict(operation),
            Self::Lost => Call::Lost,
            Self::Unheard => Call::Unheard,
            Self::Last => Call::Last,
        }
    }
}

impl Weather for Stage {
    fn pass(&self, operation: &str, request: &Value) -> BoxFuture<'static, Call> {
        let asks = match operation {
            "BatchGetItem" | "GetItem" | "Query" => Asks::Reads,
            _ => Asks::Writes,
        };
        let comes = self.enter(asks, || describe(operation, request));
        let operation = operation.to_owned();
        Box::pin(async move {
            match comes {
                None => Call::Answered(0),
                Some(comes) => turn(comes).await.call(&operation),
            }
        })
    }

    fn defect(&self, why: String) {
        self.inner().defects.push(why);
    }
}

/// The operation and the keys it is about.
fn describe(operation: &str, request: &Value) -> String {
    let mut keys = Vec::new();
    collect(request, &mut keys);
    format!("{operation} {}", keys.join(" "))
}

fn collect(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(|it| it["S"].as_str());
            if let (Some(pk), Some(sk)) = (text("pk"), text("sk")) {
                // Ids that are drawn from the real clock and real randomness would make each trace
                // another one.
                keys.push(match pk.split_once('#') {
                    Some((kind @ ("JOB" | "CRED"), _)) => kind.to_owned(),
                    Some(("EVENTS" | "TOKENS", _)) => pk.to_owned(),
                    _ => format!("{pk}/{sk}"),
                });
            } else if let Some(pk) = text(":pk") {
                keys.push(pk.to_owned());
            }
            fields.values().for_each(|it| collect(it, keys));
        }
        Value::Array(all) => all.iter().for_each(|it| collect(it, keys)),
        _ => {}
    }
}

/// The machine of a call, or nothing.
pub(super) fn named(id: Option<&dyn Display>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

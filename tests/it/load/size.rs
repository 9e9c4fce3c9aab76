//! How much, and what of it is said by whom to whom.

use std::{env, path::PathBuf, str::FromStr, time::Duration};

use uuid::Uuid;

/// How much load.
#[derive(Debug, Clone)]
pub(super) struct Size {
    /// How many workspaces beat.
    pub(super) workspaces: usize,
    /// How often each beats.
    pub(super) beat_every: Duration,
    /// Messages a second.
    pub(super) rate: f64,
    /// For how long.
    pub(super) time: Duration,
    /// How long what was accepted may take to end, once nothing is sent any more.
    pub(super) drain: Duration,
    /// Where the report goes, if nobody else uses the stack: then queues can be looked at as a whole.
    pub(super) report: Option<PathBuf>,
}

/// Calls under way at once, at most: what is due then waits, and the report says for how long.
pub(super) const AT_ONCE: usize = 64;

impl Size {
    /// What `make load` says, or the short form.
    pub(super) fn of_env() -> Self {
        Self {
            workspaces: number("LOAD_WORKSPACES", 20),
            beat_every: seconds("LOAD_BEAT_SECONDS", 3.0),
            rate: number("LOAD_RATE", 5.0),
            time: seconds("LOAD_SECONDS", 6.0),
            drain: seconds("LOAD_DRAIN_SECONDS", 60.0),
            report: env::var_os("LOAD_REPORT").map(PathBuf::from),
        }
    }

    /// Whether nobody else uses the stack.
    pub(super) fn is_alone(&self) -> bool {
        self.report.is_some()
    }
}

fn number<T: FromStr>(name: &str, short: T) -> T {
    let said = env::var(name).ok();
    let said = said.map(|text| text.parse().ok());
    said.map_or(short, |number| {
        number.unwrap_or_else(|| panic!("{name} is no number"))
    })
}

fn seconds(name: &str, short: f64) -> Duration {
    Duration::from_secs_f64(number(name, short))
}

/// One message: who says it to whom, when, and what comes of it.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Its id.
    pub(super) id: String,
    /// When it is due, from the start.
    pub(super) at: Duration,
    /// For which workspace.
    pub(super) to: usize,
    /// From which workspace; none is a person.
    pub(super) from: Option<usize>,
    /// How long its agent works on it, in milliseconds.
    pub(super) work_ms: u64,
    /// Whether its agent says at first that it is busy.
    pub(super) busy: bool,
    /// Whether it is sent twice.
    pub(super) twice: bool,
}

/// All messages, in the order in which they are due: ever faster for the first quarter of the time, as
/// functions have to start. A quarter of them goes to a tenth of the workspaces, so that lines form; half come
/// from people; one in thirty meets a busy agent, one in twenty is sent twice.
pub(super) fn plan(size: &Size) -> Vec<Message> {
    let mut dice = fastrand::Rng::with_seed(8);
    let (all, hot) = (size.workspaces, (size.workspaces / 10).max(1));
    let warm = size.time.as_secs_f64() / 4.0;
    let next = |at: &f64| Some(at + 1.0 / (size.rate * (0.25 + 0.75 * at / warm).min(1.0)));
    std::iter::successors(Some(0.0), next)
        .take_while(|at| *at < size.time.as_secs_f64())
        .enumerate()
        .map(|(number, at)| {
            let among = if dice.u8(..4) == 0 { hot } else { all };
            let to = dice.usize(..among);
            let sibling = (to + dice.usize(1..all)) % all;
            Message {
                id: Uuid::new_v4().to_string(),
                at: Duration::from_secs_f64(at),
                to,
                from: dice.bool().then_some(sibling),
                work_ms: dice.u64(20..400),
                busy: number % 30 == 7,
                twice: number % 20 == 13,
            }
        })
        .collect()
}

//! Schedules: prompts that an agent gets at the minutes of a cron expression (contract:
//! lifecycle-and-sweepers 6, 11.6, 12.4).
//!
//! A *slot* is a minute a schedule names, a *fire* is what becomes of it. A fire is a message like any
//! other once it is accepted, so it is sent once, waits in line and is never dropped. A schedule has
//! one fire at a time.

mod draft;

pub use draft::{Asked, Draft};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Error, RequestId, Result, ScheduleId,
    activity::preview,
    cron::{self, CronError},
    fields::{self, MAX_NAME},
    request::{GONE, State},
    workspace::Status,
};

/// How many schedules a workspace may have.
pub const MAX_SCHEDULES: i64 = 100;
/// The longest prompt, in bytes: 10,000 characters of any script fit.
pub const MAX_PROMPT: usize = 64 * 1024;
/// The longest expression and the longest name of a zone, in bytes.
pub const MAX_EXPRESSION: usize = 255;
/// How much of a prompt the history shows, in bytes, and what marks the cut.
const PREVIEW: usize = 197;
/// How much of an error is kept, in bytes.
const MAX_ERROR: usize = 500;
/// So many empty answers in a row mean that an agent only pretends to work.
const TOO_MANY_EMPTY: i64 = 3;
/// A slot that is fired so long after its minute is late; a tick comes once a minute.
const LATE: SignedDuration = SignedDuration::from_secs(120);
/// A fire has ended by now, whatever is written: messages wait for a day at most, and run for 15
/// minutes twice.
pub const LONGEST_FIRE: SignedDuration = SignedDuration::from_hours(26);
/// A fire that nobody has sent after so long is given to somebody else.
pub const RESEND: SignedDuration = SignedDuration::from_mins(2);
/// How many runs a history shows.
pub const HISTORY: usize = 20;

/// Which fire: the schedule and its slot, which for one by hand is the moment it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fire {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The slot, to the microsecond.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub slot: Timestamp,
}

impl Fire {
    fn digest(&self) -> [u8; 32] {
        let text = format!("{}\n{}", self.schedule_id, self.slot.as_microsecond());
        Sha256::digest(text.as_bytes()).into()
    }

    /// The A2A message id: the same however often the fire is sent (contract: 12.4).
    pub fn message_id(&self) -> String {
        let schedule = self.schedule_id.to_string();
        let [a, b, c, d, ..] = self.digest();
        format!("cron-{}-{a:02x}{b:02x}{c:02x}{d:02x}", &schedule[..8])
    }

    /// The request that carries it: one id, so that it cannot be accepted twice.
    pub fn request_id(&self) -> RequestId {
        let [.., a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = self.digest();
        let bytes = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
        RequestId::from_uuid(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

/// A prompt as it is kept: without carriage returns.
///
/// # Errors
/// 400 when nothing is left, or too much.
pub fn prompt(text: &str) -> Result<String> {
    let text = text.replace('\r', "");
    if text.trim().is_empty() {
        return Err(Error::invalid("cron_expr and prompt are required"));
    }
    if text.len() > MAX_PROMPT {
        return Err(Error::invalid(format!(
            "prompt must be at most {MAX_PROMPT} bytes"
        )));
    }
    Ok(text)
}

/// The beginning of a prompt, at most 200 bytes.
pub fn prompt_preview(prompt: &str) -> String {
    if prompt.len() <= PREVIEW + 3 {
        return prompt.to_owned();
    }
    preview(prompt, PREVIEW, "...")
}

/// Checks what a schedule is called.
///
/// # Errors
/// 400.
pub fn name(text: &str) -> Result<()> {
    fields::line("name", text, MAX_NAME)
}

/// Reads an expression in its zone. `""` is UTC.
///
/// # Errors
/// 400 with the contract's sentence, and the `reason`.
pub fn parse(expr: &str, timezone: &str) -> Result<cron::Schedule> {
    if timezone.len() > MAX_EXPRESSION {
        return Err(Error::invalid("invalid timezone: the name is too long"));
    }
    if expr.len() > MAX_EXPRESSION {
        return Err(Error::invalid("invalid request body").with(
            "reason",
            format!("cron_expr must be at most {MAX_EXPRESSION} bytes"),
        ));
    }
    let timezone = if timezone.is_empty() { "UTC" } else { timezone };
    cron::Schedule::parse(expr, timezone).map_err(|error| match error {
        CronError::Timezone(zone) => Error::invalid(format!("invalid timezone: {zone}")),
        other => Error::invalid("invalid request body").with("reason", other.to_string()),
    })
}

/// What is known of a schedule that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The status of its workspace.
    pub status: Status,
    /// Whether the agent runs its schedules itself.
    pub native: bool,
    /// The slot of the fire that has not ended.
    pub running: Option<Timestamp>,
}

/// What is done about a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The prompt is sent.
    Fire,
    /// Only the next slot is noted: the agent does it itself, or is still at the last one.
    Pass,
    /// It is recorded that nothing was sent, and why.
    Skip(String),
    /// The workspace is gone: recorded as well, and there is no next slot.
    Retire(String),
}

/// Decides about a slot (decision 17). A busy agent is no reason: the message waits in its line.
pub fn step(seen: &Seen, now: Timestamp) -> Step {
    let running = seen.running.is_some_and(|slot| slot + LONGEST_FIRE > now);
    match seen.status {
        Status::Removed => Step::Retire(skipped(seen.status)),
        _ if running || seen.native => Step::Pass,
        Status::Paused | Status::Failed => Step::Skip(skipped(seen.status)),
        Status::Provisioning
        | Status::AwaitingAgent
        | Status::Online
        | Status::Degraded
        | Status::Offline
        | Status::Hibernating
        | Status::Hibernated => Step::Fire,
    }
}

/// Why nothing was sent to a workspace in this status.
pub fn skipped(status: Status) -> String {
    format!("skipped: workspace is {status}")
}

/// The slot after this one. Slots that passed meanwhile are one fire; a clock that went back names
/// none twice.
pub fn next(cron: &cron::Schedule, slot: Timestamp, now: Timestamp) -> Option<Timestamp> {
    cron.next_after(slot.max(now))
}

/// Whether a slot is fired well after its minute.
pub fn is_late(slot: Timestamp, now: Timestamp) -> bool {
    now.duration_since(slot) > LATE
}

/// How a fire ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came<'a> {
    /// To what its message came; none when there was none.
    pub state: Option<State>,
    /// The agent's status, if it answered.
    pub status: u16,
    /// Whether it answered nothing.
    pub empty: bool,
    /// What went wrong.
    pub error: &'a str,
}

/// What is recorded of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// `ok`, `error`, `stale`, `skipped`.
    pub status: &'static str,
    /// What went wrong; empty when nothing did.
    pub error: String,
    /// How many answers in a row were empty.
    pub empty_runs: i64,
}

/// What is recorded of a fire that ended, when so many answers before were empty.
pub fn run(came: &Came<'_>, empty_runs: i64) -> Run {
    let ended = |status, error: String| Run {
        status,
        error: preview(&error, MAX_ERROR, "..."),
        empty_runs,
    };
    match came.state {
        Some(State::Completed) if !(200..300).contains(&came.status) => {
            ended("error", format!("HTTP {}", came.status))
        }
        Some(State::Completed) if came.empty => {
            let empty_runs = empty_runs + 1;
            if empty_runs < TOO_MANY_EMPTY {
                return Run {
                    empty_runs,
                    ..ended("ok", String::new())
                };
            }
            let error = format!(
                "empty response {empty_runs} consecutive times — agent may be phantom-producing"
            );
            Run {
                empty_runs,
                ..ended("stale", error)
            }
        }
        Some(State::Completed) => Run {
            empty_runs: 0,
            ..ended("ok", String::new())
        },
        Some(State::Dropped) if came.error.ends_with(GONE) => {
            ended("skipped", skipped(Status::Removed))
        }
        Some(_) => ended("error", came.error.to_owned()),
        None => ended("skipped", came.error.to_owned()),
    }
}

/// Whether an answer says nothing (contract: 11.6 step 6).
pub fn is_empty(answer: &[u8]) -> bool {
    const NOTHING: [&str; 3] = ["(no response generated)", "\"text\":\"\"", "\"text\": \"\""];
    let text = String::from_utf8_lossy(answer);
    text.is_empty() || NOTHING.iter().any(|nothing| text.contains(nothing))
}

/// After how many seconds without a run a schedule is stale: twice the time between its next two
/// slots; 0 is never.
pub fn stale_after(cron: Option<&cron::Schedule>, now: Timestamp) -> i64 {
    let between = |cron: &cron::Schedule| {
        let first = cron.next_after(now)?;
        let second = cron.next_after(first)?;
        Some(second.duration_since(first).as_secs() * 2)
    };
    cron.and_then(between).unwrap_or(0)
}

/// How a schedule is, as operators see it.
pub fn health(last_run_at: Option<Timestamp>, stale_after: i64, now: Timestamp) -> &'static str {
    match last_run_at {
        None => "never_run",
        Some(at) if stale_after > 0 && now.duration_since(at).as_secs() > stale_after => "stale",
        Some(_) => "ok",
    }
}

#[cfg(test)]
mod tests;

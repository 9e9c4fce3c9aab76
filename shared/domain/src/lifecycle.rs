//! What people and the platform do to a workspace's life, and what follows for its machine.
//!
//! | act | from | to | machine | gate |
//! |---|---|---|---|---|
//! | restart | any but removed | provisioning | runs | wake |
//! | revive | online, degraded, offline | provisioning | runs | wake |
//! | refresh | online, degraded | provisioning | runs | wake |
//! | resume | paused | provisioning | runs | wake |
//! | wake | hibernated | provisioning | runs | wake |
//! | pause | any but paused, removed | paused | stopped | paused |
//! | hibernate | online, degraded | hibernating | stopped | wake |
//! | fall asleep | hibernating | hibernated | | wake |
//! | fail | provisioning | failed | stopped | |
//! | silence | online, degraded | offline | | |
//!
//! A workspace without a machine of ours waits for its agent instead of being provisioned, and
//! falls asleep at once. Registering and heartbeats bring it online: see [`crate::workspace`].
//! Whatever starts, the gate keeps what waits until the agent has registered: before that there is
//! no address, and five tries at none would end a message that was accepted.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{event::Event, workspace::Status};

/// How long a machine that came up once is left alone before the platform starts it anew again.
pub const REVIVE_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// How long a stop may take before it is asked for again.
pub const STOP_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// How long a boot is left alone before somebody looks whether its job was lost.
pub const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(2);
/// How long a workspace was not heard of before it counts as offline (contract:
/// lifecycle-and-sweepers 0, 11.2).
pub const SILENT_AFTER: SignedDuration = SignedDuration::from_secs(180);
/// The same for a workspace on a host of the user's.
pub const EXTERNAL_SILENT_AFTER: SignedDuration = SignedDuration::from_secs(90);

/// Whether a changed secret starts the machine of a workspace with this status anew (contract:
/// lifecycle-and-sweepers 3.8). Who sleeps or is paused reads its secrets when it is started.
pub fn restarts_for_secrets(status: Status) -> bool {
    match status {
        Status::Provisioning
        | Status::AwaitingAgent
        | Status::Online
        | Status::Degraded
        | Status::Offline
        | Status::Failed => true,
        Status::Paused | Status::Hibernating | Status::Hibernated | Status::Removed => false,
    }
}

/// How long a workspace may take to register, unless the operator says otherwise (contract:
/// lifecycle-and-sweepers 11.4).
pub fn boot_within(runtime: &str) -> SignedDuration {
    SignedDuration::from_mins(if runtime == "hermes" { 30 } else { 10 })
}

/// Whether messages may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// They may.
    Open,
    /// They are kept until it is awake.
    Wake,
    /// They may not; those that wait are kept.
    Paused,
    /// They may not, and those that wait are dropped.
    Closed,
}

/// Who runs a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// A machine of ours.
    Machine,
    /// Nobody of ours: there is no backend, or no image for its runtime.
    ByHand,
    /// A host of the user's.
    External,
}

/// What its machine should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Running.
    Running,
    /// Stopped, its disk kept.
    Stopped,
    /// Terminated.
    Gone,
}

/// What is done to a workspace's life. Creation and removal are changes of their own.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Somebody wants it started anew.
    Restart,
    /// The platform starts it anew, because it died.
    Revive,
    /// The platform starts it anew while it has nothing to do: there is a newer image.
    Refresh,
    /// Somebody wants it to go on.
    Resume,
    /// A message is for it.
    Wake,
    /// Somebody stops it.
    Pause,
    /// It has nothing to do; or it has, and that is no matter.
    Hibernate {
        /// Whether it is sent to sleep over its work.
        force: bool,
    },
    /// Its machine has stopped.
    FallAsleep,
    /// It will not boot.
    Fail(BootFailure),
    /// It was not heard of for too long.
    Silence,
}

/// What an act changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The status it leads to.
    pub to: Status,
    /// The gate, if it moves.
    pub gate: Option<Gate>,
    /// What its machine should be, if that changes: a new generation.
    pub wanted: Option<Wanted>,
    /// What is told.
    pub event: Option<Event>,
}

/// Who a workspace is, as far as events tell.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its size.
    pub tier: i64,
    /// What runs in it.
    pub runtime: &'a str,
}

impl Act {
    /// Whether it leads to an agent that runs.
    pub fn starts(&self) -> bool {
        matches!(
            self,
            Self::Restart | Self::Revive | Self::Refresh | Self::Resume | Self::Wake
        )
    }

    /// Whether it is not done to a workspace that works on messages, or has some in line.
    pub fn spares_work(&self) -> bool {
        matches!(self, Self::Hibernate { force: false } | Self::Refresh)
    }

    /// Whether it can be done to a workspace with this status.
    pub fn applies_to(&self, from: Status) -> bool {
        use Status::{
            Degraded, Hibernated, Hibernating, Offline, Online, Paused, Provisioning, Removed,
        };
        match self {
            Self::Restart => from != Removed,
            Self::Revive => matches!(from, Online | Degraded | Offline),
            Self::Resume => from == Paused,
            Self::Wake => from == Hibernated,
            Self::Pause => !matches!(from, Paused | Removed),
            Self::Hibernate { .. } | Self::Refresh | Self::Silence => {
                matches!(from, Online | Degraded)
            }
            Self::FallAsleep => from == Hibernating,
            Self::Fail(_) => from == Provisioning,
        }
    }

    /// What it changes; none if it cannot be done to this status.
    pub fn turn(&self, from: Status, host: Host, called: Called<'_>) -> Option<Turn> {
        if !self.applies_to(from) {
            return None;
        }
        let ours = host == Host::Machine;
        let wanted = |wanted| ours.then_some(wanted);
        Some(match self {
            Self::Restart | Self::Revive | Self::Refresh | Self::Resume | Self::Wake => Turn {
                to: match host {
                    Host::Machine | Host::ByHand => Status::Provisioning,
                    Host::External => Status::AwaitingAgent,
                },
                gate: Some(Gate::Wake),
                wanted: wanted(Wanted::Running),
                event: Some(match host {
                    Host::Machine | Host::ByHand => Event::Provisioning {
                        name: called.name.to_owned(),
                        tier: called.tier,
                        runtime: called.runtime.to_owned(),
                    },
                    Host::External => Event::AwaitingAgent {
                        name: called.name.to_owned(),
                    },
                }),
            },
            Self::Pause => Turn {
                to: Status::Paused,
                gate: Some(Gate::Paused),
                wanted: wanted(Wanted::Stopped),
                event: Some(Event::Paused {
                    name: called.name.to_owned(),
                }),
            },
            Self::Hibernate { .. } if ours => Turn {
                to: Status::Hibernating,
                gate: Some(Gate::Wake),
                wanted: Some(Wanted::Stopped),
                event: None,
            },
            Self::Hibernate { .. } | Self::FallAsleep => Turn {
                to: Status::Hibernated,
                gate: Some(Gate::Wake),
                wanted: None,
                event: Some(Event::Hibernated {
                    name: called.name.to_owned(),
                    tier: called.tier,
                }),
            },
            Self::Fail(failure) => Turn {
                to: Status::Failed,
                // What waits is kept; without an address nothing new comes in.
                gate: None,
                wanted: wanted(Wanted::Stopped),
                event: Some(Event::ProvisionFailed {
                    payload: failure.payload(),
                }),
            },
            Self::Silence => Turn {
                to: Status::Offline,
                gate: None,
                wanted: None,
                event: Some(Event::Offline),
            },
        })
    }
}

/// Why a workspace will not boot (contract: lifecycle-and-sweepers 9.4, 11.4, 3.12). Never what the
/// cloud said: that is in the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootFailure {
    /// One of the contract's sentences.
    Canned(&'static str),
    /// Variables that its template requires and nobody has set.
    MissingEnv(Vec<String>),
    /// It did not register in time.
    Overdue {
        /// How long it had, in seconds.
        timeout_secs: i64,
        /// What runs in it.
        runtime: String,
    },
    /// It did not register in time, and no machine of ours was to run it.
    Unattended {
        /// How long it had, in seconds.
        timeout_secs: i64,
        /// What should have run in it.
        runtime: String,
    },
    /// It reported so itself.
    Reported {
        /// What went wrong.
        error: String,
        /// The end of its log.
        log_tail: String,
    },
}

/// The contract's sentence for a boot that took too long.
const OVERDUE: &str = "provisioning timed out — container started but never called \
     /registry/register. Check container logs and network connectivity to the platform.";
/// How much of a log is kept, in bytes.
pub const MAX_LOG_TAIL: usize = 8192;

impl BootFailure {
    /// The machine could not be made.
    pub const LAUNCH: Self = Self::Canned("provisioning failed");
    /// There is no backend.
    pub const NO_BACKEND: Self = Self::Canned(
        "no machines on this deployment: set its fleet parameters, or run the agent yourself and register it",
    );
    /// A secret of the organisation cannot be read.
    pub const GLOBAL_SECRET: Self = Self::Canned("failed to decrypt global secret");
    /// A secret of the workspace cannot be read.
    pub const WORKSPACE_SECRET: Self = Self::Canned("failed to decrypt workspace secret");

    /// The sentence.
    pub fn error(&self) -> String {
        match self {
            Self::Canned(text) => (*text).to_owned(),
            Self::MissingEnv(names) => match names.as_slice() {
                [one] => format!(
                    "missing required env var \"{one}\" — add it under Config → Env Vars (or as a \
                     Global secret) and retry"
                ),
                many => format!(
                    "missing required env vars {} — add them under Config → Env Vars (or as Global \
                     secrets) and retry",
                    many.join(", ")
                ),
            },
            Self::Overdue { .. } => OVERDUE.to_owned(),
            Self::Unattended { runtime, .. } => format!(
                "{OVERDUE} No machine of this deployment runs \"{runtime}\": start its agent \
                 yourself, or give the fleet an image for it and restart."
            ),
            Self::Reported { error, .. } if error.is_empty() => {
                "bootstrap failed — see log_tail".to_owned()
            }
            Self::Reported { error, .. } => error.clone(),
        }
    }

    /// What is kept with the workspace.
    pub fn sample_error(&self) -> String {
        match self {
            Self::Reported { log_tail, .. } => {
                let text = format!("{}\n\n{log_tail}", self.error());
                head(&text, MAX_LOG_TAIL).to_owned()
            }
            other => other.error(),
        }
    }

    /// The payload of the event.
    fn payload(&self) -> Value {
        let mut payload = json!({"error": self.error()});
        match self {
            Self::Canned(_) => {}
            Self::MissingEnv(names) => payload["missing"] = json!(names),
            Self::Overdue {
                timeout_secs,
                runtime,
            }
            | Self::Unattended {
                timeout_secs,
                runtime,
            } => {
                payload["timeout_secs"] = json!(timeout_secs);
                payload["runtime"] = json!(runtime);
                payload["source"] = json!("provision_timeout_sweep");
            }
            Self::Reported { log_tail, .. } => {
                payload["log_tail"] = json!(log_tail);
                payload["source"] = json!("bootstrap_watcher");
            }
        }
        payload
    }
}

/// The beginning of a text, at most so many bytes, whole characters.
fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;

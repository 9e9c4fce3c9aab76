//! What all functions of machines have.

use domain::{Error, Result};
use edge::App;
use jiff::Timestamp;
use store::lifecycle;

use crate::machines::{Backend, Class, MachineId, Recorded, Settings, Trouble};

/// The common part, and the machines.
#[derive(Debug)]
pub struct Crew<M = Backend> {
    /// The common part.
    pub app: &'static App,
    /// The machines, or that there are none.
    pub machines: M,
}

impl<M> AsRef<App> for Crew<M> {
    fn as_ref(&self) -> &App {
        self.app
    }
}

impl Crew {
    /// With the backend that the environment names. That there is none, or half of one, stops no
    /// function: it is said call by call.
    pub fn new(app: &'static App) -> Self {
        let machines = Backend::new(Settings::from_env(), &app.sdk);
        Self { app, machines }
    }

    /// The same, leaked on purpose, as the app is: both live as long as the process.
    pub fn start(app: &'static App) -> &'static Self {
        Box::leak(Box::new(Self::new(app)))
    }
}

/// The recorded machine. A record that names none, or something that is no id, has none.
pub(crate) fn recorded(record: &lifecycle::Machine) -> Option<MachineId> {
    record.instance_id.as_deref()?.parse().ok()
}

/// The same, as a listing is asked for it. Of an unknown age is old enough to be seen.
pub(crate) fn asked<'a>(
    id: &'a MachineId,
    workspace_id: domain::WorkspaceId,
    record: &lifecycle::Machine,
) -> Recorded<'a> {
    Recorded {
        id,
        workspace_id,
        launched_at: record.launched_at.unwrap_or(Timestamp::UNIX_EPOCH),
    }
}

/// A trouble as an error that has the queue try again; an operator is told of what he must mend.
pub(crate) fn later(trouble: Trouble) -> Error {
    if trouble.class().alarms() {
        tracing::error!(class = ?trouble.class(), code = trouble.code(), "machines need an operator");
    }
    Error::unavailable(trouble)
}

/// An answer; without a backend, what there is without one.
pub(crate) fn or_without<T>(answer: Result<T, Trouble>, without: T) -> Result<T> {
    match answer {
        Err(trouble) if trouble.class() == Class::NoBackend => Ok(without),
        answer => answer.map_err(later),
    }
}

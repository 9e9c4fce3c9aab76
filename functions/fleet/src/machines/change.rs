//! Changes of a machine's state, and what each finds.

use super::State;

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is on its way.
    Underway,
    /// It was so already, or was on its way.
    Already,
    /// There is no such thing, or it is being terminated. Within [`LAG`](super::listing::LAG) of a
    /// launch "no such thing" proves nothing: EC2 may not have heard of it yet.
    Absent,
}

/// A change that depends on the state it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Resume,
    Stop,
    Terminate,
}

impl Verb {
    /// What becomes of it in this state; none if it cannot be done.
    pub(crate) fn finds(self, state: State) -> Option<Change> {
        match (self, state) {
            (_, State::Other) => None,
            (Self::Terminate, state) if state.is_ended() => Some(Change::Already),
            (_, state) if state.is_ended() => Some(Change::Absent),
            (Self::Terminate, _) => Some(Change::Underway),
            (Self::Resume, State::Stopped) | (Self::Stop, State::Running) => Some(Change::Underway),
            (Self::Resume, State::Pending | State::Running)
            | (Self::Stop, State::Stopping | State::Stopped) => Some(Change::Already),
            (Self::Resume | Self::Stop, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_decided_about() {
        use Change::{Absent, Already, Underway};
        use State::{Other, Pending, Running, ShuttingDown, Stopped, Stopping, Terminated};
        for (state, resume, stop, terminate) in [
            (Pending, Some(Already), None, Some(Underway)),
            (Running, Some(Already), Some(Underway), Some(Underway)),
            (Stopping, None, Some(Already), Some(Underway)),
            (Stopped, Some(Underway), Some(Already), Some(Underway)),
            (ShuttingDown, Some(Absent), Some(Absent), Some(Already)),
            (Terminated, Some(Absent), Some(Absent), Some(Already)),
            (Other, None, None, None),
        ] {
            assert_eq!(Verb::Resume.finds(state), resume, "{state:?}");
            assert_eq!(Verb::Stop.finds(state), stop, "{state:?}");
            assert_eq!(Verb::Terminate.finds(state), terminate, "{state:?}");
        }
    }
}

//! What the sweep does about one that may be idle, or not at work.

use domain::WorkspaceId;
use jiff::Timestamp;

/// One step, for [`idle`](super::idle) and [`phantom`](super::phantom) alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It goes to sleep, unless it was used since.
    Sleep {
        /// The workspace.
        id: WorkspaceId,
        /// When it was last used.
        used_at: Timestamp,
        /// Since when it should sleep.
        since: Timestamp,
    },
    /// Its tasks are taken back, unless it was active since.
    Clear {
        /// The workspace.
        id: WorkspaceId,
        /// When it was last active, by its beat.
        active_at: Option<Timestamp>,
    },
    /// It was used, or at work, at this moment after all: bookkeeping, not worth a line.
    Note {
        /// The workspace.
        id: WorkspaceId,
        /// When.
        at: Timestamp,
    },
}

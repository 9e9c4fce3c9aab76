//! Jobs on their way to the queue: rows written with the change that makes them necessary. The
//! stream carries them to the queue; the row goes when they are there.

use domain::{Result, WorkspaceId, job::Job};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Store, expr::Write, keys};

/// After this long a job that is still here did not reach its queue by the stream.
pub const JOB_OVERDUE: SignedDuration = SignedDuration::from_secs(90);

/// A job that may not have reached its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingJob {
    /// Its id.
    pub id: Uuid,
    /// The job, as it will travel.
    pub job: String,
    /// Where it is due.
    due_pk: String,
    due_at: String,
}

impl PendingJob {
    /// A job concerning this workspace, written now.
    pub fn new(concerning: WorkspaceId, job: &Job, now: Timestamp) -> Self {
        let id = Uuid::now_v7();
        Self {
            id,
            job: serde_json::to_string(job).unwrap_or_default(),
            due_pk: keys::due("JOB", keys::shard(concerning)),
            due_at: keys::due_at(now + JOB_OVERDUE, &id.to_string()),
        }
    }

    /// The job.
    ///
    /// # Errors
    /// It is of a version this code does not know.
    pub fn job(&self) -> Result<Job, serde_json::Error> {
        serde_json::from_str(&self.job)
    }
}

/// The write that puts a job on its way.
pub(crate) fn pending(concerning: WorkspaceId, job: &Job, now: Timestamp) -> Write {
    let row = PendingJob::new(concerning, job, now);
    Write::put(keys::job(row.id), &row)
}

impl Store {
    pub(super) async fn forget_job(&self, id: Uuid) -> Result<()> {
        self.delete(keys::job(id)).await
    }
}

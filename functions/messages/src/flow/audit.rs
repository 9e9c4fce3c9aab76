//! Whether the books balance: accepted = done + failed + expired + dropped + waiting + running.
//!
//! One item holds all counters of a workspace and every write changes them in one step, so there is
//! no moment at which a right ledger shows a difference: whatever shows one is a defect of ours.

use std::collections::BTreeSet;

use domain::{Result, WorkspaceId};
use jiff::Timestamp;
use store::{Store, ledger::Counts};

/// The counters of all workspaces.
pub trait Books: Send + Sync {
    /// Whose turn it is: everybody's, within an hour of minutes.
    fn turn(&self, now: Timestamp) -> impl Future<Output = Result<Vec<WorkspaceId>>> + Send;
    /// The counters of those that are there.
    fn counts(
        &self,
        ids: BTreeSet<WorkspaceId>,
    ) -> impl Future<Output = Result<Vec<(WorkspaceId, Counts)>>> + Send;
}

impl Books for Store {
    async fn turn(&self, now: Timestamp) -> Result<Vec<WorkspaceId>> {
        self.audited_at(now).await
    }

    async fn counts(&self, ids: BTreeSet<WorkspaceId>) -> Result<Vec<(WorkspaceId, Counts)>> {
        self.counts(ids).await
    }
}

/// What an audit found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Audited {
    /// How many workspaces were read.
    pub read: usize,
    /// How many of them contradict themselves.
    pub drifting: usize,
    /// By how much in all, whichever way.
    pub drift: i64,
}

/// Reads those that were just looked at, and those whose turn it is. Each that does not balance is
/// a line of the log, with all that is known of it.
///
/// # Errors
/// The datastore did not answer: their turn comes again in an hour.
pub async fn audit<B: Books>(
    books: &B,
    seen: &BTreeSet<WorkspaceId>,
    now: Timestamp,
) -> Result<Audited> {
    let mut ids = seen.clone();
    ids.extend(books.turn(now).await?);
    let mut audited = Audited::default();
    if ids.is_empty() {
        return Ok(audited);
    }
    for (id, counts) in books.counts(ids).await? {
        audited.read += 1;
        let drift = counts.drift();
        if drift != 0 {
            audited.drifting += 1;
            audited.drift += drift.abs();
            tell(id, &counts);
        }
    }
    Ok(audited)
}

fn tell(id: WorkspaceId, counts: &Counts) {
    let Counts {
        accepted,
        waiting,
        running,
        done,
        failed,
        expired,
        dropped,
    } = *counts;
    tracing::error!(
        workspace_id = %id,
        drift = counts.drift(),
        accepted,
        waiting,
        running,
        done,
        failed,
        expired,
        dropped,
        "the counters of a workspace contradict themselves"
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::Error;

    use super::*;

    #[derive(Default)]
    struct Fake {
        turn: Vec<WorkspaceId>,
        loads: BTreeMap<WorkspaceId, Counts>,
        silent: bool,
    }

    impl Books for Fake {
        async fn turn(&self, _: Timestamp) -> Result<Vec<WorkspaceId>> {
            Ok(self.turn.clone())
        }

        async fn counts(&self, ids: BTreeSet<WorkspaceId>) -> Result<Vec<(WorkspaceId, Counts)>> {
            assert!(!ids.is_empty(), "nothing is no call");
            if self.silent {
                return Err(Error::unavailable("silent"));
            }
            let there = ids
                .iter()
                .filter_map(|id| Some((*id, *self.loads.get(id)?)));
            Ok(there.collect())
        }
    }

    fn counts(accepted: i64, done: i64, waiting: i64) -> Counts {
        Counts {
            accepted,
            done,
            waiting,
            ..Counts::default()
        }
    }

    #[tokio::test]
    async fn differences_do_not_cancel_out_and_nobody_is_read_twice() {
        let ids: Vec<_> = (0..4).map(|_| WorkspaceId::random()).collect();
        let all = [counts(5, 4, 1), counts(5, 3, 0), counts(5, 5, 1)];
        let books = Fake {
            // The last one has no load: purged a moment ago.
            turn: ids.clone(),
            loads: ids.iter().copied().zip(all).collect(),
            silent: false,
        };
        let seen = ids[..2].iter().copied().collect();
        let audited = audit(&books, &seen, Timestamp::UNIX_EPOCH).await;
        let expected = Audited {
            read: 3,
            drifting: 2,
            drift: 3,
        };
        assert_eq!(audited.expect("an audit"), expected);
    }

    #[tokio::test]
    async fn nobody_is_nothing_and_silence_is_no_balance() {
        let audited = audit(&Fake::default(), &BTreeSet::new(), Timestamp::UNIX_EPOCH).await;
        assert_eq!(audited.expect("an audit"), Audited::default());
        let silent = Fake {
            turn: vec![WorkspaceId::random()],
            silent: true,
            ..Fake::default()
        };
        let audited = audit(&silent, &BTreeSet::new(), Timestamp::UNIX_EPOCH).await;
        audited.expect_err("no answer");
    }
}

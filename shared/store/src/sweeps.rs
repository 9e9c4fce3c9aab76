//! When each sweep last looked at the world to its end.
//!
//! Price: one write unit per run, so $0.03 a month for one that runs each minute.

use domain::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    expr::Change,
    keys,
    ops::{UpdateError, key_of, read},
    queries::Page,
};

/// A sweep's last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When it began.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub last_run_at: Timestamp,
    /// Until then nobody's silence counts: the sweep itself had been away.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub judges_from: Option<Timestamp>,
}

impl Run {
    /// A run that began at this moment, after others.
    pub fn at(now: Timestamp) -> Self {
        Self {
            last_run_at: now,
            judges_from: None,
        }
    }
}

impl Store {
    /// The last run of a sweep that came to its end; none if it never did.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn last_run(&self, sweep: &str) -> Result<Option<Run>> {
        let key = keys::sweep(sweep);
        self.rows([key.clone()]).await?.take(&key)
    }

    /// Notes that a sweep came to its end.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn note_run(&self, sweep: &str, run: &Run) -> Result<()> {
        let judges_from = run.judges_from.map(Timestamp::as_microsecond);
        let change = Change::at(keys::sweep(sweep))
            .set("last_run_at", run.last_run_at.as_microsecond())
            .set_or_remove("judges_from", judges_from);
        match self.update(change).await {
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// The last run of each sweep that ever came to its end, by name.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn sweep_runs(&self) -> Result<Vec<(String, Run)>> {
        let query = Page {
            partition: keys::sweeps(),
            oldest_first: true,
            ..Page::default()
        };
        let (rows, _) = self.page(query).await?;
        let named = rows.into_iter().filter_map(|row| {
            let name = key_of(&row)?.sk;
            Some(read(row).map(|run| (name, run)))
        });
        named.collect()
    }
}

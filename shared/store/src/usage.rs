//! Tokens used, by workspace and UTC day (contract: extended-surface 17).

use domain::{Result, WorkspaceId};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    Store,
    expr::{Change, Write},
    keys,
};

/// How long a day's figures are kept, in seconds.
const KEPT: i64 = 400 * 24 * 3600;

/// What a workspace used on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// Replies that named tokens.
    pub calls: i64,
}

impl Usage {
    /// What it cost in millionths of a US dollar.
    pub fn micro_dollars(&self) -> i64 {
        self.input_tokens * 3 + self.output_tokens * 15
    }
}

/// The UTC day of `at`.
pub fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// The write that adds a reply's tokens.
pub(crate) fn add(workspace: WorkspaceId, input: i64, output: i64, now: Timestamp) -> Write {
    Change::at(keys::usage(workspace, &day(now)))
        .count("input_tokens", input)
        .count("output_tokens", output)
        .count("calls", 1)
        .set(keys::EXPIRES_AT, now.as_second() + KEPT)
        .into()
}

impl Store {
    /// What a workspace used on the UTC day of `at`.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn usage(&self, workspace: WorkspaceId, at: Timestamp) -> Result<Usage> {
        let key = keys::usage(workspace, &day(at));
        let found = self.rows([key.clone()]).await?.take(&key)?;
        Ok(found.unwrap_or_default())
    }
}

//! How many workspaces there may be (decision 30).
//!
//! Counted each time, not kept: a counter would drift with the first removal that forgot it. Each
//! creation under a quota takes a turn: it reads the number of turns, counts, and takes the next one
//! in its transaction, so two that count at the same time are not both right. Without a quota nothing
//! is read or written. Price: the beats, read consistently, 8 read units for 100 workspaces.

use domain::{Error, Result};
use serde::Deserialize;

use super::{Created, NewWorkspace};
use crate::{
    Store,
    expr::{Change, Write, value},
    keys::{self, SHARDS},
};

/// How often a creation that met another one counts anew.
const TRIES: usize = 12;

/// How many creations there were under a quota.
#[derive(Debug, Default, Deserialize)]
struct Turns {
    turns: i64,
}

impl Store {
    /// How many workspaces there are that are not removed, now.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn count_workspaces(&self) -> Result<usize> {
        let mut count = 0;
        for shard in 0..SHARDS {
            let mut start = None;
            loop {
                let page = self
                    .db
                    .query()
                    .table_name(&self.table)
                    .key_condition_expression("pk = :pk")
                    .expression_attribute_values(":pk", value(keys::beats(shard)))
                    .select(aws_sdk_dynamodb::types::Select::Count)
                    .consistent_read(true)
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(Error::unavailable)?;
                count += usize::try_from(page.count).unwrap_or_default();
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Creates a workspace if there are fewer than `most` then, also when others are created at the
    /// same time; zero is no limit.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn create_workspace_within(
        &self,
        most: usize,
        new: &NewWorkspace<'_>,
    ) -> Result<Created> {
        if most == 0 {
            return self.create_workspace(new).await;
        }
        for _ in 0..TRIES {
            let key = keys::quota();
            // In this order: who is not counted yet takes a turn later than this.
            let turns: Turns = self
                .rows([key.clone()])
                .await?
                .take(&key)?
                .unwrap_or_default();
            let count = self.count_workspaces().await?;
            if count >= most {
                return Ok(Created::Full(count));
            }
            let turn = Change::at(key)
                .when("attribute_not_exists(pk) OR #turns = :before")
                .with("before", turns.turns)
                .set("turns", turns.turns + 1);
            if let Some(created) = self.create_with(new, Some(Write::from(turn))).await? {
                return Ok(created);
            }
        }
        Err(Error::unavailable(
            "too many workspaces are created at once",
        ))
    }
}

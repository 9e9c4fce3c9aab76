//! The calls to DynamoDB, each written once: batch get, update, transaction. Queries are in
//! `queries.rs`.

use std::{collections::HashMap, error::Error as StdError, time::Duration};

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata as _,
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use backon::{BackoffBuilder as _, ExponentialBuilder, Retryable as _};
use domain::{Error, Result};
use serde::de::DeserializeOwned;

use crate::{
    Store,
    expr::{Change, Item, Write, key_map},
    keys::{Key, PK, SK},
};

/// DynamoDB takes at most this many keys in one batch get.
const BATCH: usize = 100;

/// Full jitter: what collided once should not collide again at the same moment.
fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(15))
        .with_max_delay(Duration::from_millis(400))
        .with_max_times(8)
}

/// The rows of a batch get, by key.
#[derive(Debug, Default)]
pub struct Rows(HashMap<Key, Item>);

impl Rows {
    /// The row under `key`, if it is there.
    ///
    /// # Errors
    /// The row is there and cannot be read: a defect of ours.
    pub fn take<T: DeserializeOwned>(&mut self, key: &Key) -> Result<Option<T>> {
        self.0.remove(key).map(read).transpose()
    }

    pub(crate) fn item(&self, key: &Key) -> Option<&Item> {
        self.0.get(key)
    }
}

/// A row from its item.
pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}

/// The primary key of an item from an index.
pub(crate) fn key_of(item: &Item) -> Option<Key> {
    Some(Key::new(
        item.get(PK)?.as_s().ok()?.clone(),
        item.get(SK)?.as_s().ok()?.clone(),
    ))
}

/// Why one write of a transaction stopped it, in the order of its writes; none for the others.
#[derive(Debug)]
pub struct Cancelled(pub(crate) Vec<Option<Item>>, pub(crate) Vec<bool>);

impl Cancelled {
    /// Whether write number `n` found its condition broken.
    pub fn failed(&self, n: usize) -> bool {
        self.1.get(n).copied().unwrap_or(false)
    }

    /// What write number `n` found instead.
    pub(crate) fn found(&self, n: usize) -> Option<&Item> {
        self.0.get(n)?.as_ref()
    }
}

/// Why a transaction did not happen.
#[derive(Debug)]
pub enum TransactError {
    /// A condition did not hold; nothing was written.
    Cancelled(Cancelled),
    /// The call failed.
    Failed(Error),
}

impl TransactError {
    /// The error for callers that had no condition worth telling apart.
    pub fn into_error(self) -> Error {
        match self {
            Self::Cancelled(cancelled) => {
                Error::unavailable(format!("transaction cancelled: {:?}", cancelled.1))
            }
            Self::Failed(error) => error,
        }
    }
}

/// A conditional update that did not happen.
#[derive(Debug)]
pub(crate) enum UpdateError {
    /// The condition did not hold; the item as it is, if there is one.
    Refused(Option<Item>),
    Failed(Error),
}

pub(crate) fn unavailable(error: impl StdError + Send + Sync + 'static) -> Error {
    Error::unavailable(error)
}

fn wanted(keys: Vec<Item>, consistent: bool) -> KeysAndAttributes {
    KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(consistent)
        .build()
        .expect("keys are set")
}

impl Store {
    /// Deletes an item; that it is not there is no error.
    pub(crate) async fn delete(&self, key: Key) -> Result<()> {
        self.db
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key_map(key)))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// The rows under `keys`, read consistently; those that are not there are left out.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn rows(&self, keys: impl IntoIterator<Item = Key>) -> Result<Rows> {
        self.batches(keys, true).await
    }

    /// The rows under `keys` as they are now or were a moment ago, for half the price. Each row is
    /// one that was written; two of them need not be of the same moment.
    pub(crate) async fn rows_of_late(&self, keys: impl IntoIterator<Item = Key>) -> Result<Rows> {
        self.batches(keys, false).await
    }

    async fn batches(&self, keys: impl IntoIterator<Item = Key>, now: bool) -> Result<Rows> {
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort_by(|a, b| (&a.pk, &a.sk).cmp(&(&b.pk, &b.sk)));
        keys.dedup();
        let mut rows = HashMap::with_capacity(keys.len());
        for chunk in keys.chunks(BATCH) {
            let mut wanted = wanted(chunk.iter().cloned().map(key_map).collect(), now);
            let mut waits = backoff().build();
            loop {
                let answer = self
                    .db
                    .batch_get_item()
                    .request_items(&self.table, wanted)
                    .send()
                    .await
                    .map_err(unavailable)?;
                for item in answer
                    .responses
                    .into_iter()
                    .flat_map(HashMap::into_values)
                    .flatten()
                {
                    if let Some(key) = key_of(&item) {
                        rows.insert(key, item);
                    }
                }
                // Throttled or over 16 MB: the rest is asked for again.
                let left = answer.unprocessed_keys;
                let left = left.and_then(|mut left| left.remove(&self.table));
                let Some(left) = left.filter(|left| !left.keys().is_empty()) else {
                    break;
                };
                let Some(wait) = waits.next() else {
                    return Err(Error::unavailable("keys are left over again and again"));
                };
                tokio::time::sleep(wait).await;
                wanted = left;
            }
        }
        Ok(Rows(rows))
    }

    /// One update; answers the item as it was before.
    pub(crate) async fn update(&self, change: Change) -> Result<Option<Item>, UpdateError> {
        let parts = change.parts();
        let write = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(parts.key))
            .update_expression(parts.update)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .set_condition_expression(parts.condition)
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let attempt = || async {
            let answer = write.clone().send().await;
            answer.map_err(|error| error.into_service_error())
        };
        let conflict =
            |error: &UpdateItemError| error.code() == Some("TransactionConflictException");
        match attempt.retry(backoff()).when(conflict).await {
            Ok(answer) => Ok(answer.attributes),
            Err(error) => match error {
                UpdateItemError::ConditionalCheckFailedException(refused) => {
                    Err(UpdateError::Refused(refused.item))
                }
                other => Err(UpdateError::Failed(unavailable(other))),
            },
        }
    }

    /// All of `writes` or none. A transaction that met another one is tried again.
    pub(crate) async fn transact(
        &self,
        writes: impl IntoIterator<Item = Write>,
    ) -> Result<(), TransactError> {
        let items: Vec<_> = writes
            .into_iter()
            .map(|write| write.in_transaction(&self.table))
            .collect();
        let attempt = || async {
            self.db
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .send()
                .await
                .map_err(|error| error.into_service_error())
        };
        let outcome = attempt.retry(backoff()).when(met_another).await;
        match outcome {
            Ok(_) => Ok(()),
            Err(TransactWriteItemsError::TransactionCanceledException(cancelled))
                if refused(&cancelled) =>
            {
                let reasons = cancelled.cancellation_reasons.unwrap_or_default();
                let failed = reasons
                    .iter()
                    .map(|reason| reason.code() == Some("ConditionalCheckFailed"))
                    .collect();
                let found = reasons.into_iter().map(|reason| reason.item).collect();
                Err(TransactError::Cancelled(Cancelled(found, failed)))
            }
            Err(other) => Err(TransactError::Failed(unavailable(other))),
        }
    }
}

type CancelledException = aws_sdk_dynamodb::types::error::TransactionCanceledException;

/// Whether at least one condition was broken: then trying again would find the same.
fn refused(cancelled: &CancelledException) -> bool {
    cancelled
        .cancellation_reasons()
        .iter()
        .any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}

/// Whether a write is one that DynamoDB never takes: an item over 400 KB, say.
fn is_wrong(cancelled: &CancelledException) -> bool {
    let mut reasons = cancelled.cancellation_reasons().iter();
    reasons.any(|reason| reason.code() == Some("ValidationError"))
}

/// Whether the transaction only met another one, or a full partition: nothing was decided. A call
/// that was throttled as a whole has been tried again by the SDK already.
fn met_another(error: &TransactWriteItemsError) -> bool {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            !refused(cancelled) && !is_wrong(cancelled)
        }
        TransactWriteItemsError::TransactionInProgressException(_) => true,
        _ => false,
    }
}

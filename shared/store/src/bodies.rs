//! Bodies of requests and replies: written once, read by reference.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::{presigning::PresigningConfig, primitives::ByteStream};
use domain::{BodyId, Error, Result, activity::RETENTION_DAYS};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Store,
    expr::{Item, value},
    keys::{self, EXPIRES_AT, PK, SK},
};

/// The most a body may have to lie in the table; above, the table has a pointer to the bucket.
/// At 16 KB an item costs 16 write units, about what a PUT to S3 costs.
pub const IN_TABLE: usize = 16 * 1024;

/// A fresh body id.
pub fn new_id() -> BodyId {
    BodyId::from_uuid(Uuid::now_v7())
}

impl Store {
    /// Keeps `bytes` under `id` for as long as activity is kept.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn put_body(&self, id: BodyId, bytes: &[u8], now: Timestamp) -> Result<()> {
        let key = keys::body(id);
        let mut item: Item = HashMap::from([
            (PK.to_owned(), AttributeValue::S(key.pk)),
            (SK.to_owned(), AttributeValue::S(key.sk)),
            ("bytes".to_owned(), value(bytes.len())),
            (EXPIRES_AT.to_owned(), value(expiry(now))),
        ]);
        if bytes.len() <= IN_TABLE {
            item.insert("data".to_owned(), AttributeValue::B(Blob::new(bytes)));
        } else {
            self.s3
                .put_object()
                .bucket(&self.bucket)
                .key(keys::body_object(id))
                .body(ByteStream::from(bytes.to_vec()))
                .send()
                .await
                .map_err(Error::unavailable)?;
        }
        self.db
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(Error::unavailable)?;
        Ok(())
    }

    /// The bodies under `ids`, as far as they are still kept and fit into `budget` bytes together:
    /// the first have the first claim, and what does not fit is not read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn bodies(
        &self,
        ids: impl IntoIterator<Item = BodyId>,
        budget: usize,
        now: Timestamp,
    ) -> Result<HashMap<BodyId, Vec<u8>>> {
        let ids: Vec<BodyId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.rows(ids.iter().copied().map(keys::body)).await?;
        let (mut bodies, mut left) = (HashMap::new(), budget);
        for id in ids {
            let Some(item) = rows.item(&keys::body(id)) else {
                continue;
            };
            if number(item, EXPIRES_AT) <= now.as_second() {
                continue;
            }
            let Some(rest) = left.checked_sub(length(item)) else {
                continue;
            };
            left = rest;
            let bytes = match item.get("data") {
                Some(AttributeValue::B(data)) => data.as_ref().to_vec(),
                _ => self.object(&keys::body_object(id)).await?,
            };
            bodies.insert(id, bytes);
        }
        Ok(bodies)
    }

    /// The body under `id`, if it is still kept.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn body(&self, id: BodyId, now: Timestamp) -> Result<Option<Vec<u8>>> {
        Ok(self.bodies([id], usize::MAX, now).await?.remove(&id))
    }

    /// An address from which anyone who has it can read a body of the bucket for an hour.
    ///
    /// # Errors
    /// Signing failed: a defect of ours.
    pub async fn body_url(&self, id: BodyId) -> Result<String> {
        let hour = std::time::Duration::from_secs(3600);
        let signed = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(keys::body_object(id))
            .response_content_type("application/json")
            .presigned(PresigningConfig::expires_in(hour).map_err(Error::internal)?)
            .await
            .map_err(Error::internal)?;
        Ok(signed.uri().to_owned())
    }

    async fn object(&self, key: &str) -> Result<Vec<u8>> {
        let object = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(Error::unavailable)?;
        let bytes = object.body.collect().await.map_err(Error::unavailable)?;
        Ok(bytes.to_vec())
    }
}

/// How long a body is, as its item says.
fn length(item: &Item) -> usize {
    usize::try_from(number(item, "bytes")).unwrap_or(0)
}

fn number(item: &Item, name: &str) -> i64 {
    let number = item.get(name).and_then(|number| number.as_n().ok());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// When something kept as long as activity may go, epoch seconds.
pub(crate) fn expiry(now: Timestamp) -> i64 {
    now.as_second() + RETENTION_DAYS * 24 * 3600
}

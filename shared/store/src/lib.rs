//! The one DynamoDB table, and the bucket for bodies that do not fit it and for files.
//!
//! [`keys`] owns every key; one file per entity owns its item and the writes that change it. A
//! change is one conditional write or one transaction that names what was read: the database
//! decides races. The event that tells of a change is written in the same transaction.

pub mod activity;
pub mod approvals;
pub mod beats;
pub mod bodies;
pub mod chat_files;
pub mod connections;
pub mod delegations;
pub mod events;
mod expr;
pub mod files;
pub mod images;
pub mod keys;
pub mod leases;
pub mod ledger;
pub mod lifecycle;
mod ops;
pub mod org_tokens;
mod queries;
pub mod schedules;
pub mod secrets;
pub mod stream;
pub mod sweeps;
pub mod templates;
pub mod tokens;
pub mod usage;
pub mod viewport;
pub mod windows;
pub mod workspaces;

pub use ops::{Cancelled, Rows, TransactError};

/// Access to the table and the bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    table: String,
    bucket: String,
}

impl Store {
    /// The store over these clients.
    pub fn new(
        db: aws_sdk_dynamodb::Client,
        s3: aws_sdk_s3::Client,
        table: impl Into<String>,
        bucket: impl Into<String>,
    ) -> Self {
        Self {
            db,
            s3,
            table: table.into(),
            bucket: bucket.into(),
        }
    }

    /// Opens the connection while the function starts: its first request then saves the TLS
    /// handshake, which is most of a first call's time. A failure shows on the first real call.
    pub async fn warm(&self) {
        let key = keys::Key::new("WARM", "WARM");
        let _ = self.rows([key]).await;
    }
}

//! Prices, in one place: us-east-1, on demand, without free tiers, arm64, as AWS published them in
//! November 2026. US dollars per million of what the name says.

/// When they were looked up.
pub const AS_OF: &str = "November 2026";

/// Requests to an HTTP API, in steps of 512 KB.
pub const HTTP_API: f64 = 1.00;
/// Invocations.
pub const LAMBDA_REQUEST: f64 = 0.20;
/// Seconds of a function with a gigabyte.
pub const LAMBDA_GB_SECOND: f64 = 13.333_4;
/// Write units of a table on demand.
pub const WRITE_UNIT: f64 = 0.625;
/// Read units.
pub const READ_UNIT: f64 = 0.125;
/// Requests to a standard queue.
pub const SQS_REQUEST: f64 = 0.40;
/// Requests to KMS.
pub const KMS_REQUEST: f64 = 3.00;
/// `PUT`, `POST` and `LIST` at a bucket.
pub const S3_WRITE: f64 = 5.00;
/// `GET` at a bucket.
pub const S3_READ: f64 = 0.40;
/// Events of one's own on a bus, up to 64 KB.
pub const EVENT: f64 = 1.00;
/// Bytes of logs that are taken in.
pub const LOG_BYTE: f64 = 0.000_5;

/// How long a call to AWS takes from a function, in seconds: DynamoDB answers in less, KMS and S3 in
/// more. An assumption; it is a small part of all prices but that of waiting.
pub const ROUND_TRIP_SECONDS: f64 = 0.005;
/// How long the relay works on what one transaction has written, and the memory it has: an assumption,
/// for a stack in which somebody listens.
pub const RELAY_SECONDS: f64 = 0.02;
/// In gigabytes.
pub const RELAY_MEMORY: f64 = 0.25;
/// So much memory, in megabytes, comes with one whole CPU.
pub const MEGABYTES_PER_CPU: f64 = 1769.0;

//! What one operation was counted to take.

use std::{env, fs, io, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::prices as price;
use crate::{
    counted::{AwsCall, round_trips},
    template::Template,
};

/// Where counting tests leave what they counted; without it, nowhere.
const FOLDER: &str = "COUNTS_FOLDER";

/// An operation: one invocation of one function, and what it made others do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// What people call it.
    pub what: String,
    /// The function.
    pub handler: String,
    /// Its memory, in gigabytes.
    pub memory: f64,
    /// Whether it came through the API.
    pub http: bool,
    /// Calls to AWS that waited for one another.
    pub round_trips: usize,
    /// Write units, of the table and its indexes.
    pub write_units: usize,
    /// Read units.
    pub read_units: f64,
    /// Requests to queues.
    pub sqs: usize,
    /// Requests to KMS.
    pub kms: usize,
    /// Writes and lists at the bucket.
    pub s3_writes: usize,
    /// Reads at the bucket.
    pub s3_reads: usize,
    /// Rows of events, each of which goes to the bus.
    pub events: usize,
    /// Transactions that the relay wakes for: with events or lines of activity.
    pub told: usize,
    /// Rows of jobs, each of which is carried to a queue and taken off it.
    pub jobs: usize,
}

impl Counted {
    /// From the calls of one invocation of `handler`, on a wire that weighs.
    ///
    /// # Panics
    /// The template has no such function.
    pub fn of<'a>(what: &str, handler: &str, calls: impl IntoIterator<Item = &'a AwsCall>) -> Self {
        let calls: Vec<&AwsCall> = calls.into_iter().collect();
        let function = Template::ours()
            .functions()
            .find(|it| it.handler() == handler);
        let function = function.expect("a function of the template");
        let count = |service: &str, operations: &[&str]| {
            let fit = |call: &&&AwsCall| {
                let operation = call.operation.as_str();
                call.service == service
                    && (operations.is_empty() || operations.contains(&operation))
            };
            calls.iter().filter(fit).count()
        };
        let written = |call: &AwsCall, partition: &str| {
            let puts = call.puts();
            puts.filter(|item| {
                item["pk"]["S"]
                    .as_str()
                    .is_some_and(|pk| pk.starts_with(partition))
            })
            .count()
        };
        let all = |partition: &str| calls.iter().map(|call| written(call, partition)).sum();
        let told = calls
            .iter()
            .filter(|call| written(call, "EVENTS#") + written(call, "ACTIVITY#") > 0);
        Self {
            what: what.to_owned(),
            handler: handler.to_owned(),
            memory: function.property("MemorySize").as_f64().unwrap_or_default() / 1024.0,
            http: !function.events("HttpApi").is_empty(),
            round_trips: round_trips(calls.iter().copied()),
            write_units: calls
                .iter()
                .map(|it| it.write_units() + it.index_units())
                .sum(),
            read_units: calls.iter().fold(0.0, |sum, it| sum + it.read_units()),
            sqs: count("sqs", &[]),
            kms: count("kms", &[]),
            s3_writes: count("s3", &["PutObject", "ListBucket"]),
            s3_reads: count("s3", &["GetObject"]),
            events: all("EVENTS#"),
            told: told.count(),
            jobs: all("JOB#"),
        }
    }

    /// Leaves it for `make cost`, if that is who runs the tests.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn leave(&self) {
        let Ok(folder) = env::var(FOLDER) else { return };
        let safe = |it: char| if it.is_ascii_alphanumeric() { it } else { '-' };
        let name: String = self.what.chars().map(safe).collect();
        let text = serde_json::to_vec(self).expect("JSON");
        let path = Path::new(&folder).join(format!("{name}.json"));
        fs::write(path, text).expect("the folder is there");
    }

    /// How long its function works, in seconds: its round trips.
    pub fn seconds(&self) -> f64 {
        number(self.round_trips) * price::ROUND_TRIP_SECONDS
    }

    /// What its function costs, with so many seconds of waiting beside its own.
    pub fn compute(&self, waits: f64) -> f64 {
        let seconds = self.seconds() + waits;
        price::LAMBDA_REQUEST + seconds * self.memory * price::LAMBDA_GB_SECOND
    }

    /// What its units of the table cost.
    pub fn table(&self) -> f64 {
        number(self.write_units) * price::WRITE_UNIT + self.read_units * price::READ_UNIT
    }

    /// What everything else costs: the gateway, queues, keys, the bucket, the bus and the relay.
    pub fn others(&self) -> f64 {
        let gateway = if self.http { price::HTTP_API } else { 0.0 };
        // Looks at who listens: half a read unit for each 20 connections, one for its place.
        let relay = price::LAMBDA_REQUEST
            + price::RELAY_SECONDS * price::RELAY_MEMORY * price::LAMBDA_GB_SECOND
            + price::READ_UNIT;
        // One invocation of kick, then sent, received, deleted; and its row and its entry go.
        let job = price::LAMBDA_REQUEST + 3.0 * price::SQS_REQUEST + 2.0 * price::WRITE_UNIT;
        gateway
            + number(self.sqs) * price::SQS_REQUEST
            + number(self.kms) * price::KMS_REQUEST
            + number(self.s3_writes) * price::S3_WRITE
            + number(self.s3_reads) * price::S3_READ
            + number(self.events) * price::EVENT
            + number(self.told) * relay
            + number(self.jobs) * job
    }

    /// What a million of it costs.
    pub fn per_million(&self, waits: f64) -> f64 {
        self.compute(waits) + self.table() + self.others()
    }
}

/// All that was left in a folder, by name.
///
/// # Errors
/// It cannot be read.
pub fn read_all(folder: &Path) -> io::Result<Vec<Counted>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "json") {
            all.push(serde_json::from_slice(&fs::read(path)?)?);
        }
    }
    all.sort_by(|one: &Counted, other| one.what.cmp(&other.what));
    Ok(all)
}

impl AwsCall {
    /// The items it puts.
    fn puts(&self) -> impl Iterator<Item = &Value> {
        let alone = (self.operation == "PutItem").then_some(&self.request["Item"]);
        let items = self.request["TransactItems"]
            .as_array()
            .into_iter()
            .flatten();
        let many = items.map(|write| &write["Put"]["Item"]);
        alone
            .into_iter()
            .chain(many.filter(|item| item.is_object()))
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundred at most")]
fn number(of: usize) -> f64 {
    of as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat() -> Counted {
        Counted {
            what: "heartbeat".to_owned(),
            handler: "registry.heartbeat".to_owned(),
            memory: 0.25,
            http: true,
            round_trips: 1,
            write_units: 1,
            ..Counted::default()
        }
    }

    fn close(one: f64, other: f64) {
        assert!((one - other).abs() < 0.000_5, "{one}, not {other}");
    }

    #[test]
    fn a_steady_heartbeat_is_gateway_invocation_and_one_unit() {
        let beat = beat();
        close(beat.per_million(0.0), 1.00 + 0.20 + 0.016_67 + 0.625);
        // A second of waiting at 256 MB.
        close(beat.per_million(1.0) - beat.per_million(0.0), 3.333_35);
    }

    #[test]
    fn what_others_are_made_to_do_counts() {
        let change = Counted {
            events: 2,
            told: 1,
            jobs: 1,
            kms: 1,
            sqs: 1,
            s3_writes: 1,
            s3_reads: 1,
            ..beat()
        };
        let more = 2.0 + (0.20 + 0.066_67 + 0.125) + 2.65 + 3.0 + 0.4 + 5.0 + 0.4;
        close(change.per_million(0.0) - beat().per_million(0.0), more);
        let clock = Counted {
            http: false,
            read_units: 4.0,
            ..beat()
        };
        close(clock.per_million(0.0) - beat().per_million(0.0), 0.5 - 1.0);
    }
}

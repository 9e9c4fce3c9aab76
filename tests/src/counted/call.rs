//! One call to AWS as it went over the wire, and what follows from it: its price in units, the
//! permissions it needs, how many of a series had to wait for one another.

use domain::job::Job;
use serde_json::Value;

use super::units::{self, Weight};

/// One attempt of one call: a retry is a call of its own.
#[derive(Debug, Clone)]
pub struct AwsCall {
    /// As in IAM: `dynamodb`, `s3`, `lambda`, `kms`.
    pub service: String,
    /// As in IAM: `UpdateItem`, `PutObject`, `InvokeFunction`.
    pub operation: String,
    /// What an API of paths acts on: the object's key, the function.
    pub resource: String,
    /// What was sent, if it was JSON.
    pub request: Value,
    /// Its length.
    pub request_bytes: usize,
    /// What came back, if it was JSON.
    pub response: Value,
    /// Its status; 0 if nothing came back.
    pub status: u16,
    /// The place of its beginning among all beginnings and ends of the recorder.
    pub began: u64,
    /// The place of its end.
    pub ended: u64,
    /// What each written item weighed, if the recorder weighs.
    pub written: Vec<Weight>,
}

impl AwsCall {
    /// `dynamodb:UpdateItem`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// The permissions it needs, each an action and what it acts on as the template says it.
    pub fn permissions(&self) -> Vec<(String, String)> {
        let action = |name: &str| format!("{}:{name}", self.service);
        if self.service == "s3" && self.operation == "ListBucket" {
            return vec![(action(&self.operation), "Bucket".to_owned())];
        }
        if self.service == "s3" {
            let folder = self.resource.split('/').next().unwrap_or_default();
            return vec![(action(&self.operation), format!("Bucket/{folder}/*"))];
        }
        if self.service == "sqs" {
            // A queue is called <stack>-<its name in the template>-<anything>.
            let url = self.request["QueueUrl"].as_str().unwrap_or_default();
            let queue = url.rsplit('/').next().and_then(|it| it.split('-').nth(1));
            return vec![(action(&self.operation), queue.unwrap_or(url).to_owned())];
        }
        if self.service == "execute-api" {
            let gateway = "arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:WebSocketApi";
            return vec![(action(&self.operation), format!("{gateway}/ws/*"))];
        }
        if self.service == "events" {
            return vec![(action(&self.operation), "EventBus".to_owned())];
        }
        if self.service == "kms" {
            return vec![(action(&self.operation), "SecretsKey".to_owned())];
        }
        if self.service != "dynamodb" {
            return vec![(action(&self.operation), self.resource.clone())];
        }
        if self.operation == "TransactWriteItems" {
            return transaction(&self.request)
                .map(|(kind, _)| {
                    let item = match kind.as_str() {
                        "ConditionCheck" => "ConditionCheckItem".to_owned(),
                        kind => format!("{kind}Item"),
                    };
                    (action(&item), "Table".to_owned())
                })
                .collect();
        }
        let on = match self.request["IndexName"].as_str() {
            Some(index) => format!("Table/index/{index}"),
            None => "Table".to_owned(),
        };
        // What a condition narrows to these keys (see the template) is no right to write others.
        let pk = self.request["Key"]["pk"]["S"].as_str().unwrap_or_default();
        let on = match self.operation == "UpdateItem" && pk.starts_with("STREAMS#") {
            true => "Table[STREAMS#*]".to_owned(),
            false => on,
        };
        vec![(action(&self.operation), on)]
    }

    /// Whether it notes that a token was used.
    pub fn notes_use(&self) -> bool {
        self.operation == "UpdateItem"
            && self.request["ExpressionAttributeNames"]["#last_used_at"].is_string()
    }

    /// Write units of the table: 1 KB steps of the larger of before and after, twice in a
    /// transaction.
    pub fn write_units(&self) -> usize {
        let each = if self.operation == "TransactWriteItems" {
            2
        } else {
            1
        };
        self.written
            .iter()
            .map(|item| each * item.write_units())
            .sum()
    }

    /// Write units of the indexes that follow it.
    pub fn index_units(&self) -> usize {
        self.written.iter().map(|item| item.index_units).sum()
    }

    /// Read units: 4 KB steps, halves when the read is not consistent.
    pub fn read_units(&self) -> f64 {
        match self.operation.as_str() {
            "BatchGetItem" => units::batch_get(&self.request, &self.response),
            "Query" | "Scan" => units::query(&self.request, &self.response),
            _ => 0.0,
        }
    }

    /// The keys it writes or checks.
    pub(crate) fn keys(&self) -> Vec<Value> {
        let key = |body: &Value| match &body["Item"] {
            Value::Object(item) => serde_json::json!({"pk": item["pk"], "sk": item["sk"]}),
            _ => body["Key"].clone(),
        };
        match self.operation.as_str() {
            "PutItem" | "UpdateItem" | "DeleteItem" => vec![key(&self.request)],
            "TransactWriteItems" => transaction(&self.request)
                .map(|(_, body)| key(body))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The kind and the body of each write of a transaction.
fn transaction(request: &Value) -> impl Iterator<Item = (String, &Value)> {
    let items = request["TransactItems"].as_array().into_iter().flatten();
    items
        .filter_map(Value::as_object)
        .flatten()
        .map(|(kind, body)| (kind.clone(), body))
}

/// How many of these calls had to wait for one another: the longest chain of which each began after
/// the one before had ended.
pub fn round_trips<'a>(calls: impl IntoIterator<Item = &'a AwsCall>) -> usize {
    let mut spans: Vec<_> = calls.into_iter().map(|c| (c.ended, c.began)).collect();
    spans.sort_unstable();
    let mut free_from = 0;
    spans
        .into_iter()
        .filter(|(ended, began)| {
            let after = *began >= free_from;
            if after {
                free_from = *ended;
            }
            after
        })
        .count()
}

/// The jobs that these calls put on their way.
pub fn jobs(calls: &[AwsCall]) -> Vec<Job> {
    let written = calls.iter().filter(|call| call.status == 200);
    let writes = written.flat_map(|call| {
        let items = call.request["TransactItems"].as_array();
        items.into_iter().flatten()
    });
    let job = |write: &Value| {
        let item = &write["Put"]["Item"];
        let is_job = item["sk"]["S"] == "JOB";
        let text = item["job"]["S"].as_str().filter(|_| is_job)?;
        serde_json::from_str(text).ok()
    };
    writes.filter_map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(began: u64, ended: u64) -> AwsCall {
        AwsCall {
            service: "dynamodb".to_owned(),
            operation: "Query".to_owned(),
            resource: String::new(),
            request: Value::Null,
            request_bytes: 0,
            response: Value::Null,
            status: 200,
            began,
            ended,
            written: Vec::new(),
        }
    }

    #[test]
    fn calls_side_by_side_are_one_round_trip() {
        for (spans, expected) in [
            (vec![], 0),
            (vec![(0, 1)], 1),
            (vec![(0, 1), (2, 3)], 2),
            (vec![(0, 2), (1, 3)], 1),
            (vec![(0, 5), (1, 2), (3, 4)], 2),
            (vec![(0, 2), (1, 3), (4, 5)], 2),
        ] {
            let calls: Vec<_> = spans.iter().map(|(a, b)| call(*a, *b)).collect();
            assert_eq!(round_trips(&calls), expected, "{spans:?}");
        }
    }
}

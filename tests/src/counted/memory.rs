//! AWS in memory: the fake table, a bucket and a key, and queues and functions that take anything.
//!
//! For what is about our side of the wire. What it does not know it panics at; that, and whatever
//! DynamoDB would refuse as nonsense, is a defect, whatever a handler makes of it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use domain::Mode;
use edge::App;
use serde_json::json;

use super::{AwsCall, InProcess, Scale, Wire, example, settings, wire::describe};
use crate::dynamo::{Dynamo, Id, Item, Refusal};

/// A data key and what it is wrapped as: there are no secrets here.
const DATA_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

type Objects = BTreeMap<String, Vec<u8>>;

/// All that is there. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    table: Dynamo,
    bucket: Arc<Mutex<Objects>>,
    defects: Arc<Mutex<Vec<String>>>,
}

/// What was there at a moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    items: BTreeMap<Id, Item>,
    objects: Objects,
}

impl InProcess {
    /// Over nothing but this process' memory: no stack is needed, and a call takes ten milliseconds.
    pub async fn in_memory(mode: Mode) -> (Self, Memory) {
        let (memory, settings) = (
            Memory::default(),
            settings(mode, "table".to_owned(), "bucket".to_owned(), example()),
        );
        let (admin, wire) = (settings.admin_token.clone(), Wire::inside(memory.clone()));
        let sdk = edge::sdk_config()
            .region("us-east-1")
            .test_credentials()
            .endpoint_url("http://memory.invalid")
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .http_client(wire.clone())
            .load()
            .await;
        let scale = Scale::new(aws_sdk_dynamodb::Client::new(&sdk), &settings.table);
        let app: &App = Box::leak(Box::new(App::new(settings, sdk)));
        let inside = Self {
            app,
            wire,
            scale,
            admin,
        };
        (inside, memory)
    }
}

impl Memory {
    /// What is there now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            items: self.table.table().items.clone(),
            objects: lock(&self.bucket).clone(),
        }
    }

    /// Makes it what it was.
    pub fn restore(&self, then: &Snapshot) {
        let mut table = self.table.table();
        table.items.clone_from(&then.items);
        table.written.clear();
        lock(&self.bucket).clone_from(&then.objects);
    }

    /// Puts an object into the bucket, past every call.
    pub fn put_object(&self, key: &str, bytes: Vec<u8>) {
        lock(&self.bucket).insert(key.to_owned(), bytes);
    }

    /// What made no sense since somebody asked.
    pub fn defects(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.defects))
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let call = describe(&request);
        let target = request.uri().to_owned();
        let body = ByteStream::new(request.into_body()).collect().await;
        let body = body.map_err(|error| ConnectorError::io(error.into()))?;
        let known = || match call.service.as_str() {
            "dynamodb" => self.dynamodb(&call),
            "s3" => self.s3(&call, &target, body.to_vec()),
            "kms" => kms(&call),
            // Taken, and nobody looks.
            "sqs" | "lambda" | "events" | "execute-api" => answer(200, "{}"),
            other => panic!("{other} is not in memory: {call:?}"),
        };
        Ok(
            catch_unwind(AssertUnwindSafe(known)).unwrap_or_else(|panic| {
                // A handler's edge would make a 500 of it.
                lock(&self.defects).push(format!("memory gave up at {call:?}"));
                resume_unwind(panic)
            }),
        )
    }

    fn dynamodb(&self, call: &AwsCall) -> HttpResponse {
        match self.table.call(&call.operation, &call.request, 0) {
            Ok(body) => answer(200, &body.to_string()),
            Err(refusal) => {
                if let Refusal::Validation(why) = &refusal {
                    lock(&self.defects).push(format!("{why}: {} {}", call.operation, call.request));
                }
                answer(400, &refusal.body().to_string())
            }
        }
    }

    fn s3(&self, call: &AwsCall, uri: &str, body: Vec<u8>) -> HttpResponse {
        let mut objects = lock(&self.bucket);
        let key = call.resource.clone();
        match call.operation.as_str() {
            "PutObject" => {
                objects.insert(key, body);
                answer(200, "")
            }
            "DeleteObject" => {
                objects.remove(&key);
                answer(204, "")
            }
            "ListBucket" => answer(200, &listed(&objects, uri)),
            _ => match objects.get(&key) {
                Some(bytes) => HttpResponse::new(status(200), SdkBody::from(bytes.clone())),
                None => answer(404, "<Error><Code>NoSuchKey</Code></Error>"),
            },
        }
    }
}

/// A page: as with S3, of a thousand keys unless fewer are asked for, and the next one begins behind the
/// last of them.
fn listed(objects: &Objects, uri: &str) -> String {
    let uri = reqwest::Url::parse(uri).expect("an address");
    let asked = |wanted: &str| {
        let found = uri.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    let prefix = asked("prefix").unwrap_or_default();
    let most = asked("max-keys").map_or(1000, |most| most.parse().expect("a number"));
    let behind = asked("continuation-token").unwrap_or_default();
    let mut there = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix) && **key > behind);
    let page: Vec<_> = there.by_ref().take(most).collect();
    let is_cut = there.next().is_some();
    let mut xml = format!("<ListBucketResult><IsTruncated>{is_cut}</IsTruncated>");
    // Keys here are ids and names of folders: nothing to escape.
    if let Some((last, _)) = page.last().filter(|_| is_cut) {
        let _ = write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>");
    }
    for (key, bytes) in page {
        let size = bytes.len();
        let entry = format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>");
        let _ = write!(xml, "{entry}");
    }
    xml + "</ListBucketResult>"
}

fn kms(call: &AwsCall) -> HttpResponse {
    let body = match call.operation.as_str() {
        "GenerateDataKey" => {
            json!({"KeyId": "key", "CiphertextBlob": DATA_KEY, "Plaintext": DATA_KEY})
        }
        "Decrypt" => json!({"KeyId": "key", "Plaintext": DATA_KEY}),
        other => panic!("{other} is not known to the key in memory"),
    };
    answer(200, &body.to_string())
}

fn answer(code: u16, body: &str) -> HttpResponse {
    let mut response = HttpResponse::new(status(code), SdkBody::from(body));
    let kind = "application/x-amz-json-1.0";
    response.headers_mut().insert("content-type", kind);
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::try_from(code).expect("a status")
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while it held this has failed its test already.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpClient for Memory {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Memory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().answer(request))
    }
}

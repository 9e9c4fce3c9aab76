//! The wire between the SDK and AWS: the SDK's own HTTP client, under a recorder that can break.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::Headers,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use serde_json::Value;

use super::{
    call::AwsCall,
    fault::{self, Fault, Rule},
    memory::Memory,
    scale::Scale,
    units::Weight,
};

/// What the weather throttles.
const OF_THE_TABLE: [&str; 6] = [
    "BatchGetItem",
    "DeleteItem",
    "PutItem",
    "Query",
    "TransactWriteItems",
    "UpdateItem",
];

/// A table that is busy now and then.
#[derive(Debug)]
struct Weather {
    dice: fastrand::Rng,
    chance: f64,
    throttled: usize,
}

/// Records every call, and breaks those it is told to. Clones share one record.
#[derive(Debug, Clone)]
pub struct Wire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: SharedHttpClient,
    calls: Mutex<Vec<AwsCall>>,
    rules: Mutex<Vec<Rule>>,
    weather: Mutex<Option<Weather>>,
    clock: AtomicU64,
    scale: Option<Scale>,
}

impl Wire {
    /// A wire to where the SDK's configuration points. With a scale, written items are weighed.
    pub(crate) fn new(scale: Option<Scale>) -> Self {
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_https();
        Self::to(client, scale)
    }

    /// A wire to this memory.
    pub(crate) fn inside(memory: Memory) -> Self {
        Self::to(SharedHttpClient::new(memory), None)
    }

    fn to(client: SharedHttpClient, scale: Option<Scale>) -> Self {
        Self(Arc::new(Inner {
            client,
            calls: Mutex::default(),
            rules: Mutex::default(),
            weather: Mutex::default(),
            clock: AtomicU64::new(0),
            scale,
        }))
    }

    /// The calls so far, in the order of their beginnings; the record is empty afterwards. Notes of a
    /// token's use are left out: there is one in a minute, whatever the operation.
    pub fn take(&self) -> Vec<AwsCall> {
        let mut calls = self.take_all();
        calls.retain(|call| !call.notes_use());
        calls
    }

    /// The same, with these notes.
    pub fn take_all(&self) -> Vec<AwsCall> {
        let mut calls = std::mem::take(&mut *self.0.calls.lock().expect("lock"));
        calls.sort_by_key(|call| call.began);
        calls
    }

    /// Breaks the next `times` calls of an operation (`TransactWriteItems`; empty: of any).
    pub fn fail(&self, operation: &str, times: usize, fault: Fault) {
        self.0.rules.lock().expect("lock").push(Rule {
            operation: (!operation.is_empty()).then(|| operation.to_owned()),
            left: times,
            fault,
        });
    }

    /// From now on throttles each call of the table with this chance, as the dice of `seed` fall.
    pub fn throttle(&self, chance: f64, seed: u64) {
        *self.0.weather.lock().expect("lock") = Some(Weather {
            dice: fastrand::Rng::with_seed(seed),
            chance,
            throttled: 0,
        });
    }

    /// Breaks nothing any more; how many calls the weather has throttled.
    pub fn mend(&self) -> usize {
        self.0.rules.lock().expect("lock").clear();
        let weather = self.0.weather.lock().expect("lock").take();
        weather.map_or(0, |weather| weather.throttled)
    }

    fn tick(&self) -> u64 {
        self.0.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn fault(&self, operation: &str) -> Option<Fault> {
        if let Some(weather) = self.0.weather.lock().expect("lock").as_mut()
            && OF_THE_TABLE.contains(&operation)
            && weather.dice.f64() < weather.chance
        {
            weather.throttled += 1;
            return Some(Fault::throttled());
        }
        let mut rules = self.0.rules.lock().expect("lock");
        let fits = |rule: &Rule| {
            rule.operation
                .as_deref()
                .is_none_or(|name| name == operation)
        };
        let rule = rules.iter_mut().find(|rule| rule.left > 0 && fits(rule))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Recorder {
            wire: self.clone(),
            inner: self.0.client.http_connector(settings, components),
        })
    }
}

#[derive(Debug, Clone)]
struct Recorder {
    wire: Wire,
    inner: SharedHttpConnector,
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.record(request).await })
    }
}

impl Recorder {
    async fn record(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut call = describe(&request);
        call.began = self.wire.tick();
        let keys = call.keys();
        let before = self.weigh(&keys).await;
        let answer = self.send(&call.operation, request).await;
        let answer = match answer {
            Ok(response) => {
                let (response, bytes) = read(response).await?;
                call.status = response.status().as_u16();
                call.response = serde_json::from_slice(&bytes).unwrap_or_default();
                Ok(response)
            }
            Err(error) => Err(error),
        };
        call.ended = self.wire.tick();
        if let (Some(before), Some(after)) = (before, self.weigh(&keys).await) {
            let both = before.iter().zip(&after);
            call.written = both
                .map(|(before, after)| Weight::of(before.as_ref(), after.as_ref()))
                .collect();
        }
        self.wire.0.calls.lock().expect("lock").push(call);
        answer
    }

    async fn send(
        &self,
        operation: &str,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        match self.wire.fault(operation) {
            None => self.inner.call(request).await,
            Some(Fault::Answer(status, body)) => Ok(fault::answer(status, &body)),
            Some(Fault::Unreachable) => Err(fault::broken("nobody is there")),
            Some(Fault::Silent) => std::future::pending().await,
            Some(Fault::AnswerLost) => {
                self.inner.call(request).await?;
                Err(fault::broken("the answer was lost"))
            }
            Some(Fault::Meet(barrier)) => {
                barrier.wait().await;
                self.inner.call(request).await
            }
            Some(Fault::Hold(gate)) => {
                gate.wait().await;
                gate.wait().await;
                self.inner.call(request).await
            }
        }
    }

    async fn weigh(&self, keys: &[Value]) -> Option<Vec<Option<Value>>> {
        match &self.wire.0.scale {
            Some(scale) if !keys.is_empty() => Some(scale.items(keys).await),
            _ => None,
        }
    }
}

/// The whole body, so that it can be looked at and still be read.
async fn read(response: HttpResponse) -> Result<(HttpResponse, Vec<u8>), ConnectorError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = ByteStream::new(response.into_body()).collect().await;
    let bytes = body
        .map_err(|error| ConnectorError::io(error.into()))?
        .to_vec();
    let mut whole = HttpResponse::new(status, SdkBody::from(bytes.clone()));
    *whole.headers_mut() = headers;
    Ok((whole, bytes))
}

/// Service, operation and body of a request.
pub(super) fn describe(request: &HttpRequest) -> AwsCall {
    let path = request.uri().split('?').next().unwrap_or_default();
    let mut segments = path.splitn(4, '/').nth(3).unwrap_or_default().split('/');
    let service = service(request.headers()).to_owned();
    let (operation, resource) = match service.as_str() {
        "s3" => {
            // Path style: bucket, then key.
            let key = segments.skip(1).collect::<Vec<_>>().join("/");
            let verb = match request.method() {
                "PUT" | "POST" => "PutObject",
                "DELETE" => "DeleteObject",
                _ if key.is_empty() => "ListBucket",
                _ => "GetObject",
            };
            (verb, key)
        }
        "lambda" => (
            "InvokeFunction",
            segments.nth(2).unwrap_or_default().to_owned(),
        ),
        // Whatever is done to a connection.
        "execute-api" => ("ManageConnections", String::new()),
        _ => {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            (target.rsplit('.').next().unwrap_or_default(), String::new())
        }
    };
    let body = request.body().bytes().unwrap_or_default();
    AwsCall {
        operation: operation.to_owned(),
        service,
        resource,
        request: serde_json::from_slice(body).unwrap_or_default(),
        request_bytes: body.len(),
        response: Value::Null,
        status: 0,
        began: 0,
        ended: 0,
        written: Vec::new(),
    }
}

/// The service a request was signed for: `…/us-east-1/dynamodb/aws4_request`.
fn service(headers: &Headers) -> &str {
    let signed = headers.get("authorization").unwrap_or_default();
    let scope = signed.split("/aws4_request").next().unwrap_or_default();
    scope.rsplit('/').next().unwrap_or_default()
}

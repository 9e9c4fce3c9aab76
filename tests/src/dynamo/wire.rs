//! The wire between the SDK and the table, and the weather on it.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{
        BehaviorVersion, Region,
        endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
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
use aws_smithy_types::body::SdkBody;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{Dynamo, Refusal};

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// It is carried out and answered; reads that need not be consistent are behind by so many
    /// changes.
    Answered(usize),
    /// It is refused with this; nothing is done.
    Refused(Value),
    /// It never arrives.
    Lost,
    /// It is carried out, and its answer is lost.
    Unheard,
    /// It is carried out, and whoever made it does not live to hear.
    Last,
}

/// Decides about calls, each as it is about to be carried out.
pub trait Weather: Send + Sync {
    /// Waits until it is this call's turn.
    fn pass(&self, operation: &str, request: &Value) -> BoxFuture<'static, Call>;

    /// Hears of a request that makes no sense: a defect, whatever its sender makes of the answer.
    fn defect(&self, _why: String) {}
}

/// Nothing goes wrong, and nobody waits.
#[derive(Debug)]
pub struct Fair;

impl Weather for Fair {
    fn pass(&self, _: &str, _: &Value) -> BoxFuture<'static, Call> {
        Box::pin(std::future::ready(Call::Answered(0)))
    }
}

/// The wire of one client.
#[derive(Clone)]
pub struct Line {
    dynamo: Dynamo,
    weather: Arc<dyn Weather>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a wire to {:?}", self.dynamo)
    }
}

impl Line {
    /// To this table, in this weather.
    pub fn new(dynamo: Dynamo, weather: Arc<dyn Weather>) -> Self {
        Self { dynamo, weather }
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (service, operation) = target.rsplit_once('.').unwrap_or_default();
        assert_eq!(
            service, "DynamoDB_20120810",
            "only DynamoDB is there: {request:?}"
        );
        let body = request.body().bytes().expect("a body in memory");
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let broken = |what: &'static str| ConnectorError::io(what.into());
        let call = self.weather.pass(operation, &body).await;
        let late = match call {
            Call::Refused(error) => return Ok(answer(400, &error)),
            Call::Lost => return Err(broken("nobody is there")),
            Call::Answered(late) => late,
            Call::Unheard | Call::Last => 0,
        };
        let known = AssertUnwindSafe(|| self.dynamo.call(operation, &body, late));
        let done = catch_unwind(known).unwrap_or_else(|panic| {
            // A handler's edge would make a 500 of it.
            let text = panic.downcast_ref::<String>().cloned();
            self.weather
                .defect(text.unwrap_or_else(|| format!("the fake gave up: {body}")));
            resume_unwind(panic)
        });
        if let Err(Refusal::Validation(why)) = &done {
            self.weather.defect(format!("{why}: {operation} {body}"));
        }
        match call {
            Call::Unheard => return Err(broken("the answer was lost")),
            Call::Last => std::future::pending().await,
            _ => {}
        }
        Ok(match done {
            Ok(body) => answer(200, &body),
            Err(refusal) => answer(400, &refusal.body()),
        })
    }
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    let kind = "application/x-amz-json-1.0";
    response.headers_mut().insert("content-type", kind);
    response
}

impl HttpClient for Line {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

/// One address for all: DynamoDB's rules for addresses cost a third of a call.
#[derive(Debug)]
struct Nowhere;

impl ResolveEndpoint for Nowhere {
    fn resolve_endpoint(&self, _: &Params) -> EndpointFuture<'_> {
        let at = Endpoint::builder().url("http://dynamodb.invalid");
        EndpointFuture::ready(Ok(at.build()))
    }
}

/// A client over a wire, without signatures, retries and timeouts: those are most of what a call
/// costs, and whoever simulates has a clock of his own. The store's own retries stay.
pub fn unsigned(line: Line) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_resolver(Nowhere)
        .allow_no_auth()
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(
            aws_sdk_dynamodb::config::StalledStreamProtectionConfig::disabled(),
        )
        .http_client(line);
    Client::from_conf(config.build())
}

/// The refusals that say nothing about the request.
impl Call {
    /// DynamoDB wants fewer calls.
    pub fn throttled() -> Self {
        let kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
        Self::Refused(json!({"__type": kind, "message": "Rate of requests exceeds the allowed"}))
    }

    /// It met a transaction.
    pub fn conflict(operation: &str) -> Self {
        let kind = |name| format!("com.amazonaws.dynamodb.v20120810#{name}");
        Self::Refused(match operation {
            "TransactWriteItems" => json!({
                "__type": kind("TransactionCanceledException"),
                "Message": "Transaction cancelled",
                "CancellationReasons": [{"Code": "TransactionConflict"}],
            }),
            _ => json!({
                "__type": kind("TransactionConflictException"),
                "message": "there is an ongoing transaction for the item",
            }),
        })
    }
}

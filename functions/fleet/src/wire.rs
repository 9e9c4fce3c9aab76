//! The other end of an AWS client's wire, for tests: an HTTP client for the SDK that answers from a
//! function.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
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
use url::form_urlencoded;

/// A request: the decoded fields of its form.
pub(crate) type Form = BTreeMap<String, String>;

/// What comes back.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status and a body.
    Body(u16, String),
    /// Nothing.
    Lost,
}

type Answers = dyn Fn(&str, &Form) -> Answer + Send + Sync;

/// The wire. Clones share the record of what was sent.
#[derive(Clone)]
pub(crate) struct Wire {
    answers: Arc<Answers>,
    sent: Arc<Mutex<Vec<String>>>,
    uris: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    /// A wire with this at its other end: it gets the body as it came, and decoded.
    pub(crate) fn new(answers: impl Fn(&str, &Form) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answers: Arc::new(answers),
            sent: Arc::default(),
            uris: Arc::default(),
        }
    }

    /// The configuration of a client over this wire.
    pub(crate) fn sdk(&self, retries: RetryConfig) -> SdkConfig {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries)
            .http_client(self.clone())
            .build()
    }

    /// What was sent since the last look: for each request the fields of its form, decoded, in the
    /// order of the wire.
    pub(crate) fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().expect("lock"))
    }

    /// Where all requests since the last look went.
    pub(crate) fn uris(&self) -> Vec<String> {
        std::mem::take(&mut *self.uris.lock().expect("lock"))
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.uris
            .lock()
            .expect("lock")
            .push(request.uri().to_owned());
        let body = request.body().bytes().unwrap_or_default();
        let fields: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
        let lines: Vec<_> = fields
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        self.sent.lock().expect("lock").push(lines.join("\n"));
        let text = String::from_utf8_lossy(body);
        let answer = (self.answers)(&text, &fields.into_iter().collect());
        HttpConnectorFuture::ready(match answer {
            Answer::Body(status, body) => {
                let status = StatusCode::try_from(status).expect("a status");
                Ok(HttpResponse::new(status, SdkBody::from(body)))
            }
            Answer::Lost => Err(ConnectorError::io("the answer was lost".into())),
        })
    }
}

//! EC2's side of the wire: an HTTP client for the SDK that answers from a function, and the XML it
//! answers with.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
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

use crate::machines::{Machine, Settings, State, ec2::Ec2, tags};

/// A request: the decoded fields of its form.
pub(super) type Form = BTreeMap<String, String>;

/// What comes back.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// A status and a body.
    Body(u16, String),
    /// Nothing.
    Lost,
}

type Answers = dyn Fn(&str, &Form) -> Answer + Send + Sync;

/// The wire. Clones share the record of what was sent.
#[derive(Clone)]
pub(super) struct Wire {
    answers: Arc<Answers>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    /// A wire with this at its other end: it gets the body as it came, and decoded.
    pub(super) fn new(answers: impl Fn(&str, &Form) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answers: Arc::new(answers),
            sent: Arc::default(),
        }
    }

    /// EC2 over this wire.
    pub(super) fn ec2(&self, settings: Settings, retries: RetryConfig) -> Ec2 {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries)
            .http_client(self.clone())
            .build();
        Ec2::new(settings, &sdk)
    }

    /// What was sent since the last look: for each request the fields of its form, decoded, in the
    /// order of the wire.
    pub(super) fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().expect("lock"))
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

/// A response of this action.
pub(super) fn response(action: &str, inner: &str) -> Answer {
    let space = "http://ec2.amazonaws.com/doc/2016-11-15/";
    let body = format!(
        r#"<{action}Response xmlns="{space}"><requestId>r-1</requestId>{inner}</{action}Response>"#
    );
    Answer::Body(200, body)
}

/// A refusal.
pub(super) fn refusal(status: u16, code: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    let body = format!("<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>");
    Answer::Body(status, body)
}

/// A page of machines with this token for the next.
pub(super) fn page(instances: &[String], next: Option<&str>) -> Answer {
    let mut inner = "<reservationSet>".to_owned();
    for instance in instances {
        let set = format!("<instancesSet><item>{instance}</item></instancesSet>");
        write!(inner, "<item>{set}</item>").expect("a string takes all");
    }
    inner.push_str("</reservationSet>");
    if let Some(next) = next {
        write!(inner, "<nextToken>{next}</nextToken>").expect("a string takes all");
    }
    response("DescribeInstances", &inner)
}

/// A machine.
pub(super) fn instance(machine: &Machine, stack: &str) -> String {
    let mut tags = vec![
        (tags::MANAGED, "true".to_owned()),
        (tags::STAGE, stack.to_owned()),
    ];
    if let Some(owner) = machine.owner {
        tags.push((tags::WORKSPACE, owner.workspace_id.to_string()));
        tags.push((tags::GENERATION, owner.generation.to_string()));
    }
    let tags: String = tags
        .iter()
        .map(|(key, value)| format!("<item><key>{key}</key><value>{value}</value></item>"))
        .collect();
    let launched = machine
        .launched_at
        .map_or_else(String::new, |at| format!("<launchTime>{at}</launchTime>"));
    let Machine {
        id,
        client_token,
        instance_type,
        private_ip,
        ..
    } = machine;
    let ip = private_ip.as_deref().unwrap_or_default();
    format!(
        "<instanceId>{id}</instanceId><instanceState>{}</instanceState>\
         <clientToken>{client_token}</clientToken><instanceType>{instance_type}</instanceType>\
         {launched}<privateIpAddress>{ip}</privateIpAddress><tagSet>{tags}</tagSet>",
        state(machine.state)
    )
}

/// A state.
pub(super) fn state(state: State) -> String {
    let (code, name) = match state {
        State::Pending => (0, "pending"),
        State::Running => (16, "running"),
        State::ShuttingDown => (32, "shutting-down"),
        State::Terminated => (48, "terminated"),
        State::Stopping => (64, "stopping"),
        State::Stopped => (80, "stopped"),
        State::Other => (96, "evaporating"),
    };
    format!("<code>{code}</code><name>{name}</name>")
}

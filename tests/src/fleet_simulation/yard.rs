//! The functions as they are deployed, over the fakes.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{BehaviorVersion, SdkConfig};
use domain::Mode;
use edge::{App, Caller, Fleet, Input, Reply, Settings, http::answer, metrics::Metrics};
use fleet::{
    Crew,
    exchange::{self, Exchange, signed::Signed, sts::Identifies},
    jobs::Queue,
    provision::Provisioner,
    sweeps::{orphans::Orphans, overdue::Overdue, silent::Silent, silent::silence::Limits},
};
use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt as _};
use registry::nudge::Registry;
use serde_json::{Value, json};
use store::{Store, ledger::PendingJob, secrets::Vault};
use workspaces::bootstrap_failed::Reporting;

use super::machines::Staged;
use crate::dynamo::{Line, unsigned};

/// The admin's token.
pub(super) const ADMIN: &str = "break-glass-of-the-simulation";
/// What machines run.
pub(super) const RUNTIME: &str = "example";
const SIGNS: &str = "content-type;host;x-amz-date;x-amz-security-token;x-molecule-stack";

/// The functions.
pub(super) struct Yard {
    pub(super) app: &'static App,
    pub(super) works: Provisioner<Staged>,
    pub(super) door: Exchange<Staged, Sessions>,
    pub(super) registry: &'static Registry,
    reporting: &'static Reporting,
    pub(super) silent: &'static Silent,
    pub(super) overdue: &'static Overdue,
    pub(super) orphans: &'static Orphans<Staged>,
    /// What has reached the queues.
    pub(super) sent: Arc<Mutex<Vec<PendingJob>>>,
}

/// Knows whose signature it is by the token.
#[derive(Debug)]
pub(super) struct Sessions;

impl Identifies for Sessions {
    async fn identify(&self, signed: &Signed) -> domain::Result<Option<String>> {
        let session = &signed.token;
        Ok(Some(format!(
            "arn:aws:sts::000000000000:assumed-role/machine/{session}"
        )))
    }
}

/// The functions that clients and agents call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Pause,
    Resume,
    Restart,
    Hibernate,
    Delete,
    Update,
    BootstrapFailed,
    Register,
    Beat,
    Exchange,
}

/// A call of one of them.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) route: Route,
    pub(super) id: String,
    pub(super) query: &'static str,
    pub(super) bearer: String,
    pub(super) body: Value,
    pub(super) now: Timestamp,
}

impl Yard {
    /// Leaked on purpose: handlers borrow it for as long as they like, and it is small.
    pub(super) fn new(machines: &Staged, line: Line) -> &'static Self {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .build();
        let s3 = aws_sdk_s3::Client::new(&sdk);
        let settings = Settings {
            mode: Mode::DevClosed,
            admin_token: ADMIN.to_owned(),
            cors_origins: Vec::new(),
            public_url: "https://api.example.com".to_owned(),
            table: "table".to_owned(),
            bucket: "bucket".to_owned(),
            fleet: Fleet {
                images: [(RUNTIME.to_owned(), "example:1".to_owned())].into(),
                boot_within: None,
            },
            max_workspaces: 0,
            rate_limit: u32::MAX,
            stack: String::new(),
            org_id: String::new(),
        };
        let store = Store::new(unsigned(line), s3, "table", "bucket");
        let app: &App = Box::leak(Box::new(App::over(settings, store, sdk)));
        let crew = || Crew {
            app,
            machines: machines.clone(),
        };
        let vault = || {
            let kms = aws_sdk_kms::Client::new(&app.sdk);
            Vault::new(app.store.clone(), kms, "key")
        };
        let works = Provisioner {
            crew: crew(),
            queue: Queue::at(app, "queue".to_owned()),
            vault: vault(),
            platform_url: "https://api.example.com".parse().expect("plain"),
            metrics: Metrics::of(""),
        };
        let door = Exchange {
            crew: crew(),
            vault: vault(),
            sts: Sessions,
            region: "eu-central-1".to_owned(),
            stack: "prod".to_owned(),
            role: "arn:aws:iam::000000000000:role/machine".parse().ok(),
        };
        Box::leak(Box::new(Self {
            app,
            works,
            door,
            registry: Registry::with_queue(app, "queue".to_owned()),
            reporting: Reporting::over(app, ""),
            silent: Silent::over(app, Limits::default(), ""),
            overdue: Overdue::over(app, ""),
            orphans: Orphans::over(app, machines.clone(), ""),
            sent: Arc::default(),
        }))
    }

    /// Puts a job on its queue.
    pub(super) fn send(&self, job: PendingJob) {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(job);
    }

    /// Calls a function as the gateway does; answers with status and body.
    pub(super) async fn ask(&'static self, ask: Ask) -> (u16, Value) {
        let request = request(&ask);
        let (app, now) = (self.app, ask.now);
        let response = match ask.route {
            Route::Pause => answer(app, request, at(now, workspaces::pause::handle)).await,
            Route::Resume => answer(app, request, at(now, workspaces::resume::handle)).await,
            Route::Restart => answer(app, request, at(now, workspaces::restart::handle)).await,
            Route::Hibernate => answer(app, request, at(now, workspaces::hibernate::handle)).await,
            Route::Delete => answer(app, request, at(now, workspaces::delete::handle)).await,
            Route::Update => answer(app, request, at(now, workspaces::update::handle)).await,
            Route::BootstrapFailed => {
                let handle = workspaces::bootstrap_failed::handle;
                answer(self.reporting, request, at(now, handle)).await
            }
            Route::Register => answer(app, request, at(now, registry::register::handle)).await,
            Route::Beat => {
                let handle = registry::heartbeat::handle;
                answer(self.registry, request, at(now, handle)).await
            }
            Route::Exchange => answer(&self.door, request, at(now, exchange::handle)).await,
        };
        let status = response.status().as_u16();
        let body = match response.into_body() {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            _ => Vec::new(),
        };
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

/// A handler as if it were this moment.
fn at<C, F, Fut>(now: Timestamp, handle: F) -> impl Fn(&'static C, Caller, Input) -> Fut
where
    C: 'static,
    F: Fn(&'static C, Caller, Input) -> Fut,
    Fut: Future<Output = domain::Result<Reply>>,
{
    move |context, caller, mut input| {
        (input.now, input.received_at) = (now, now);
        handle(context, caller, input)
    }
}

fn request(ask: &Ask) -> Request {
    let mut request = Request::new(Body::Text(ask.body.to_string()));
    if !ask.bearer.is_empty() {
        let bearer = format!("Bearer {}", ask.bearer).parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
    }
    let one = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
    let pairs = ask.query.split('&').filter_map(|pair| pair.split_once('='));
    let query: std::collections::HashMap<_, _> = pairs.map(|(k, v)| one(k, v)).collect();
    let params = std::collections::HashMap::from([one("id", &ask.id)]);
    request
        .with_path_parameters(params)
        .with_query_string_parameters(query)
}

/// What a machine hands in to prove itself.
pub(super) fn proof(machine: &str, now: Timestamp) -> Value {
    let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &date[..8];
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/{day}/eu-central-1/sts/aws4_request, \
         SignedHeaders={SIGNS}, Signature={}",
        "0a".repeat(32)
    );
    json!({"headers": {
        "Authorization": authorization, "X-Amz-Date": date,
        "X-Amz-Security-Token": machine, "X-Molecule-Stack": "prod",
    }})
}

//! The functions in this process, over the emulator and a table of their own.
//!
//! What they call is recorded, weighed, and can be made to fail; and any mode can be had, whatever
//! mode the deployed stack is in.

mod call;
mod fault;
mod memory;
mod request;
mod route;
mod scale;
mod table;
mod units;
mod wire;

use std::env;

pub use call::{AwsCall, jobs, round_trips};
use domain::Mode;
use edge::{
    App, Fleet, Settings,
    addresses::{Lookup, Names},
};
pub use fault::{ALWAYS, Fault, gate};
pub use memory::{Memory, Snapshot};
pub use request::InCall;
use reqwest::Method;
pub use route::{IN_PROCESS, call as call_function, vault};
pub use scale::Scale;
use serde_json::{Value, json};
use store::org_tokens::OrgToken;
pub use units::{Weight, item_bytes};
pub use wire::Wire;

use crate::Workspace;

/// The functions in this process.
#[derive(Debug, Clone)]
pub struct InProcess {
    /// What the handlers get.
    pub app: &'static App,
    /// The record of what they call, and the means to break it.
    pub wire: Wire,
    /// Looks at items, unrecorded.
    pub scale: Scale,
    /// The admin token; empty with open doors.
    pub admin: String,
}

impl InProcess {
    /// In this mode, over the emulator that `make test` started, with the retries of production.
    ///
    /// # Panics
    /// There is no emulator: these tests are run by `make test`, not by `cargo test` alone.
    pub async fn new(mode: Mode) -> Self {
        Self::start(mode, false, None, None, example()).await
    }

    /// With a table that no other test writes to, for what concerns all workspaces; every written
    /// item is weighed.
    pub async fn alone(mode: Mode) -> Self {
        let name = uuid::Uuid::new_v4().simple().to_string();
        Self::start(mode, true, None, Some(name), example()).await
    }

    /// With a table that no other test writes to, and nothing weighed.
    pub async fn apart(mode: Mode) -> Self {
        let name = uuid::Uuid::new_v4().simple().to_string();
        Self::start(mode, false, None, Some(name), example()).await
    }

    /// With a table that no other test writes to, and so many workspaces at most.
    pub async fn limited(mode: Mode, most: usize) -> Self {
        let inside = Self::apart(mode).await;
        inside.set(|settings| settings.max_workspaces = most)
    }

    /// The same with other settings.
    #[must_use]
    pub fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.app.settings.clone();
        change(&mut settings);
        self.app = Box::leak(Box::new(App::new(settings, self.app.sdk.clone())));
        self
    }

    /// A new organisation token, minted past the route and its limit.
    pub async fn org_token(&self) -> String {
        let token = store::tokens::fresh().expect("randomness");
        let now = jiff::Timestamp::now();
        let row = OrgToken::new(&token, None, "admin-token".to_owned(), None, now);
        let minted = self.app.store.mint_org_token(&row).await;
        minted.expect("minted");
        token.reveal().to_owned()
    }

    /// With every written item weighed: each write is three calls more, unrecorded.
    pub async fn weighing(mode: Mode) -> Self {
        Self::start(mode, true, None, None, example()).await
    }

    /// Where every call is tried once. All clients of a process share the SDK's quota of retries;
    /// a test in which everything fails would use up what others need.
    pub async fn without_retries(mode: Mode) -> Self {
        let once = aws_config::retry::RetryConfig::disabled();
        Self::start(mode, false, Some(once), None, example()).await
    }

    /// Of a deployment that has no machines; the one that `make test` starts has some.
    pub async fn without_machines(mode: Mode) -> Self {
        Self::start(mode, false, None, None, Fleet::default()).await
    }

    /// With a table that no other test writes to, and these images of runtimes.
    pub async fn with_images(mode: Mode, images: &[(&str, String)]) -> Self {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let images = images
            .iter()
            .map(|(runtime, image)| ((*runtime).to_owned(), image.clone()));
        let fleet = Fleet {
            images: images.collect(),
            boot_within: None,
        };
        Self::start(mode, false, None, Some(name), fleet).await
    }

    /// With a table that no other test writes to, and this name server.
    pub async fn with_names(mode: Mode, names: impl Lookup + 'static) -> Self {
        Self::apart(mode).await.knowing(names)
    }

    /// The same with this name server.
    #[must_use]
    pub fn knowing(&self, names: impl Lookup + 'static) -> Self {
        let (settings, sdk) = (self.app.settings.clone(), self.app.sdk.clone());
        let app = App {
            names: Names::by(names),
            ..App::new(settings, sdk)
        };
        Self {
            app: Box::leak(Box::new(app)),
            ..self.clone()
        }
    }

    async fn start(
        mode: Mode,
        weighs: bool,
        retries: Option<aws_config::retry::RetryConfig>,
        own_table: Option<String>,
        fleet: Fleet,
    ) -> Self {
        let table = match &own_table {
            Some(name) => format!("in-process-{name}"),
            None => format!("{}-in-process", var("TABLE_NAME")),
        };
        let settings = settings(mode, table, var("BUCKET_NAME"), fleet);
        let admin = settings.admin_token.clone();
        let plain = edge::sdk_config().load().await;
        let client = aws_sdk_dynamodb::Client::new(&plain);
        match own_table {
            Some(_) => table::make_new(&client, &settings.table).await,
            None => table::make(&client, &settings.table).await,
        }
        let scale = Scale::new(client, &settings.table);
        let wire = Wire::new(weighs.then(|| scale.clone()));
        let mut sdk = plain.into_builder().http_client(wire.clone());
        if let Some(retries) = retries {
            sdk = sdk.retry_config(retries);
        }
        let app: &App = Box::leak(Box::new(App::new(settings, sdk.build())));
        Self {
            app,
            wire,
            scale,
            admin,
        }
    }

    /// A call without a credential.
    pub fn call(&self, method: Method, path: &str) -> InCall {
        InCall::new(self.clone(), method, path)
    }

    /// `GET` without a credential.
    pub fn get(&self, path: &str) -> InCall {
        self.call(Method::GET, path)
    }

    /// `POST` without a credential.
    pub fn post(&self, path: &str) -> InCall {
        self.call(Method::POST, path)
    }

    /// A new external workspace that waits for its agent.
    pub async fn workspace(&self, name: &str) -> Workspace {
        self.create(json!({"name": name, "external": true})).await
    }

    /// A new external workspace below `parent`.
    pub async fn child(&self, name: &str, parent: &Workspace) -> Workspace {
        self.create(json!({"name": name, "external": true, "parent_id": parent.id}))
            .await
    }

    async fn create(&self, body: Value) -> Workspace {
        let call = self.post("/workspaces").bearer(&self.admin).json(&body);
        let made = call.await.expect(201);
        let token = made.json["connection"]["auth_token"].as_str();
        Workspace {
            id: made.text("id"),
            token: token.expect("a token").to_owned(),
        }
    }

    /// Makes heartbeats believe that messages wait, or not.
    pub async fn hint(&self, workspace: &Workspace, waiting: bool) {
        let id = workspace.id.parse().expect("an id");
        self.app.store.hint(id, waiting).await.expect("written");
    }

    /// A registration of an agent at this address; nothing is connected to.
    pub fn register(&self, workspace: &Workspace, url: &str) -> InCall {
        self.post("/registry/register")
            .bearer(&workspace.token)
            .json(&json!({"id": workspace.id, "url": url, "agent_card": {"name": "test"}}))
    }

    /// A new workspace whose agent has registered.
    pub async fn online(&self, name: &str) -> Workspace {
        let workspace = self.workspace(name).await;
        self.register(&workspace, PUBLIC).await.expect(200);
        workspace
    }

    /// A heartbeat of a workspace: `extra` is merged into an empty one.
    pub fn beat(&self, workspace: &Workspace, extra: Value) -> InCall {
        let mut body = json!({"workspace_id": workspace.id});
        if let (Some(body), Value::Object(extra)) = (body.as_object_mut(), extra) {
            body.extend(extra);
        }
        self.post("/registry/heartbeat")
            .bearer(&workspace.token)
            .json(&body)
    }
}

/// An agent's address that every mode allows. Nobody calls it.
pub const PUBLIC: &str = "https://8.8.8.8/agent";

fn settings(mode: Mode, table: String, bucket: String, fleet: Fleet) -> Settings {
    Settings {
        mode,
        admin_token: match mode {
            Mode::Dev => String::new(),
            Mode::DevClosed | Mode::Strict => "break-glass-of-the-tests".to_owned(),
        },
        cors_origins: vec!["http://localhost:3000".to_owned()],
        public_url: String::new(),
        table,
        bucket,
        fleet,
        max_workspaces: 0,
        rate_limit: u32::MAX,
        stack: String::new(),
        org_id: String::new(),
    }
}

fn var(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: end-to-end tests are run by `make test`"))
}

/// Shows figures, which the test runner would keep to itself when a test passes.
pub fn show(text: &str) {
    use std::io::Write as _;
    // Nothing depends on it: a closed output is no failure.
    let _ = writeln!(std::io::stdout(), "\n{text}");
}

/// Machines for the runtime `example`, as the deployed stack has them.
fn example() -> Fleet {
    Fleet {
        images: [("example".to_owned(), "example:1".to_owned())].into(),
        boot_within: None,
    }
}

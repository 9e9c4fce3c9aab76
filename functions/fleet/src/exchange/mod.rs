//! `POST /bootstrap/exchange`: a machine proves which one it is and gets its environment and its
//! token (contract: lifecycle-and-sweepers 9.3, 10.2; decision 3). `docs/bootstrap.md` has the wire
//! format.
//!
//! What does not prove is refused with one sentence, whatever was wrong: the log has the reason.

pub mod role;
pub mod signed;
pub mod sts;

use std::time::Duration;

use domain::{Error, Kind, Result, WorkspaceId, secret::Scope};
use edge::{
    App, Caller, Input, Missing, Reply,
    openapi::{Api, Who},
    required, settings,
};
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use store::{
    keys,
    lifecycle::Claim,
    secrets::{Environment, Vault},
    tokens,
    workspaces::Parts,
};
use tokio::time::timeout;

use self::{
    role::MachineRole,
    signed::{Expected, Handed},
    sts::{Identifies, Sts},
};
use crate::{
    Crew,
    environment::{Variables, environment},
    machines::{Backend, Machine, Machines, Owner},
};

/// The most that a request may be, in bytes: session tokens have one or two thousand.
const MAX_BYTES: usize = 16 * 1024;
/// How long EC2 may take: with STS, KMS and the table it must fit into the API's 30 s.
const PATIENCE: Duration = Duration::from_secs(10);

/// The context of the exchange.
#[derive(Debug)]
pub struct Exchange<M = Backend, S = Sts> {
    /// The machines.
    pub crew: Crew<M>,
    /// The secrets.
    pub vault: Vault,
    /// Tells who signed.
    pub sts: S,
    /// Our region.
    pub region: String,
    /// The stack's name.
    pub stack: String,
    /// The role of our machines; without one nobody can prove to be one.
    pub role: Option<MachineRole>,
}

impl<M, S> AsRef<App> for Exchange<M, S> {
    fn as_ref(&self) -> &App {
        self.crew.app
    }
}

impl Exchange {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing or wrong.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let kms = aws_sdk_kms::Client::new(&app.sdk);
        let vault = Vault::new(app.store.clone(), kms, required("SECRETS_KEY_ARN")?);
        let region = required("AWS_REGION")?;
        let arn = settings::var("MACHINE_ROLE_ARN");
        let role = match arn.as_str() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|_| Missing::Nonsense("MACHINE_ROLE_ARN", text.to_owned()))?,
            ),
        };
        Ok(Box::leak(Box::new(Self {
            crew: Crew::new(app),
            vault,
            sts: Sts::start(&region, app.settings.mode.is_development())?,
            region,
            stack: required("STACK_NAME")?,
            role,
        })))
    }
}

/// What a machine gets.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BootstrapReply")]
struct Given<'a> {
    workspace_id: WorkspaceId,
    generation: u32,
    token: &'a str,
    platform_url: &'a str,
    runtime: &'a str,
    /// None: the boot script knows one.
    image: Option<&'a str>,
    /// Whether the session that an earlier agent left on the disk is to go.
    reset_session: bool,
    env: Variables,
}

/// Gives a machine what it needs to be an agent; older tokens of the workspace die.
///
/// # Errors
/// 401 for whatever does not prove; 409 when a secret does not decrypt; 413; 503 when STS, EC2, KMS
/// or the datastore did not answer.
pub async fn handle<M: Machines, S: Identifies>(
    on: &'static Exchange<M, S>,
    _: Caller,
    input: Input,
) -> Result<Reply> {
    input.limit(MAX_BYTES)?;
    let machine = on.proven(&input).await?;
    match machine.owner {
        Some(owner) if machine.state.is_up() => on.give(owner, &machine, &input).await,
        Some(_) | None => Err(refused("not a machine of this stack that is up")),
    }
}

/// One answer for whatever does not prove, so that nobody learns what would have.
fn refused(why: &str) -> Error {
    tracing::info!("bootstrap refused: {why}");
    Error::unauthenticated("bootstrap refused")
}

impl<M: Machines, S: Identifies> Exchange<M, S> {
    /// The machine that signed: what needs no call is judged first.
    async fn proven(&self, input: &Input) -> Result<Machine> {
        let role = self.role.as_ref();
        let role = role.ok_or_else(|| refused("there is no role of machines"))?;
        let expected = Expected {
            region: &self.region,
            stack: &self.stack,
            now: input.now,
        };
        let handed: Handed = input
            .json(MAX_BYTES, "")
            .map_err(|_| refused("not of the form"))?;
        let signed = handed.judge(expected).map_err(refused)?;
        let arn = self.sts.identify(&signed).await.map_err(busy)?;
        let arn = arn.ok_or_else(|| refused("the signature is not right"))?;
        let id = role
            .machine(&arn)
            .ok_or_else(|| refused("not a session of a machine"))?;
        let look = self.crew.machines.describe(std::slice::from_ref(&id));
        let listing = timeout(PATIENCE, look).await;
        let listing = listing.map_err(|late| busy(Error::unavailable(late)))?;
        let listing = listing.map_err(|trouble| busy(Error::unavailable(trouble)))?;
        let machine = listing.machine(&id).cloned();
        machine.ok_or_else(|| refused("EC2 shows no such machine"))
    }

    /// Environment and token, if the machine is the one that its workspace waits for.
    async fn give(&self, owner: Owner, machine: &Machine, input: &Input) -> Result<Reply> {
        let app = self.crew.app;
        let (id, generation) = (owner.workspace_id, owner.generation);
        let private_ip = machine.private_ip.as_deref();
        let mut claim = Claim {
            workspace_id: id,
            generation,
            instance_id: machine.id.as_str(),
            private_ip: private_ip.and_then(|address| address.parse().ok()),
            image: None,
        };
        let rings = [Scope::Global, Scope::Workspace(id)].map(keys::keyring);
        let wanted = Parts::WithMachine.keys(id).into_iter().chain(rings);
        let wanted = wanted.chain([keys::images()]);
        let mut rows = app.store.rows(wanted).await.map_err(busy)?;
        let workspace = rows.workspace(id)?;
        let workspace = workspace.ok_or_else(|| refused("no such workspace"))?;
        let status = workspace.status();
        let record = workspace.machine.filter(|it| claim.holds(status, it));
        let Some(record) = record else {
            return Err(refused("not the machine that its workspace waits for"));
        };
        let found = self.vault.environment_in(id, &rows, input.now).await;
        let secrets = match found.map_err(busy)? {
            Environment::Whole(secrets) => secrets,
            Environment::Broken(why) => {
                tracing::error!(workspace_id = %id, reason = %why, "a machine gets no environment");
                return Err(Error::conflict("workspace environment is not readable"));
            }
        };
        let images = rows.images()?;
        let configured = app.settings.fleet.images.get(&workspace.meta.runtime);
        let image = configured.map(|it| images.image(&workspace.meta.runtime, it));
        claim.image = image;
        let platform_url = input.base_url(&app.settings.public_url);
        let env = environment(&workspace.meta, &secrets, &platform_url);
        let token = tokens::fresh()?;
        let given = Given {
            workspace_id: id,
            generation,
            token: token.reveal(),
            platform_url: &platform_url,
            runtime: &workspace.meta.runtime,
            image,
            reset_session: record.reset_session,
            env,
        };
        let json = serde_json::to_vec(&given).map_err(Error::internal)?;
        if Reply::measure(&json) > Reply::MAX_BODY {
            let sentence = "the environment is too large for one answer";
            return Err(Error::new(Kind::TooLarge, sentence).with("max_bytes", Reply::MAX_BODY));
        }
        // Last: a token that was not answered is one that the next try revokes.
        if !app
            .store
            .exchange(&claim, &token, &rows, input.now)
            .await
            .map_err(busy)?
        {
            return Err(refused("its workspace changed meanwhile"));
        }
        tracing::info!(workspace_id = %id, instance_id = %machine.id, generation, "a machine is up");
        Ok(Reply::bytes(StatusCode::OK, json).header("cache-control", "no-store"))
    }
}

/// Machines try again, and not all at once.
fn busy(error: Error) -> Error {
    error.retry_after(5)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /bootstrap/exchange";
    api.route(
        "bootstrap_exchange",
        path,
        Who::Machine,
        "Gives a machine its environment and token",
    )
    .about("`docs/bootstrap.md` has the format. Whatever does not prove is refused alike.")
    .body::<Handed>(MAX_BYTES)
    .ok::<Given<'_>>("Everything it needs; older tokens of the workspace die.")
    .fails(&[Kind::Conflict]);
}

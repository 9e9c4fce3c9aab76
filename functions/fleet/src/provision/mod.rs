//! `provision`: the machine of a workspace, brought up (contract: lifecycle-and-sweepers 10.2).
//!
//! A job is a wish of one generation. Whatever it does is recorded on the condition that this is
//! still the generation; if it is not, what was started is taken down again.

mod launch;
mod reuse;

use std::collections::BTreeMap;

use domain::{
    Error, Result, WorkspaceId,
    job::Job,
    lifecycle::{Act, BootFailure, Wanted},
    secret::{Scope, SecretName, SecretValue},
    workspace::Status,
};
use edge::{
    App, Missing,
    metrics::{Metric, Metrics},
    required, settings,
};
use jiff::Timestamp;
use store::{
    keys,
    lifecycle::{Acted, Ask, Machine as Record},
    secrets::{Environment, Vault},
    workspaces::{Meta, Parts},
};

use crate::{
    Crew,
    environment::{environment, missing},
    jobs::{Batch, Progress, Queue, Said},
    machines::{Backend, Machines, PlatformUrl},
};

/// The context of `provision`.
#[derive(Debug)]
pub struct Provisioner<M = Backend> {
    /// The machines.
    pub crew: Crew<M>,
    /// Where its jobs come from.
    pub queue: Queue,
    /// The secrets.
    pub vault: Vault,
    /// Where machines find the platform.
    pub platform_url: PlatformUrl,
    /// Where boots that fail are counted.
    pub metrics: Metrics,
}

impl Provisioner {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing or wrong.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        let kms = aws_sdk_kms::Client::new(&app.sdk);
        let key = required("SECRETS_KEY_ARN")?;
        Ok(Box::leak(Box::new(Self {
            crew: Crew::new(app),
            queue: Queue::provisions(app)?,
            vault: Vault::new(app.store.clone(), kms, key),
            platform_url: settings::parsed("PLATFORM_URL")?,
            metrics: Metrics::of(required("STACK_NAME")?),
        })))
    }
}

/// Works on jobs of the queue.
///
/// # Errors
/// Never: a job that fails comes back.
pub async fn handle<M: Machines>(on: &'static Provisioner<M>, batch: Batch) -> Result<Said> {
    let work = |job| async move {
        match job {
            Job::ProvisionV1 {
                workspace_id,
                generation,
            } => {
                on.provision(workspace_id, generation, Timestamp::now())
                    .await
            }
            other => Err(Error::internal(format!(
                "a job of another queue: {other:?}"
            ))),
        }
    };
    Ok(on.queue.each(batch, work).await)
}

/// A wish that is to be fulfilled, as it was read.
struct Wish {
    meta: Meta,
    record: Record,
    now: Timestamp,
}

impl Wish {
    fn id(&self) -> WorkspaceId {
        self.meta.id
    }

    fn generation(&self) -> u32 {
        self.record.generation
    }
}

impl<M: Machines> Provisioner<M> {
    /// Brings the machine of a workspace up, if this generation still wants it and it was not done;
    /// done as often as it is asked.
    ///
    /// # Errors
    /// EC2, KMS or the datastore did not answer.
    pub async fn provision(
        &self,
        id: WorkspaceId,
        generation: u32,
        now: Timestamp,
    ) -> Result<Progress> {
        let rings = [Scope::Global, Scope::Workspace(id)].map(keys::keyring);
        let wanted = Parts::WithMachine.keys(id).into_iter().chain(rings);
        let rows = self.crew.app.store.rows(wanted).await?;
        let Some(workspace) = rows.workspace(id)? else {
            return Ok(Progress::Done);
        };
        let waits = workspace.status() == Status::Provisioning;
        let Some(record) = workspace.machine.filter(|record| {
            waits && record.ours && record.wanted == Wanted::Running && record.is_due(generation)
        }) else {
            return Ok(Progress::Done);
        };
        let wish = Wish {
            meta: workspace.meta,
            record,
            now,
        };
        // Nothing is started for an agent that would not get what it needs.
        match self.vault.environment_in(id, &rows, now).await? {
            Environment::Broken(why) => {
                tracing::error!(workspace_id = %id, reason = %why, "no machine: a secret is unreadable");
                return self.fail(&wish, BootFailure::Canned(why.sentence())).await;
            }
            Environment::Whole(secrets) => {
                let missing = self.missing(&wish.meta, &secrets).await?;
                if !missing.is_empty() {
                    return self.fail(&wish, BootFailure::MissingEnv(missing)).await;
                }
            }
        }
        match self.reuse(&wish).await? {
            Some(progress) => Ok(progress),
            None => self.launch(&wish).await,
        }
    }

    /// The variables that its template requires and nobody has set.
    async fn missing(
        &self,
        meta: &Meta,
        secrets: &BTreeMap<SecretName, SecretValue>,
    ) -> Result<Vec<String>> {
        let Some(template) = &meta.template else {
            return Ok(Vec::new());
        };
        let required = self.crew.app.store.required_env(template).await?;
        let all = environment(meta, secrets, &self.platform_url.to_string());
        Ok(missing(required, &all))
    }

    /// Says that it will not boot; whoever wished otherwise meanwhile is not overruled.
    async fn fail(&self, wish: &Wish, why: BootFailure) -> Result<Progress> {
        let act = Act::Fail(why);
        let ask = Ask::new(&act, self.boot_within(wish), wish.now).of_generation(wish.generation());
        let acted = self.crew.app.store.act(wish.id(), &ask).await?;
        if matches!(acted, Acted::Done { .. }) {
            self.metrics.write(&[(Metric::BootsFailed, 1)], wish.now);
        }
        Ok(Progress::Done)
    }

    fn boot_within(&self, wish: &Wish) -> jiff::SignedDuration {
        self.crew.app.settings.fleet.boot_within(&wish.meta.runtime)
    }
}

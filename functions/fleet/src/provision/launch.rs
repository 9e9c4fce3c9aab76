//! A new machine.

use domain::{Result, lifecycle::BootFailure};
use store::lifecycle::Found;

use super::{Provisioner, Wish};
use crate::{
    crew::{later, or_without},
    jobs::Progress,
    machines::{Class, Launch, Machine, Machines, Next, Tier, Trouble, Whose, adopt},
};

/// How many tokens that are used up are passed over in one go. Each is a machine of this generation
/// that died or was made otherwise: more than a few are no accident.
const MOST_TOKENS: u32 = 5;

impl<M: Machines> Provisioner<M> {
    /// Makes a machine, after the leftovers of other generations were ended.
    pub(super) async fn launch(&self, wish: &Wish) -> Result<Progress> {
        self.end_leftovers(wish).await?;
        let tier = Tier::of(wish.meta.tier);
        let places = self.crew.machines.places(tier);
        let mut launch = Launch {
            workspace_id: wish.id(),
            generation: wish.generation(),
            attempt: wish.record.attempt,
            tier,
            runtime: wish.meta.runtime.clone(),
            // The exchange names it: so what is deployed in between changes no byte of a repeat.
            image: None,
            platform_url: self.platform_url.clone(),
        };
        for _ in 0..=places + MOST_TOKENS {
            let trouble = match adopt::secure(&self.crew.machines, &launch).await {
                Ok(machine) => return self.record(wish, &machine).await,
                Err(trouble) => trouble,
            };
            match trouble.next() {
                // The same token again: what a lost answer made is found by it.
                Next::Later | Next::LookUp => return Err(later(trouble)),
                Next::Elsewhere if launch.attempt < places => {}
                Next::Afresh => {}
                Next::Elsewhere | Next::Fail | Next::Nothing => {
                    return self.refused(wish, &trouble).await;
                }
            }
            tracing::warn!(workspace_id = %wish.id(), class = ?trouble.class(), "the next attempt");
            let store = &self.crew.app.store;
            let next = store
                .found(wish.id(), wish.generation(), &Found::NextAttempt)
                .await?;
            if !next {
                return Ok(Progress::Done);
            }
            launch.attempt += 1;
        }
        Ok(Progress::Later("many attempts in a row were used up"))
    }

    /// Nothing that only a person can mend is tried again, and what EC2 said is for the log.
    async fn refused(&self, wish: &Wish, trouble: &Trouble) -> Result<Progress> {
        tracing::error!(
            workspace_id = %wish.id(), class = ?trouble.class(), code = trouble.code(),
            "no machine could be made",
        );
        self.fail(wish, BootFailure::LAUNCH).await
    }

    /// Records the machine; it goes at once if nobody wants it any more, or another one is there.
    async fn record(&self, wish: &Wish, machine: &Machine) -> Result<Progress> {
        let launched = Found::Launched {
            instance_id: machine.id.to_string(),
            at: wish.now,
        };
        let store = &self.crew.app.store;
        let recorded = store.found(wish.id(), wish.generation(), &launched).await;
        // It is only taken down when the table said so. If it said nothing, the job comes back.
        if recorded? {
            tracing::info!(workspace_id = %wish.id(), instance_id = %machine.id, "launched");
            return Ok(Progress::Done);
        }
        tracing::info!(workspace_id = %wish.id(), instance_id = %machine.id, "not wanted any more");
        if let Err(trouble) = self.crew.machines.terminate(&machine.id).await {
            // A repeat would find its generation over. The sweep of orphans ends it.
            tracing::error!(
                workspace_id = %wish.id(), instance_id = %machine.id, error = %trouble,
                "a machine nobody wants could not be ended",
            );
        }
        Ok(Progress::Done)
    }

    /// Ends machines of earlier generations that the record does not name: those whose launch was
    /// overtaken. One of this generation is that of a try whose answer was lost, and found by token.
    async fn end_leftovers(&self, wish: &Wish) -> Result<()> {
        let tagged = self.crew.machines.list(Whose::Workspace(wish.id())).await;
        let tagged = or_without(tagged.map(|it| it.machines().to_vec()), Vec::new())?;
        let left = |it: &&Machine| {
            it.owner.is_some_and(|owner| {
                owner.workspace_id == wish.id() && owner.generation < wish.generation()
            }) && wish.record.instance_id.as_deref() != Some(it.id.as_str())
        };
        for machine in tagged.iter().filter(left) {
            match self.crew.machines.terminate(&machine.id).await {
                Ok(_) => {}
                // Somebody keeps it; that is no reason to have the workspace wait.
                Err(trouble) if trouble.class() == Class::Protected => {
                    tracing::error!(instance_id = %machine.id, error = %trouble, "a leftover is protected");
                }
                Err(trouble) => return Err(later(trouble)),
            }
        }
        Ok(())
    }
}

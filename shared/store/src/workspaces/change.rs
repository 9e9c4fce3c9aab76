//! Changing a workspace: its texts and looks in one update, its place in the tree in a transaction.

use domain::{Result, WorkspaceId, access::Place, job::Job};
use jiff::Timestamp;

use super::{Meta, Parts, create::unmoved};
use crate::{
    Store, TransactError,
    beats::SLEEPS_AFTER,
    expr::{Change, Write},
    keys::{self, TREE},
    ledger::pending,
    ops::UpdateError,
};

/// What to change; what is `None` stays.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Patch {
    /// The name.
    pub name: Option<String>,
    /// The role, or no role.
    pub role: Option<Option<String>>,
    /// The size.
    pub tier: Option<i64>,
    /// What runs in it.
    pub runtime: Option<String>,
    /// The directory, or none.
    pub workspace_dir: Option<Option<String>>,
    /// Place on the canvas.
    pub position: Option<(f64, f64)>,
    /// Whether its children are hidden on the canvas.
    pub collapsed: Option<bool>,
    /// After how many idle minutes it sleeps; zero is never.
    pub hibernation_idle_minutes: Option<i64>,
}

impl Patch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it says that a host of the user's runs it from now on.
    fn leaves_us(&self) -> bool {
        self.runtime.as_deref() == Some("external")
    }

    /// What is written or must hold beside the cold item; the check of its machine is the last.
    fn beside(&self, id: WorkspaceId) -> Vec<Write> {
        // The minutes stand on the hot item as well: the sweep that reads all of those then knows,
        // without another read, who may ever fall asleep.
        let hot = self.hibernation_idle_minutes.map(|minutes| {
            Change::at(keys::beat(id))
                .when("attribute_exists(pk)")
                .set_or_remove(SLEEPS_AFTER, (minutes > 0).then_some(minutes))
                .into()
        });
        // A restart may have given it one since it was read.
        let machine = self.leaves_us().then(|| {
            Write::check(keys::machine(id))
                .when("attribute_not_exists(pk) OR #ours = :no")
                .naming("ours")
                .with("no", false)
        });
        hot.into_iter().chain(machine).collect()
    }

    fn change(&self, id: WorkspaceId) -> Change {
        let Self {
            name,
            role,
            tier,
            runtime,
            workspace_dir,
            position,
            collapsed,
            hibernation_idle_minutes,
        } = self.clone();
        let mut change = Change::at(keys::meta(id))
            .when("attribute_exists(pk) AND attribute_not_exists(removed_at)");
        if let Some(name) = name {
            change = change.set("name", name);
        }
        if let Some(role) = role {
            change = change.set_or_remove("role", role);
        }
        if let Some(tier) = tier {
            change = change.set("tier", tier);
        }
        if let Some(runtime) = runtime {
            change = change.set("runtime", runtime);
        }
        if let Some(dir) = workspace_dir {
            change = change.set_or_remove("workspace_dir", dir);
        }
        if let Some((x, y)) = position {
            change = change.set("x", x).set("y", y);
        }
        if let Some(collapsed) = collapsed {
            change = change.set("collapsed", collapsed);
        }
        if let Some(minutes) = hibernation_idle_minutes {
            change =
                change.set_or_remove("hibernation_idle_minutes", (minutes > 0).then_some(minutes));
        }
        change
    }
}

/// What became of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patched {
    /// It is as it says.
    Yes,
    /// There is no such workspace (any more).
    Unknown,
    /// It was to run on a host of the user's, and has a machine of ours that nobody would stop.
    OnMachine,
}

/// What became of a move.
#[derive(Debug, PartialEq, Eq)]
pub enum Moved {
    /// It has its new parent, and everything below has its new path.
    Yes,
    /// The tree changed meanwhile; read again.
    Raced,
}

impl Store {
    /// Applies a patch.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn patch_workspace(&self, id: WorkspaceId, patch: &Patch) -> Result<Patched> {
        if patch.is_empty() {
            return Ok(Patched::Yes);
        }
        let beside = patch.beside(id);
        if beside.is_empty() {
            return match self.update(patch.change(id)).await {
                Ok(_) => Ok(Patched::Yes),
                Err(UpdateError::Refused(_)) => Ok(Patched::Unknown),
                Err(UpdateError::Failed(error)) => Err(error),
            };
        }
        let machine_at = beside.len();
        let writes = [patch.change(id).into()].into_iter().chain(beside);
        match self.transact(writes).await {
            Ok(()) => Ok(Patched::Yes),
            Err(TransactError::Cancelled(why)) => {
                let gone = (0..machine_at).any(|n| why.failed(n));
                let kept = patch.leaves_us() && why.failed(machine_at) && !gone;
                Ok(if kept {
                    Patched::OnMachine
                } else {
                    Patched::Unknown
                })
            }
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    /// Sets what a month may cost in US cents; false when the workspace is not there or removed.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn set_budget(&self, id: WorkspaceId, limit: Option<i64>) -> Result<bool> {
        let change = Change::at(keys::meta(id))
            .when("attribute_exists(pk) AND attribute_not_exists(removed_at)")
            .set_or_remove("budget_limit", limit);
        match self.update(change).await {
            Ok(_) => Ok(true),
            Err(UpdateError::Refused(_)) => Ok(false),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// Gives a workspace, as read, a new parent (as read with all its ancestors, nearest last).
    ///
    /// Every ancestor is checked in the same transaction, so two concurrent moves cannot make a
    /// cycle. The paths below follow one by one, and a job of the transaction sees to it that they
    /// do, whatever becomes of this call.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn move_workspace(
        &self,
        moving: &Meta,
        parent: Option<&Place>,
        ancestors: &[Place],
        now: Timestamp,
    ) -> Result<Moved> {
        let to = match parent {
            Some(parent) => parent.child(moving.id),
            None => Place::root(moving.id),
        };
        let mut writes: Vec<Write> = ancestors.iter().chain(parent).map(unmoved).collect();
        writes.push(
            path_change(moving, &to)
                .set(TREE.pk, keys::children(to.parent()))
                .into(),
        );
        let settle = Job::SettleV1 {
            workspace_id: moving.id,
        };
        writes.push(pending(moving.id, &settle, now));
        match self.transact(writes).await {
            Ok(()) => {}
            Err(TransactError::Cancelled(_)) => return Ok(Moved::Raced),
            Err(TransactError::Failed(error)) => return Err(error),
        }
        self.settle_paths(to.id).await?;
        Ok(Moved::Yes)
    }

    /// Rewrites the paths below `top`, parents before children. Each place is read anew before its
    /// children follow it: what was read earlier may have moved, and would be written for good.
    ///
    /// # Errors
    /// The datastore did not answer: asked again, it goes on where it stopped.
    pub async fn settle_paths(&self, top: WorkspaceId) -> Result<()> {
        let mut open = vec![top];
        while let Some(id) = open.pop() {
            let found = self.workspace(id, Parts::Core).await?;
            let Some(place) = found.map(|found| found.meta.place()) else {
                continue;
            };
            let ids = self.child_ids(Some(id)).await?;
            for child in self.load_workspaces(&ids, Parts::Core).await? {
                let to = place.child(child.meta.id);
                if child.meta.path == to.path {
                    open.push(to.id);
                    continue;
                }
                // Someone else moved it meanwhile: that move settles what is below.
                match self.update(path_change(&child.meta, &to)).await {
                    Ok(_) => open.push(to.id),
                    Err(UpdateError::Refused(_)) => {}
                    Err(UpdateError::Failed(error)) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

fn path_change(moving: &Meta, to: &Place) -> Change {
    Change::at(keys::meta(moving.id))
        .when("attribute_exists(pk) AND attribute_not_exists(removed_at) AND #path = :before")
        .with("before", &moving.path)
        .set("path", &to.path)
}

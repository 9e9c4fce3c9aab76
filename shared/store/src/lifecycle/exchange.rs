//! What a machine gets that has proven which one it is: the one live token of its workspace.

use std::net::IpAddr;

use domain::{
    Error, Result, WorkspaceId, lifecycle::Wanted, secret::Scope, token::Token, workspace::Status,
};
use jiff::Timestamp;

use super::Machine;
use crate::{
    Rows, Store, TransactError,
    beats::{TOKENS, mark_set},
    expr::{Change, Write},
    keys,
    secrets::unchanged,
    tokens::{self, TokenRow},
    workspaces::Parts,
};

/// How often an exchange that met another change of the tokens is tried again.
const TRIES: usize = 6;

/// A machine that asks for the token of its workspace, and what EC2 says of it.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The workspace, by the machine's tag.
    pub workspace_id: WorkspaceId,
    /// The generation, by the machine's tag.
    pub generation: u32,
    /// The machine.
    pub instance_id: &'a str,
    /// Where it is inside the VPC: the one private address that its agent may register.
    pub private_ip: Option<IpAddr>,
    /// The image it is told to run.
    pub image: Option<&'a str>,
}

impl Claim<'_> {
    /// Whether it is right by these records: the workspace waits for a machine of this generation to
    /// come up, and no other machine is that one already.
    pub fn holds(&self, status: Status, machine: &Machine) -> bool {
        let recorded = machine.instance_id.as_deref();
        status == Status::Provisioning
            && machine.ours
            && machine.wanted == Wanted::Running
            && machine.generation == self.generation
            && recorded.is_none_or(|recorded| recorded == self.instance_id)
    }
}

impl Store {
    /// Records the machine, revokes every token of its workspace and makes `token` live, in one
    /// transaction; false when the claim does not hold (any more). May be repeated until the
    /// workspace has registered. `rings` has the keyrings of both scopes as the environment was read
    /// with: whoever changes a secret and finds no token yet can rely on its being read.
    ///
    /// # Errors
    /// The datastore did not answer, a secret was changed meanwhile, or the tokens kept changing.
    pub async fn exchange(
        &self,
        claim: &Claim<'_>,
        token: &Token,
        rings: &Rows,
        now: Timestamp,
    ) -> Result<bool> {
        let id = claim.workspace_id;
        for _ in 0..TRIES {
            let rows = self.rows(Parts::WithMachine.keys(id)).await?;
            let Some(workspace) = rows.workspace(id)? else {
                return Ok(false);
            };
            let (Some(beat), Some(machine)) = (&workspace.beat, &workspace.machine) else {
                return Ok(false);
            };
            if !claim.holds(beat.status, machine) {
                return Ok(false);
            }
            let marks = rows.item(&keys::beat(id)).and_then(|beat| beat.get(TOKENS));
            // A token that was minted since must not outlive this.
            let hot = Change::at(keys::beat(id))
                .with("before", Status::Provisioning)
                .naming("status")
                .set_raw(TOKENS, mark_set(&token.hash()));
            let there = "attribute_exists(pk) AND #status = :before";
            let hot = match marks {
                Some(marks) => hot
                    .when(format!("{there} AND #tokens = :marks"))
                    .with_raw("marks", marks.clone()),
                None => hot.when(format!("{there} AND attribute_not_exists(#tokens)")),
            };
            let old = self.tokens(id).await?;
            let mut writes = vec![recorded(claim, now).into(), hot.into()];
            writes.extend(tokens::rows(id, token, now));
            writes.extend(old.iter().map(|row| Write::delete(row.credential())));
            let rings_at = writes.len();
            writes.extend([Scope::Global, Scope::Workspace(id)].map(|it| unchanged(rings, it)));
            match self.transact(writes).await {
                Ok(()) => {
                    self.forget(id, &old).await?;
                    return Ok(true);
                }
                Err(TransactError::Cancelled(why))
                    if why.failed(rings_at) || why.failed(rings_at + 1) =>
                {
                    return Err(Error::unavailable("a secret was changed meanwhile"));
                }
                // Read again: it says whether the claim still holds.
                Err(TransactError::Cancelled(_)) => {}
                Err(TransactError::Failed(error)) => return Err(error),
            }
        }
        Err(Error::unavailable("the workspace's tokens kept changing"))
    }

    /// Nothing looks these rows up any more; a crash in between leaves some that mean nothing.
    async fn forget(&self, id: WorkspaceId, old: &[TokenRow]) -> Result<()> {
        for row in old {
            self.delete(keys::token(id, row.id)).await?;
        }
        Ok(())
    }
}

/// The machine of this generation is this one: its boot may be here before its launch is recorded.
fn recorded(claim: &Claim<'_>, now: Timestamp) -> Change {
    Change::at(keys::machine(claim.workspace_id))
        .when(
            "attribute_exists(pk) AND #generation = :generation AND #wanted = :running AND \
             (attribute_not_exists(#instance_id) OR #instance_id = :instance_id)",
        )
        .naming("generation")
        .with("generation", claim.generation)
        .naming("wanted")
        .with("running", Wanted::Running)
        .set("instance_id", claim.instance_id)
        .set_or_remove("private_ip", claim.private_ip)
        .set_or_remove("image", claim.image)
        .set("done", claim.generation)
        .set_if_absent("launched_at", now.as_microsecond())
}

//! Putting a message into the ledger: what the front door and delegations have in common.

use domain::{
    Error, Mode, Result,
    activity::Source,
    capabilities::Capability,
    envelope::{self, Envelope},
    request::{Hold, Idempotency, MAX_CHAIN, Request, State, chain_of, is_reply_into_chain},
};
use jiff::Timestamp;
use store::{bodies, ledger, workspaces::Workspace};

use crate::{options::Options, route::Route};

/// A message whose sender may send it.
#[derive(Debug)]
pub struct Sent {
    /// Who sends it.
    pub source: Source,
    /// The sending workspace, with its load.
    pub sender: Option<Workspace>,
    /// The workspace it is for, with its load.
    pub target: Workspace,
    /// How it gets there.
    pub route: Route,
    /// Whether its machine is started anew because it was offline, now or as soon as that may be.
    pub restarts: bool,
}

impl Sent {
    /// The request as it will be recorded.
    ///
    /// # Errors
    /// 409 when the chain of calls it would be part of is too long.
    pub fn request(
        &self,
        envelope: &Envelope,
        options: Options,
        now: Timestamp,
    ) -> Result<Request> {
        let target = self.target.meta.id;
        let running = || {
            let load = self.sender.as_ref().and_then(|sender| sender.load.as_ref());
            load.into_iter().flat_map(|load| load.slots.values())
        };
        let chain = chain_of(&self.source, running(), target);
        if chain.len() > MAX_CHAIN {
            return Err(Error::conflict(format!(
                "this would be call number {} in one chain; {MAX_CHAIN} are allowed",
                chain.len()
            )));
        }
        let native = self
            .target
            .beat
            .as_ref()
            .is_some_and(|beat| beat.capabilities.has(Capability::Session));
        // Who waits for this very answer must not wait for itself; who queues by itself needs no
        // slots of ours.
        let free =
            self.source.id() == Some(target) || is_reply_into_chain(running(), target) || native;
        Ok(Request {
            id: ledger::new_id(),
            caller: self.source.clone(),
            target,
            method: envelope.method.clone(),
            message_id: envelope.message_id.clone(),
            body: bodies::new_id(),
            chain,
            slot: !free,
            state: State::Offered,
            fence: 1,
            attempts: 0,
            accepted_at: now,
            lease_until: None,
            started_at: None,
            ended_at: None,
            delivery_confirmed: false,
            result: None,
            result_status: None,
            error: None,
            told: None,
            priority: options.priority,
            valid_until: now + options.expires_in,
            hold: Hold::None,
            redelivered: false,
            idempotency: self.idempotency(envelope),
            delegation: None,
            fire: None,
            native,
            trace: options.trace,
            timeline: Vec::new(),
        })
    }

    /// Sender, target and message id make a repeat; an empty id never does.
    fn idempotency(&self, envelope: &Envelope) -> Option<Idempotency> {
        if envelope.message_id.is_empty() || !envelope.names_itself {
            return None;
        }
        let workspace = self.source.id().map(|id| id.to_string());
        let caller = workspace.as_deref().or(self.source.platform());
        let target = self.target.meta.id.to_string();
        let parts = [caller.unwrap_or("person"), &target, &envelope.message_id];
        Some(Idempotency {
            key: envelope::hash(&parts.join("\n")),
            digest: envelope.digest.clone(),
        })
    }
}

/// Whether a repeat that is another message is refused: in open development it attaches, as
/// clients of the reference may reuse ids.
pub(crate) fn refuses_other_messages(mode: Mode) -> bool {
    !mode.doors_open()
}

//! Registering: the agent of a workspace says where it answers and shows its card.

use domain::{Result, WorkspaceId, event::Event, token::Token, workspace::Status};
use jiff::Timestamp;
use serde_json::Value;

use super::{CardRow, DeliveryMode, Meta, create};
use crate::{
    Store, TransactError,
    beats::{self, Beat, TOKENS, mark_set},
    events,
    expr::{Change, Write},
    keys,
    ledger::{self, Gate},
    tokens,
};

/// What an agent says when it registers.
#[derive(Debug)]
pub struct Registration<'a> {
    /// The workspace.
    pub id: WorkspaceId,
    /// Where it answers; empty in poll mode.
    pub url: &'a str,
    /// How messages reach it.
    pub delivery_mode: DeliveryMode,
    /// Its card, any JSON.
    pub agent_card: &'a Value,
    /// The token to make live if the workspace has none.
    pub token: Option<&'a Token>,
}

/// What became of a registration.
#[derive(Debug, PartialEq, Eq)]
pub enum Registered {
    /// It is online.
    Yes,
    /// Something changed since it was read: read again and decide again.
    Raced,
}

impl Registration<'_> {
    fn event(&self) -> Event {
        Event::Registered {
            url: self.url.to_owned(),
            agent_card: self.agent_card.clone(),
        }
    }

    fn card(&self) -> Write {
        Write::put(keys::card(self.id), &CardRow::new(self.agent_card))
    }
}

impl Store {
    /// Brings a workspace online that is as `before` was read, with this gate, and opens the gate:
    /// now there is an address. Its capabilities start anew: a new process has not declared any.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn register(
        &self,
        registration: &Registration<'_>,
        before: &Beat,
        gate: Gate,
        now: Timestamp,
    ) -> Result<Registered> {
        let id = registration.id;
        let unchanged = "attribute_exists(pk) AND #status = :before";
        let hot = Change::at(keys::beat(id))
            .with("before", before.status)
            .set("status", Status::Online)
            .set("beat_at", now.as_microsecond())
            // It has just come up: idle from now on, however long that took.
            .set("active_at", now.as_microsecond())
            .set("capabilities", 0)
            .remove("idle_timeout");
        let hot = match registration.token {
            Some(token) => {
                let unchanged = format!("{unchanged} AND attribute_not_exists(#tokens)");
                beats::told(hot, &unchanged, before)
                    .naming(TOKENS)
                    .add(TOKENS, mark_set(&token.hash()))
            }
            None => beats::told(hot, unchanged, before),
        };
        let cold = Change::at(keys::meta(id))
            .when("attribute_exists(pk) AND attribute_not_exists(removed_at)")
            .set("url", registration.url)
            .set("delivery_mode", registration.delivery_mode);
        let mut writes = vec![
            hot.into(),
            cold.into(),
            registration.card(),
            events::record(id, &registration.event(), now),
        ];
        // Who answers has an open gate, and whatever closes it changes the status. The exception: a
        // beat brought it online before it had an address.
        if !before.status.answers() || gate != Gate::Open {
            writes.extend(ledger::opened(id, before, now));
        }
        writes.extend(beats::restarted(id, before, now));
        writes.extend(
            registration
                .token
                .into_iter()
                .flat_map(|token| tokens::rows(id, token, now)),
        );
        self.registered(writes).await
    }

    /// Creates a workspace for an agent nobody knows, online at once.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn register_stranger(
        &self,
        registration: &Registration<'_>,
        meta: &Meta,
        now: Timestamp,
    ) -> Result<Registered> {
        let mut writes = create::writes(meta, Status::Online, Some(now), registration.token);
        writes.push(registration.card());
        writes.push(events::record(meta.id, &registration.event(), now));
        self.registered(writes).await
    }

    async fn registered(&self, writes: Vec<Write>) -> Result<Registered> {
        match self.transact(writes).await {
            Ok(()) => Ok(Registered::Yes),
            Err(TransactError::Cancelled(_)) => Ok(Registered::Raced),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }

    /// Replaces the card of a workspace; false when it is not there or removed.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn update_card(&self, id: WorkspaceId, card: &Value, now: Timestamp) -> Result<bool> {
        let event = Event::CardUpdated {
            agent_card: card.clone(),
        };
        let writes = [
            Write::check(keys::beat(id)).if_there(),
            Write::put(keys::card(id), &CardRow::new(card)),
            events::record(id, &event, now),
        ];
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

//! A fire on its way to its request.

use domain::{
    Error, Kind, Result, WorkspaceId,
    request::{Idempotency, Request, State},
    schedule::{self, Came},
};
use jiff::Timestamp;

use super::{FireRow, PromptRow, Schedule, end::Fired};
use crate::{
    Store,
    expr::{Change, Write},
    keys::{self, DUE},
    ledger::{Ledger as _, taken},
    ops::UpdateError,
};

/// A fire that nobody has sent yet, as far as its rows say.
#[derive(Debug, Clone, PartialEq)]
pub struct ToSend {
    fired: Fired,
    /// What is sent.
    pub prompt: String,
}

impl ToSend {
    /// The schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.fired.schedule
    }

    /// The fire.
    pub fn fire(&self) -> &FireRow {
        &self.fired.fire
    }

    /// What makes a second message of it a repeat.
    pub fn idempotency(&self) -> Idempotency {
        let schedule::Fire { schedule_id, slot } = self.fired.fire.fire;
        let slot = slot.as_microsecond();
        Idempotency {
            // No hash of a caller's looks like it.
            key: format!("FIRE#{schedule_id}#{slot}"),
            digest: self.fired.fire.fire.message_id(),
        }
    }
}

impl Store {
    /// A fire to send; none when it was sent, has ended, or its schedule was deleted.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn fire_to_send(
        &self,
        workspace: WorkspaceId,
        fire: &schedule::Fire,
    ) -> Result<Option<ToSend>> {
        let row = keys::fire(fire);
        let head = keys::schedule(workspace, fire.schedule_id);
        let prompt = keys::schedule_prompt(fire.schedule_id);
        let wanted = [row.clone(), head.clone(), prompt.clone()];
        let mut rows = self.rows(wanted).await?;
        let Some(fire) = rows.take::<FireRow>(&row)? else {
            return Ok(None);
        };
        if fire.sent_at.is_some() || fire.ended_at.is_some() {
            return Ok(None);
        }
        let (schedule, prompt) = (rows.take(&head)?, rows.take::<PromptRow>(&prompt)?);
        let (Some(schedule), Some(prompt)) = (schedule, prompt) else {
            // Deleted before it was sent: there is nothing to send, and nobody to tell.
            self.delete(row).await?;
            return Ok(None);
        };
        Ok(Some(ToSend {
            fired: Fired { schedule, fire },
            prompt: prompt.prompt,
        }))
    }

    /// Notes that the message of a fire was accepted as this request, or what it came to if that has
    /// ended without saying so.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn fire_sent(
        &self,
        sent: &ToSend,
        as_request: &Request,
        now: Timestamp,
    ) -> Result<()> {
        if as_request.state == State::Completed {
            // Left where the agent fetches it: that is all that will happen.
            let came = Came {
                state: Some(State::Completed),
                status: 200,
                ..Came::default()
            };
            return self.happened(sent.fired.ended(&came, now)).await.map(drop);
        }
        let change = Change::at(keys::fire(&sent.fired.fire.fire))
            .when("attribute_exists(pk) AND attribute_not_exists(ended_at)")
            .set("sent_at", now.as_microsecond())
            .remove(DUE.pk)
            .remove(DUE.sk);
        match self.update(change).await {
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }

    /// Ends a fire whose message was not accepted. It takes the key that an acceptance would take, so
    /// of the two one happens.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn fire_refused(&self, sent: &ToSend, why: &Refusal, now: Timestamp) -> Result<()> {
        let came = Came {
            state: (!why.skipped).then_some(State::Failed),
            error: &why.sentence,
            ..Came::default()
        };
        let request = sent.fired.fire.fire.request_id();
        let mut writes = vec![
            taken(request, &sent.idempotency(), now),
            Write::check(keys::request(request)).when("attribute_not_exists(pk)"),
        ];
        writes.extend(sent.fired.ended(&came, now));
        if self.happened(writes).await? {
            return Ok(());
        }
        // Accepted by another job after all, or ended; else something changed, and the job comes again.
        if let Some(request) = self.request(request).await? {
            return self.fire_sent(sent, &request, now).await;
        }
        let fire = sent.fired.fire.fire;
        match self.fire_to_send(sent.fired.fire.workspace, &fire).await? {
            None => Ok(()),
            Some(_) => Err(Error::new(
                Kind::PlatformUnavailable,
                "a fire kept meeting other changes",
            )),
        }
    }
}

/// Why a fire's message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whether that is how things are, and no error.
    pub skipped: bool,
    /// In words.
    pub sentence: String,
}

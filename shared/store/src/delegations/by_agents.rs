//! Delegations that agents carry out by themselves, as they tell of them: rows and events, no messages.

use domain::{BodyId, DelegationId, Result, WorkspaceId, activity::preview, event::Event};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Delegation, ERROR_KEPT, REPLY_PREVIEW, Status, TASK_PREVIEW, new_id,
    rows::{Outcome, answer, asked, moved},
};
use crate::{Store, TransactError, activity, events, expr::Write, keys};

impl Store {
    /// Keeps a delegation that an agent carries out by itself: rows and event, no message.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn record_delegation(
        &self,
        delegation: &Delegation,
        wire_id: &str,
        task: &str,
    ) -> Result<()> {
        let now = delegation.created_at;
        let row = asked(
            delegation,
            &delegation.target.to_string(),
            Status::Dispatched.as_str(),
        );
        let event = Event::DelegationSent {
            delegation_id: wire_id.to_owned(),
            target_id: delegation.target.to_string(),
            task_preview: preview(task, TASK_PREVIEW, "..."),
        };
        let by_name = ByName {
            row: delegation.id,
            expires_at: crate::bodies::expiry(now),
        };
        let writes = [
            activity::record(&row),
            events::record(delegation.source, &event, now),
            Write::put(keys::delegation_named(delegation.source, wire_id), &by_name),
        ];
        self.transact(writes)
            .await
            .map_err(TransactError::into_error)
    }

    /// What an agent says of a delegation it carried out by itself. An id nobody knows changes no
    /// row, and is told all the same, under an id of now: an agent's own may be above all there will be for days,
    /// and those who go on from the newest row would see nothing more.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn update_delegation(
        &self,
        source: WorkspaceId,
        wire_id: &str,
        result: std::result::Result<(BodyId, &str), &str>,
        now: Timestamp,
    ) -> Result<()> {
        let result = match result {
            Ok(done) => Ok(done),
            Err(error) => Err(preview(error, ERROR_KEPT, "...")),
        };
        let named = keys::delegation_named(source, wire_id);
        let own: Option<DelegationId> = wire_id.parse().ok();
        let ours = own.map(|own| keys::delegation(source, own));
        let keys = [Some(named.clone()), ours.clone()].into_iter().flatten();
        let mut rows = self.rows(keys).await?;
        let known: Option<ByName> = rows.take(&named)?;
        let ours = ours.is_some_and(|key| rows.item(&key).is_some());
        let id = known.map(|known| known.row).or(own.filter(|_| ours));
        let status = if result.is_ok() {
            Status::Completed
        } else {
            Status::Failed
        };
        let event = match &result {
            Ok((_, text)) => Event::DelegationComplete {
                delegation_id: wire_id.to_owned(),
                target_id: None,
                response_preview: preview(text, REPLY_PREVIEW, "..."),
                via_queue: false,
            },
            Err(error) => Event::DelegationFailed {
                delegation_id: wire_id.to_owned(),
                target_id: None,
                error: error.clone(),
            },
        };
        let mut writes = vec![events::record(source, &event, now)];
        if let Ok((body, text)) = result {
            let outcome = Outcome {
                status,
                text: Some((body, text)),
                error: None,
            };
            let id = id.unwrap_or_else(new_id);
            writes.push(activity::record(&answer(source, id, None, &outcome, now)));
        }
        self.transact(writes)
            .await
            .map_err(TransactError::into_error)?;
        if let Some(id) = id {
            let error = result.err().filter(|error| !error.is_empty());
            let [_, row] = moved(source, id, status, error.as_deref());
            self.unless_moved(vec![row.into()]).await?;
        }
        Ok(())
    }
}

/// Which delegation an agent's name for it means.
#[derive(Debug, Serialize, Deserialize)]
struct ByName {
    row: DelegationId,
    expires_at: i64,
}

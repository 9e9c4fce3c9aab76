//! Delegations: a task one workspace gives another, from being sent to its result.
//!
//! The item here is the delegation; what people and agents read are its two activity rows, `delegate`
//! and `delegate_result`, and its events, all written with it (contract: a2a-notify-events 4).

mod by_agents;
mod rows;

use domain::{
    BodyId, DelegationId, Result, WorkspaceId, activity::preview, event::Event, job::Job,
    trace::Trace,
};
use jiff::{SignedDuration, Timestamp};
pub(crate) use rows::ended;
use rows::{Outcome, answer, asked, moved};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Store, TransactError, activity, beats, events,
    expr::{Change, Write},
    keys,
    ledger::pending,
    ops::read,
};

/// For so long after its end a repeat with the same key is still the same delegation.
const KEY_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// How much of a task and of a reply events show, in bytes.
const TASK_PREVIEW: usize = 100;
const REPLY_PREVIEW: usize = 200;
/// How much of an error is kept, in bytes: it stands in two rows and in an event, and an agent may say megabytes.
const ERROR_KEPT: usize = 4096;
/// How much of a reply the row's summary shows, in bytes.
const SUMMARY_PREVIEW: usize = 80;

/// Where a delegation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was told, and not sent yet.
    Pending,
    /// Its message was offered to the target.
    Dispatched,
    /// Its message waits in line.
    Queued,
    /// It has its result.
    Completed,
    /// It has none and will get none.
    Failed,
}

impl Status {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dispatched => "dispatched",
            Self::Queued => "queued",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// A delegation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delegation {
    /// Its id; that of its `delegate` row too.
    pub id: DelegationId,
    /// Who delegates.
    pub source: WorkspaceId,
    /// Who is to do it.
    pub target: WorkspaceId,
    /// The stored `{"task", "delegation_id"}`.
    pub task: BodyId,
    /// Where it stands.
    pub status: Status,
    /// When it was told.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::microsecond::optional"
    )]
    pub ended_at: Option<Timestamp>,
    /// Which call it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

impl Delegation {
    /// Whether a repeat with its key is a new delegation.
    fn frees_its_key(&self, now: Timestamp) -> bool {
        self.status == Status::Failed || self.ended_at.is_some_and(|at| at + KEY_KEPT < now)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Delegated {
    source: WorkspaceId,
    delegation: DelegationId,
    expires_at: i64,
}

/// A fresh delegation id. Its lowest bit is 0: the row of the result has the same id with 1, and so comes
/// right after it, wherever rows are in the order of their ids.
pub fn new_id() -> DelegationId {
    DelegationId::from_uuid(Uuid::from_u128(Uuid::now_v7().as_u128() & !1))
}

/// What became of a delegation that was told.
#[derive(Debug)]
pub enum Told {
    /// It is new, and on its way.
    New,
    /// It is this one, told before.
    Before(Delegation),
}

impl Store {
    /// Takes a delegation: item, row, event and job, or finds it told before under the same key.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn delegate(
        &self,
        delegation: &Delegation,
        task: &str,
        key: Option<&str>,
    ) -> Result<Told> {
        let now = delegation.created_at;
        let mut writes = vec![
            Write::put(
                keys::delegation(delegation.source, delegation.id),
                delegation,
            )
            .if_new(),
            activity::record(&asked(
                delegation,
                &delegation.target.to_string(),
                Status::Pending.as_str(),
            )),
            events::record(delegation.source, &sent(delegation, task), now),
            beats::active(delegation.source, now),
            pending(
                delegation.source,
                &Job::DelegateV1 {
                    source: delegation.source,
                    delegation_id: delegation.id,
                },
                now,
            ),
        ];
        let Some(key) = key else {
            return match self.transact(writes).await {
                Ok(()) => Ok(Told::New),
                Err(other) => Err(other.into_error()),
            };
        };
        let row = Delegated {
            source: delegation.source,
            delegation: delegation.id,
            expires_at: crate::bodies::expiry(now),
        };
        let key = keys::delegated(key);
        writes.insert(0, Write::put(key.clone(), &row).if_new());
        loop {
            match self.transact(writes.clone()).await {
                Ok(()) => return Ok(Told::New),
                Err(TransactError::Cancelled(why)) if why.failed(0) => {
                    let found: Option<Delegated> = why.found(0).cloned().map(read).transpose()?;
                    let Some(found) = found else { continue };
                    let item = keys::delegation(found.source, found.delegation);
                    let before: Option<Delegation> =
                        self.rows([item.clone()]).await?.take(&item)?;
                    match before.filter(|before| !before.frees_its_key(now)) {
                        Some(before) => return Ok(Told::Before(before)),
                        // Whoever takes the key over names whose it was.
                        None => {
                            writes[0] = Write::put(key.clone(), &row)
                                .when("attribute_not_exists(pk) OR delegation = :old")
                                .with("old", found.delegation);
                        }
                    }
                }
                Err(other) => return Err(other.into_error()),
            }
        }
    }

    /// A delegation, if it is still kept.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn delegation(
        &self,
        source: WorkspaceId,
        id: DelegationId,
    ) -> Result<Option<Delegation>> {
        let key = keys::delegation(source, id);
        self.rows([key.clone()]).await?.take(&key)
    }

    /// Says that a delegation's message was offered, or stands in line; does nothing when it has
    /// ended, or says so already.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn delegation_sent(
        &self,
        delegation: &Delegation,
        queued: bool,
        now: Timestamp,
    ) -> Result<()> {
        let status = if queued {
            Status::Queued
        } else {
            Status::Dispatched
        };
        let (source, id) = (delegation.source, delegation.id);
        let target = delegation.target.to_string();
        let event = Event::DelegationStatus {
            delegation_id: id.to_string(),
            target_id: target.clone(),
            status: status.as_str().to_owned(),
        };
        let item = Change::at(keys::delegation(source, id))
            .naming("status")
            .when("#status = :pending")
            .with("pending", Status::Pending)
            .set("status", status);
        let [_, row] = moved(source, id, status, None);
        let mut writes = vec![item.into(), row.into(), events::record(source, &event, now)];
        if queued {
            let outcome = Outcome {
                status,
                text: None,
                error: None,
            };
            writes.push(activity::record(&answer(
                source,
                id,
                Some(target),
                &outcome,
                now,
            )));
        }
        self.unless_moved(writes).await
    }

    /// Ends a delegation whose message was never accepted.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn delegation_refused(
        &self,
        delegation: &Delegation,
        error: &str,
        now: Timestamp,
    ) -> Result<()> {
        let (source, id) = (delegation.source, delegation.id);
        let target = Some(delegation.target.to_string());
        let event = Event::DelegationFailed {
            delegation_id: id.to_string(),
            target_id: target.clone(),
            error: error.to_owned(),
        };
        let outcome = Outcome {
            status: Status::Failed,
            text: None,
            error: Some(error),
        };
        let [item, row] = moved(source, id, Status::Failed, Some(error));
        self.unless_moved(vec![
            item.set("ended_at", now.as_microsecond()).into(),
            row.into(),
            activity::record(&answer(source, id, target, &outcome, now)),
            events::record(source, &event, now),
        ])
        .await
    }

    async fn unless_moved(&self, writes: Vec<Write>) -> Result<()> {
        match self.transact(writes).await {
            Ok(()) | Err(TransactError::Cancelled(_)) => Ok(()),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

fn sent(delegation: &Delegation, task: &str) -> Event {
    Event::DelegationSent {
        delegation_id: delegation.id.to_string(),
        target_id: delegation.target.to_string(),
        task_preview: preview(task, TASK_PREVIEW, "..."),
    }
}

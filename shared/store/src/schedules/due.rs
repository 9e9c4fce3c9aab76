//! Slots that are due, and what a tick writes about them.
//!
//! Every write names the slot that was seen, so of two ticks at once only one acts.

use std::fmt;

use domain::{
    Result, WorkspaceId,
    event::Event,
    job::Job,
    schedule::{self, Came, RESEND, Seen},
    workspace::Status,
};
use jiff::Timestamp;

use super::{DUE_FIRE, DUE_SLOT, FireRow, Schedule, end::row};
use crate::{
    Store, TransactError, activity, events,
    expr::{Change, Write, item, value},
    keys::{self, DUE, Key, SHARDS},
    ledger::pending,
};

/// Something a tick looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// A schedule whose slot has come, with what is known of its workspace; none of a purged one.
    Slot(Box<Schedule>, Option<Seen>),
    /// A fire that nobody has sent.
    Unsent(Box<FireRow>),
}

impl Due {
    /// Whose it is.
    pub fn workspace(&self) -> WorkspaceId {
        match self {
            Self::Slot(schedule, _) => schedule.workspace,
            Self::Unsent(fire) => fire.workspace,
        }
    }
}

/// For logs: ids and times, never what a schedule says.
impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(schedule, _) => match schedule.next_run_at {
                Some(at) => write!(f, "slot {at} of {}", schedule.id),
                None => write!(f, "no slot of {}", schedule.id),
            },
            Self::Unsent(row) => write!(f, "fire {} of {}", row.fire.slot, row.fire.schedule_id),
        }
    }
}

/// What is due.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct SchedulesDue {
    /// That, of each kind the oldest first.
    pub due: Vec<Due>,
    /// Since when the oldest is due.
    pub oldest: Option<Timestamp>,
    /// Whether there may be more than were asked for.
    pub more: bool,
}

impl Store {
    /// What is due by now, at most `limit` of each kind and shard. Costs half a read unit for each
    /// kind and shard where there is nothing.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn schedules_due(&self, now: Timestamp, limit: i32) -> Result<SchedulesDue> {
        let mut found = SchedulesDue::default();
        let slots = self.entries_of(DUE_SLOT, now, limit, &mut found).await?;
        let fires = self.entries_of(DUE_FIRE, now, limit, &mut found).await?;
        let of =
            |key: &Key| -> Option<WorkspaceId> { key.pk.strip_prefix("SCHEDULES#")?.parse().ok() };
        let around = slots.iter().filter_map(of);
        let around = around.flat_map(|id| [keys::meta(id), keys::beat(id)]);
        let wanted = slots.iter().chain(&fires).cloned().chain(around);
        let mut rows = self.rows(wanted).await?;
        for key in slots {
            let Some(schedule) = rows.take::<Schedule>(&key)? else {
                continue;
            };
            // The index may be behind: only what is due by its row is.
            if !schedule.enabled || schedule.next_run_at.is_none_or(|at| at > now) {
                continue;
            }
            let seen = rows.workspace(schedule.workspace)?.map(|workspace| Seen {
                status: workspace.status(),
                native: workspace.beat.as_ref().is_some_and(|beat| {
                    let scheduler = domain::capabilities::Capability::Scheduler;
                    beat.capabilities.has(scheduler)
                }),
                running: schedule.running,
            });
            found.due.push(Due::Slot(Box::new(schedule), seen));
        }
        for key in fires {
            if let Some(fire) = rows.take::<FireRow>(&key)?
                && fire.sent_at.is_none()
                && fire.ended_at.is_none()
            {
                found.due.push(Due::Unsent(Box::new(fire)));
            }
        }
        Ok(found)
    }

    async fn entries_of(
        &self,
        kind: &str,
        now: Timestamp,
        limit: i32,
        found: &mut SchedulesDue,
    ) -> Result<Vec<Key>> {
        let mut late = Vec::new();
        for shard in 0..SHARDS {
            let until = keys::due_at(now, "~");
            let entries = self.due_keys(DUE, keys::due(kind, shard), until, limit);
            let entries = entries.await?;
            found.more |= i32::try_from(entries.len()).is_ok_and(|read| read >= limit);
            late.extend(entries.into_iter().map(|(key, at)| (at, key)));
        }
        late.sort_by(|(one, _), (other, _)| one.cmp(other));
        let since = late.first().and_then(|(at, _)| keys::due_time(at));
        found.oldest = found.oldest.into_iter().chain(since).min();
        Ok(late.into_iter().map(|(_, key)| key).collect())
    }

    /// Takes a slot on: the next one, the fire and the job to send it are one transaction. False when
    /// somebody else did, or the schedule is another now.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn claim_slot(
        &self,
        schedule: &Schedule,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(slot) = schedule.next_run_at else {
            return Ok(false);
        };
        let head = schedule.next_slot(seen(schedule, slot), next);
        let head = idle(head, now, SEEN).set("running", slot.as_microsecond());
        self.happened(claim(head, schedule, slot, now)).await
    }

    /// Notes the next slot and does nothing about this one.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn pass_slot(&self, schedule: &Schedule, next: Option<Timestamp>) -> Result<bool> {
        let Some(slot) = schedule.next_run_at else {
            return Ok(false);
        };
        let head = schedule.next_slot(seen(schedule, slot), next);
        self.happened(vec![head.into()]).await
    }

    /// Records that nothing was sent at a slot, and why. The schedule of a removed workspace is not
    /// enabled any more.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn skip_slot(
        &self,
        schedule: &Schedule,
        next: Option<Timestamp>,
        why: &str,
        status: Status,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(slot) = schedule.next_run_at else {
            return Ok(false);
        };
        let came = Came {
            error: why,
            ..Came::default()
        };
        let run = schedule::run(&came, schedule.consecutive_empty_runs);
        let mut head = schedule
            .next_slot(seen(schedule, slot), next)
            .count("run_count", 1)
            .set("last_run_at", now.as_microsecond())
            .set("last_status", run.status)
            .set("last_error", &run.error);
        if status == Status::Removed {
            head = head.set("enabled", false);
        }
        let mut fire = FireRow::of(schedule, slot, now);
        fire.ended_at = Some(now);
        fire.status = run.status.to_owned();
        fire.error.clone_from(&run.error);
        let event = Event::CronSkipped {
            schedule_id: schedule.id,
            schedule_name: schedule.name.clone(),
            reason: why.to_owned(),
        };
        self.happened(vec![
            head.into(),
            Write::put(keys::fire(&fire.fire), &fire).if_new(),
            activity::record(&row(&fire, now)),
            events::record(schedule.workspace, &event, now),
        ])
        .await
    }

    /// Fires now, whenever its next slot is and whether or not it is enabled. False when its last fire
    /// has not ended, or it was deleted.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn fire_now(&self, schedule: &Schedule, now: Timestamp) -> Result<bool> {
        let head = idle(Change::at(schedule.key()), now, "attribute_exists(pk)");
        let head = head.set("running", now.as_microsecond());
        self.happened(claim(head, schedule, now, now)).await
    }

    /// Gives a fire that nobody has sent to somebody else. False when somebody has.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn resend(&self, fire: &FireRow, now: Timestamp) -> Result<bool> {
        let at = keys::due_at(now + RESEND, &fire.fire.schedule_id.to_string());
        let change = Change::at(keys::fire(&fire.fire))
            .when(
                "attribute_exists(pk) AND attribute_not_exists(sent_at) \
                 AND attribute_not_exists(ended_at)",
            )
            .set(DUE.sk, at);
        let job = job(fire.workspace, fire.fire);
        let writes = vec![change.into(), pending(fire.workspace, &job, now)];
        self.happened(writes).await
    }

    /// Whether a transaction happened: its conditions are what was seen.
    pub(super) async fn happened(&self, writes: Vec<Write>) -> Result<bool> {
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(TransactError::Cancelled(_)) => Ok(false),
            Err(TransactError::Failed(error)) => Err(error),
        }
    }
}

const SEEN: &str = "#enabled = :yes AND #next_run_at = :slot";

/// A change of a schedule that is enabled and whose next slot is the one that was seen.
fn seen(schedule: &Schedule, slot: Timestamp) -> Change {
    Change::at(schedule.key())
        .naming("enabled")
        .naming("next_run_at")
        .when(SEEN)
        .with("yes", true)
        .with("slot", slot.as_microsecond())
}

/// A change of a schedule that has no fire.
fn idle(change: Change, now: Timestamp, condition: &str) -> Change {
    let ended = now - schedule::LONGEST_FIRE;
    change
        .naming("running")
        .when(format!(
            "{condition} AND (attribute_not_exists(#running) OR #running < :ended)"
        ))
        .with("ended", ended.as_microsecond())
}

fn job(workspace_id: WorkspaceId, fire: schedule::Fire) -> Job {
    Job::FireV1 { workspace_id, fire }
}

/// What makes a slot a fire: the change of its schedule, the fire, and the job to send it.
fn claim(head: Change, schedule: &Schedule, slot: Timestamp, now: Timestamp) -> Vec<Write> {
    let fire = FireRow::of(schedule, slot, now);
    let mut entry = item(keys::fire(&fire.fire), &fire);
    let due_pk = keys::due(DUE_FIRE, keys::shard(schedule.workspace));
    let due_at = keys::due_at(now + RESEND, &schedule.id.to_string());
    entry.insert(DUE.pk.to_owned(), value(due_pk));
    entry.insert(DUE.sk.to_owned(), value(due_at));
    vec![
        head.into(),
        Write::put_item(entry).if_new(),
        pending(schedule.workspace, &job(schedule.workspace, fire.fire), now),
    ]
}

#[cfg(test)]
mod tests {
    use domain::schedule::Asked;

    use super::{super::Source, *};

    #[test]
    fn what_is_due_is_named_without_its_words() {
        let asked = Asked {
            name: "Private",
            cron_expr: "0 9 * * *",
            prompt: "a secret prompt",
            ..Asked::default()
        };
        let draft = asked.draft(Timestamp::UNIX_EPOCH).expect("a draft");
        let own = WorkspaceId::random();
        let schedule = Schedule::of(&draft, own, Source::Runtime, Timestamp::UNIX_EPOCH);
        let fire = FireRow::of(&schedule, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        for due in [
            Due::Unsent(Box::new(fire)),
            Due::Slot(Box::new(schedule.clone()), None),
        ] {
            let text = due.to_string();
            assert!(text.contains("1970-01-01T") && text.contains(&schedule.id.to_string()));
            assert!(
                !text.contains("secret") && !text.contains("Private"),
                "{text}"
            );
            assert_eq!(due.workspace(), own);
        }
    }
}

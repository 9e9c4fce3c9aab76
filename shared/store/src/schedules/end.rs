//! How a fire ends: with the request that carries it, in the same transaction, or without one.

use domain::{
    ActivityId, Result,
    activity::{Activity, Content, Source},
    event::Event,
    request::{Request, State},
    schedule::{self, Came, Run},
};
use jiff::Timestamp;
use serde_json::json;

use super::{FireRow, Schedule};
use crate::{
    Store, activity, events,
    expr::{Change, Write},
    keys::{self, DUE},
    ledger::Ending,
};

/// A schedule with the fire that has not ended, as they were read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fired {
    pub(super) schedule: Schedule,
    pub(super) fire: FireRow,
}

impl Store {
    /// The fire that a request carries, if it has not ended and its schedule is still there.
    pub(crate) async fn fired(&self, request: &Request) -> Result<Option<Fired>> {
        let Some(fire) = request.fire else {
            return Ok(None);
        };
        let head = keys::schedule(request.target, fire.schedule_id);
        let row = keys::fire(&fire);
        let mut rows = self.rows([head.clone(), row.clone()]).await?;
        let found: (Option<Schedule>, Option<FireRow>) = (rows.take(&head)?, rows.take(&row)?);
        Ok(match found {
            (Some(schedule), Some(fire)) if fire.ended_at.is_none() => {
                Some(Fired { schedule, fire })
            }
            _ => None,
        })
    }
}

impl Fired {
    /// The writes that end it with its request.
    pub(crate) fn ended_with(
        &self,
        request: &Request,
        ending: &Ending,
        now: Timestamp,
    ) -> Vec<Write> {
        let came = Came {
            state: Some(ending.state),
            status: ending.status,
            empty: ending.empty,
            error: ending.error.as_deref().unwrap_or("failed"),
        };
        let mut fired = self.clone();
        let mut steps = request.timeline.iter();
        fired.fire.late |= steps.any(|step| step.state == State::Waiting);
        fired.ended(&came, now)
    }

    /// The writes that end it so. The schedule and the fire must be as they were read.
    pub(super) fn ended(&self, came: &Came<'_>, now: Timestamp) -> Vec<Write> {
        let run = schedule::run(came, self.schedule.consecutive_empty_runs);
        let mut fire = self.fire.clone();
        fire.ended_at = Some(now);
        fire.status = run.status.to_owned();
        fire.error.clone_from(&run.error);
        let mut head = Change::at(self.schedule.key())
            .naming("consecutive_empty_runs")
            .when("attribute_exists(pk) AND #consecutive_empty_runs = :seen")
            .with("seen", self.schedule.consecutive_empty_runs)
            .set("consecutive_empty_runs", run.empty_runs)
            .count("run_count", 1)
            .set("last_run_at", now.as_microsecond())
            .set("last_status", run.status)
            .set("last_error", &run.error);
        if self.schedule.running == Some(fire.fire.slot) {
            head = head.remove("running");
        }
        let ended = Change::at(keys::fire(&fire.fire))
            .when("attribute_exists(pk) AND attribute_not_exists(ended_at)")
            .set("ended_at", now.as_microsecond())
            .set("status", run.status)
            .set("error", &run.error)
            .set("late", fire.late)
            .remove(DUE.pk)
            .remove(DUE.sk);
        vec![
            head.into(),
            ended.into(),
            activity::record(&row(&fire, now)),
            events::record(fire.workspace, &self.told(&run), now),
        ]
    }

    fn told(&self, run: &Run) -> Event {
        let (schedule_id, schedule_name) = (self.schedule.id, self.fire.name.clone());
        if run.status == "skipped" {
            let reason = run.error.clone();
            return Event::CronSkipped {
                schedule_id,
                schedule_name,
                reason,
            };
        }
        Event::CronExecuted {
            schedule_id,
            schedule_name,
            status: run.status,
        }
    }
}

impl FireRow {
    /// What its activity row and the history show as the request.
    pub fn request(&self) -> serde_json::Value {
        let mut request = json!({
            "schedule_id": self.fire.schedule_id,
            "schedule_name": self.name,
            "cron_expr": self.cron_expr,
        });
        if self.status == "skipped" {
            request["skipped"] = true.into();
        } else {
            request["prompt"] = self.prompt_preview.clone().into();
        }
        if self.late {
            request["late"] = true.into();
        }
        request
    }
}

/// The activity row of a fire that ended (contract: 11.6 steps 3 and 8).
pub(super) fn row(fire: &FireRow, now: Timestamp) -> Activity {
    let what = if fire.status == "skipped" {
        "Cron skipped"
    } else {
        "Cron"
    };
    Activity {
        id: ActivityId::from_uuid(uuid::Uuid::now_v7()),
        workspace: fire.workspace,
        activity_type: "cron_run".to_owned(),
        source: Source::Person,
        target_id: None,
        method: Some("cron".to_owned()),
        summary: Some(format!("{what}: {}", fire.name)),
        request_body: Content::from(fire.request()),
        response_body: Content::Absent,
        tool_trace: Content::Absent,
        duration_ms: fire.duration_ms(),
        status: fire.status.clone(),
        error_detail: Some(fire.error.clone()).filter(|error| !error.is_empty()),
        created_at: now,
    }
}

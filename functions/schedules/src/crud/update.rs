//! `PATCH /workspaces/{id}/schedules/{schedule_id}` (contract: lifecycle-and-sweepers 6.4).

use domain::{Kind, Result, ScheduleId, WorkspaceId, schedule};
use edge::{
    App, Input, Reply,
    http::Done,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use store::schedules::{Edit, Edited, Schedule};

use super::{MAX_BYTES, TRIES, changing, known, name_taken};

/// What may be changed; `null` and absent keep.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "UpdateScheduleRequest")]
#[schemars(example = serde_json::json!({"cron_expr": "30 8 * * mon-fri", "enabled": true}))]
struct UpdateRequest {
    name: Option<String>,
    cron_expr: Option<String>,
    timezone: Option<String>,
    prompt: Option<String>,
    enabled: Option<bool>,
}

pub(super) async fn update(
    app: &App,
    workspace: WorkspaceId,
    id: ScheduleId,
    input: &Input,
) -> Result<Reply> {
    let request: UpdateRequest = input.json(MAX_BYTES, "invalid JSON")?;
    for _ in 0..TRIES {
        let (found, _) = known(app, workspace, id).await?;
        let edit = edit(&request, &found, input.now)?;
        match app.store.edit_schedule(&found, &edit, input.now).await? {
            Edited::Yes => return Ok(Reply::ok(&Done { status: "updated" })),
            Edited::NameTaken => {
                return Err(name_taken(edit.name.as_deref().unwrap_or_default()));
            }
            Edited::Raced => {}
        }
    }
    Err(changing())
}

/// What the request changes of a schedule. Whoever changes when it fires, or has it fire again, gets
/// the next slot from now: what passed while it did not fire is not made up for.
fn edit(request: &UpdateRequest, found: &Schedule, now: Timestamp) -> Result<Edit> {
    let UpdateRequest {
        name,
        cron_expr,
        timezone,
        prompt,
        enabled,
    } = request;
    if let Some(name) = name {
        schedule::name(name)?;
    }
    let prompt = prompt.as_deref().map(schedule::prompt).transpose()?;
    let enabled = enabled.filter(|enabled| *enabled != found.enabled);
    let timezone = timezone.as_ref().map(|zone| {
        if zone.is_empty() {
            "UTC".to_owned()
        } else {
            zone.clone()
        }
    });
    let mut next_run_at = None;
    if cron_expr.is_some() || timezone.is_some() || enabled == Some(true) {
        let expr = cron_expr.as_ref().unwrap_or(&found.cron_expr);
        let zone = timezone.as_ref().unwrap_or(&found.timezone);
        next_run_at = schedule::parse(expr, zone)?.next_after(now);
    }
    Ok(Edit {
        name: name.clone(),
        cron_expr: cron_expr.clone(),
        timezone,
        prompt,
        enabled,
        next_run_at,
    })
}

/// For the API's description.
pub(super) fn describe(api: &mut Api) {
    let path = "PATCH /workspaces/{id}/schedules/{schedule_id}";
    api.route("update_schedule", path, Who::Own, "Changes a schedule")
        .about("409 for a name that is taken.")
        .body::<UpdateRequest>(MAX_BYTES)
        .ok::<Done>("It is changed.")
        .fails(&[Kind::Missing, Kind::Conflict]);
}

#[cfg(test)]
mod tests {
    use domain::WorkspaceId;
    use store::schedules::{Source, new_id};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn found(enabled: bool) -> Schedule {
        let made = at("2026-01-01T00:00:00Z");
        Schedule {
            id: new_id(),
            workspace: WorkspaceId::random(),
            name: "Daily".to_owned(),
            cron_expr: "0 9 * * *".to_owned(),
            timezone: "UTC".to_owned(),
            prompt_preview: "Look".to_owned(),
            enabled,
            source: Source::Runtime,
            last_run_at: None,
            next_run_at: Some(at("2026-01-01T09:00:00Z")),
            run_count: 0,
            last_status: String::new(),
            last_error: String::new(),
            consecutive_empty_runs: 0,
            running: None,
            version: 1,
            created_at: made,
            updated_at: made,
        }
    }

    #[test]
    fn the_next_slot_is_named_anew_when_it_may_be_another() {
        let now = at("2026-12-01T10:00:00Z");
        let tomorrow = Some(at("2026-12-02T09:00:00Z"));
        for (was, body, enabled, next) in [
            (true, "{}", None, None),
            (
                true,
                r#"{"name":"x","prompt":"y","cron_expr":null}"#,
                None,
                None,
            ),
            (true, r#"{"enabled":true}"#, None, None),
            (true, r#"{"enabled":false}"#, Some(false), None),
            (false, r#"{"enabled":true}"#, Some(true), tomorrow),
            (true, r#"{"timezone":""}"#, None, tomorrow),
            (
                true,
                r#"{"cron_expr":"30 10 * * *"}"#,
                None,
                Some(at("2026-12-01T10:30:00Z")),
            ),
        ] {
            let request = serde_json::from_str(body).expect("JSON");
            let edit = edit(&request, &found(was), now).expect(body);
            assert_eq!((edit.enabled, edit.next_run_at), (enabled, next), "{body}");
        }
        for (body, expected) in [
            (r#"{"cron_expr":""}"#, "invalid request body"),
            (r#"{"cron_expr":"0 0 30 2 *"}"#, "invalid request body"),
            (r#"{"timezone":"Nowhere"}"#, "invalid timezone: Nowhere"),
            (r#"{"prompt":"\r"}"#, "cron_expr and prompt are required"),
        ] {
            let request = serde_json::from_str(body).expect("JSON");
            let refused = edit(&request, &found(true), now).expect_err(body);
            assert_eq!(refused.message(), expected, "{body}");
        }
    }
}

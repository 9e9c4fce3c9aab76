//! `GET /workspaces/{id}/delegations`, `POST …/delegations/record`, `POST …/delegations/{id}/update`
//! (contract: a2a-notify-events 4.4, 4.5, 4.7).

use std::{cmp::Reverse, collections::HashMap};

use domain::{
    ActivityId, Error, Result, WorkspaceId,
    activity::{Activity, Content, preview},
    time::wire,
};
use edge::{
    App, Caller, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    activity::{Filter, Patience},
    bodies,
    delegations::{self, Delegation, Status},
};

use crate::delegate::uuid;

const MAX_BYTES: usize = 1024 * 1024;
/// How many rows a list shows, and how much of a reply, in bytes.
const ROWS: usize = 50;
const PREVIEW: usize = 300;
/// How many rows a list sorts: a result lies where its delegation began, so that of an old one that ends
/// now is found below those of up to 100 newer ones.
const READ: usize = 200;
/// How far it looks for them among the log's other rows, of a kilobyte: 250 read units, or 1,250 where there
/// are fewer than it shows.
const PATIENCE: Patience = Patience {
    enough: ROWS,
    after: 1_000,
    most: 5_000,
};
/// How much of all bodies together a list reads.
const BODY_BUDGET: usize = 4 * 1024 * 1024;
/// The longest id an agent may give a delegation, in bytes.
const MAX_ID: usize = 255;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delegation")]
struct Row {
    id: ActivityId,
    #[serde(rename = "type")]
    kind: &'static str,
    source_id: Option<WorkspaceId>,
    target_id: String,
    summary: Option<String>,
    status: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_preview: Option<String>,
}

impl From<Activity> for Row {
    fn from(row: Activity) -> Self {
        let json = |content: Content| content.json().map(|it| it.value());
        let (request, response) = (json(row.request_body), json(row.response_body));
        let named = |body: &Option<Value>| {
            let id = body.as_ref()?.get("delegation_id")?.as_str()?;
            Some(id.to_owned())
        };
        let said = response.as_ref().map(|body| {
            let text = body.get("text").and_then(Value::as_str);
            preview(
                &text.map_or_else(|| body.to_string(), str::to_owned),
                PREVIEW,
                "...",
            )
        });
        Self {
            id: row.id,
            kind: "delegation",
            source_id: row.source.id(),
            target_id: row.target_id.unwrap_or_default(),
            summary: row.summary,
            status: row.status,
            created_at: wire(row.created_at),
            delegation_id: named(&request).or_else(|| named(&response)),
            error: row.error_detail,
            response_preview: said,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "RecordDelegationRequest")]
#[schemars(example = json!({
    "target_id": "8d5b1f72-0e3a-4d94-b6c7-5a4f3e2d1c0b",
    "task": "Summarise the report",
    "delegation_id": "report-7",
}))]
struct RecordRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    target_id: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    task: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    delegation_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "UpdateDelegationRequest")]
#[schemars(example = json!({"status": "completed", "response_preview": "It is about trees."}))]
struct UpdateRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    status: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    error: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    response_preview: String,
}

/// What was kept.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotedDelegation")]
struct Noted {
    /// As the agent calls it.
    delegation_id: String,
    status: String,
}

/// The family of one resource.
///
/// # Errors
/// 400, 401, 413.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    app.own(&caller, id).await?;
    if input.method == Method::GET {
        list(app, id, &input).await
    } else if input.has_param("delegation_id") {
        update(app, id, &input).await
    } else {
        record(app, id, &input).await
    }
}

async fn list(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let filter = Filter {
        activity_type: Some("delegation".to_owned()),
        limit: READ,
        patience: Some(PATIENCE),
        ..Filter::default()
    };
    let rows = app.store.activity(id, &filter, input.now).await?;
    let mut rows = newest_first(rows);
    rows.truncate(ROWS);
    app.store
        .inline_bodies(&mut rows, BODY_BUDGET, input.now)
        .await?;
    let rows: Vec<Row> = rows.into_iter().map(Row::from).collect();
    Ok(Reply::ok(&rows))
}

/// The rows by their time, the newest first, and each result before what it is the result of, whatever the
/// clocks said: agents take the first row with the id of a delegation for where it stands.
fn newest_first(mut rows: Vec<Activity>) -> Vec<Activity> {
    let is_result = |row: &Activity| row.method.as_deref() == Some("delegate_result");
    // The ids of a delegation's two rows differ in their lowest bit.
    let delegation = |row: &Activity| row.id.as_uuid().as_u128() | 1;
    let asked: HashMap<u128, Timestamp> = rows
        .iter()
        .filter(|row| !is_result(row))
        .map(|row| (delegation(row), row.created_at))
        .collect();
    rows.sort_by_cached_key(|row| {
        let asked = asked.get(&delegation(row)).copied();
        let at = asked.map_or(row.created_at, |asked| asked.max(row.created_at));
        Reverse((at, delegation(row), is_result(row)))
    });
    rows
}

/// Keeps a delegation that an agent carries out by itself.
async fn record(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let request: RecordRequest = input.json(MAX_BYTES, "invalid request body")?;
    let given = [&request.target_id, &request.task, &request.delegation_id];
    if given.iter().any(|text| text.is_empty()) || request.delegation_id.len() > MAX_ID {
        return Err(Error::invalid("invalid request body"));
    }
    let target = uuid(&request.target_id)?;
    let task = json!({"task": request.task, "delegation_id": request.delegation_id}).to_string();
    let delegation = Delegation {
        id: delegations::new_id(),
        source: id,
        target,
        task: bodies::new_id(),
        status: Status::Dispatched,
        created_at: input.now,
        ended_at: None,
        trace: input.trace,
    };
    app.store
        .put_body(delegation.task, task.as_bytes(), input.now)
        .await?;
    app.store
        .record_delegation(&delegation, &request.delegation_id, &request.task)
        .await?;
    Ok(Reply::json(
        StatusCode::ACCEPTED,
        &Noted {
            delegation_id: request.delegation_id,
            status: "recorded".to_owned(),
        },
    ))
}

/// Keeps what an agent says of a delegation it carried out by itself.
async fn update(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let request: UpdateRequest = input.json(MAX_BYTES, "invalid request body")?;
    let name = input.text_param("delegation_id");
    let text = request.response_preview.as_str();
    match request.status.as_str() {
        "completed" => {
            let body = bodies::new_id();
            let kept = json!({"text": text, "delegation_id": name}).to_string();
            app.store.put_body(body, kept.as_bytes(), input.now).await?;
            let result = Ok((body, text));
            app.store
                .update_delegation(id, name, result, input.now)
                .await?;
        }
        "failed" => {
            let result = Err(request.error.as_str());
            app.store
                .update_delegation(id, name, result, input.now)
                .await?;
        }
        _ => {
            return Err(Error::invalid("status must be 'completed' or 'failed'"));
        }
    }
    Ok(Reply::ok(&Noted {
        delegation_id: name.to_owned(),
        status: request.status,
    }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/delegations";
    api.route(
        "list_delegations",
        path,
        Who::Own,
        "A workspace's delegations",
    )
    .ok::<Vec<Row>>("The newest 50.")
    .fails(&[]);
    let path = "POST /workspaces/{id}/delegations/record";
    api.route(
        "record_delegation",
        path,
        Who::Own,
        "Keeps a delegation of an agent's own",
    )
    .body::<RecordRequest>(MAX_BYTES)
    .answers::<Noted>(202, "It is kept.")
    .fails(&[]);
    let path = "POST /workspaces/{id}/delegations/{delegation_id}/update";
    api.route(
        "update_delegation",
        path,
        Who::Own,
        "What became of a delegation of its own",
    )
    .text_in_path("delegation_id")
    .for_example("delegation_id", "report-7")
    .body::<UpdateRequest>(MAX_BYTES)
    .ok::<Noted>("It is kept.")
    .fails(&[]);
}

#[cfg(test)]
mod tests {
    use domain::activity::Source;
    use uuid::Uuid;

    use super::*;

    fn row(id: u128, method: &str, second: i64) -> Activity {
        Activity {
            id: ActivityId::from_uuid(Uuid::from_u128(id)),
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(1)),
            activity_type: "delegation".to_owned(),
            source: Source::Person,
            target_id: None,
            method: Some(method.to_owned()),
            summary: None,
            request_body: Content::Absent,
            response_body: Content::Absent,
            tool_trace: Content::Absent,
            duration_ms: None,
            status: "completed".to_owned(),
            error_detail: None,
            created_at: Timestamp::from_second(second).expect("a time"),
        }
    }

    fn order(rows: Vec<Activity>) -> Vec<u128> {
        let rows = newest_first(rows).into_iter();
        rows.map(|row| row.id.as_uuid().as_u128()).collect()
    }

    #[test]
    fn a_result_comes_before_what_was_asked_whatever_its_bits_and_the_clocks() {
        for (asked, result) in [(0x10, 0x11), (0x11, 0x10)] {
            // After it, in the same moment, and by a clock that is behind.
            for ended in [9, 5, 4] {
                let result_row = row(result, "delegate_result", ended);
                let asked_row = row(asked, "delegate", 5);
                let expected = [result, asked];
                let rows = vec![asked_row.clone(), result_row.clone()];
                assert_eq!(order(rows), expected, "{asked:x} {ended}");
                assert_eq!(order(vec![result_row, asked_row]), expected);
            }
        }
    }

    #[test]
    fn the_result_of_an_old_one_is_as_new_as_its_end() {
        let mut rows: Vec<Activity> = (2..60u8)
            .rev()
            .map(|n| row(u128::from(n) * 2, "delegate", n.into()))
            .collect();
        rows.push(row(3, "delegate_result", 100));
        rows.push(row(2, "delegate", 1));
        let order = order(rows);
        assert_eq!(order[..2], [3, 118]);
        assert_eq!(order.last(), Some(&2));
    }
}

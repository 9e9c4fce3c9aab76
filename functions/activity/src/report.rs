//! `POST /workspaces/{id}/activity`: an agent reports what it did (contract: a2a-notify-events 5.3).

use domain::{
    Error, Kind, Result, WorkspaceId,
    activity::{Activity, Content, REPORTABLE, Source, preview},
};
use edge::{
    App, Caller, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::activity;

const MAX_BYTES: usize = 256 * 1024;
/// How much is kept of a text for people. Bodies can be left out of a list, these cannot: 500 rows of them must fit
/// the function that lists them.
const TEXT_KEPT: usize = 16 * 1024;
/// How much is kept of what is a name.
const NAME_KEPT: usize = 1024;

/// A report as agents send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ReportActivityRequest")]
#[schemars(example = serde_json::json!({
    "activity_type": "agent_log",
    "summary": "read the report",
    "status": "ok",
    "duration_ms": 1200,
}))]
pub struct ReportRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    activity_type: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    source_id: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    target_id: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    method: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    summary: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    status: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    error_detail: String,
    #[serde(default)]
    duration_ms: Option<i64>,
    #[serde(default)]
    request_body: Option<Value>,
    #[serde(default)]
    response_body: Option<Value>,
    /// Stored as the request body when there is none.
    #[serde(default)]
    metadata: Option<Value>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReportActivityReply")]
pub struct ReportReply {
    status: &'static str,
}

impl ReportRequest {
    fn check(&self, id: WorkspaceId) -> Result<()> {
        if self.activity_type.is_empty() {
            return Err(Error::invalid("invalid request body"));
        }
        if !REPORTABLE.contains(&self.activity_type.as_str()) {
            let types = REPORTABLE.join(", ");
            return Err(Error::invalid(format!(
                "invalid activity_type, must be one of: {types}"
            )));
        }
        let own = self.source_id.is_empty()
            || self
                .source_id
                .parse()
                .is_ok_and(|own: WorkspaceId| own == id);
        if !own {
            return Err(Error::forbidden(
                "source_id must match authenticated workspace",
            ));
        }
        Ok(())
    }
}

/// The text, cut at a character; none of an empty one.
fn kept(text: &str, most: usize) -> Option<String> {
    (!text.is_empty()).then(|| preview(text, most, ""))
}

/// Keeps the report.
///
/// # Errors
/// 400, 401, 403, 404 for a workspace that is not there, 413.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    app.own(&caller, id).await?;
    let request: ReportRequest = input.json(MAX_BYTES, "invalid request body")?;
    request.check(id)?;
    let row = Activity {
        id: activity::new_id(),
        workspace: id,
        activity_type: request.activity_type,
        source: Source::Workspace(id),
        target_id: kept(&request.target_id, NAME_KEPT),
        method: kept(&request.method, NAME_KEPT),
        summary: kept(&request.summary, TEXT_KEPT),
        request_body: Content::from(request.request_body.or(request.metadata)),
        response_body: Content::from(request.response_body),
        tool_trace: Content::Absent,
        duration_ms: request.duration_ms,
        status: kept(&request.status, NAME_KEPT).unwrap_or_else(|| "ok".to_owned()),
        error_detail: kept(&request.error_detail, TEXT_KEPT),
        created_at: input.now,
    };
    // The reference says "logged" even when it was not; here a caller can believe it.
    if !app.store.log_activity(row).await? {
        return Err(Error::missing("workspace not found"));
    }
    Ok(Reply::ok(&ReportReply { status: "logged" }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/activity";
    api.route(
        "report_activity",
        path,
        Who::Own,
        "Reports what an agent did",
    )
    .about("403 for a `source_id` that is another workspace's.")
    .body::<ReportRequest>(MAX_BYTES)
    .ok::<ReportReply>("It is kept.")
    .fails(&[Kind::Missing]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_a_character() {
        assert_eq!(kept("", 4), None);
        assert_eq!(kept("four", 4).as_deref(), Some("four"));
        assert_eq!(kept("grüße", 3).as_deref(), Some("gr"));
    }

    #[test]
    fn types_and_sources_are_checked() {
        let id: WorkspaceId = "0a1b2c3d-0000-4000-8000-00000000000f"
            .parse()
            .expect("valid");
        let check = |body: &str| {
            serde_json::from_str::<ReportRequest>(body)
                .map_err(|_| Error::invalid("invalid request body"))?
                .check(id)
        };
        assert!(check(r#"{"activity_type":"agent_log"}"#).is_ok());
        assert!(
            check(r#"{"activity_type":"agent_log","source_id":null,"duration_ms":null}"#).is_ok()
        );
        let own = format!(r#"{{"activity_type":"error","source_id":"{id}"}}"#);
        assert!(check(&own).is_ok());
        for (body, expected) in [
            ("{}", "invalid request body"),
            (r#"{"activity_type":""}"#, "invalid request body"),
            (
                r#"{"activity_type":"agent_log","duration_ms":"1"}"#,
                "invalid request body",
            ),
            (
                r#"{"activity_type":"delegation"}"#,
                "invalid activity_type, must be one of: a2a_send, a2a_receive, task_update, \
                 agent_log, skill_promotion, memory_write, error",
            ),
            (
                r#"{"activity_type":"agent_log","source_id":"somebody"}"#,
                "source_id must match authenticated workspace",
            ),
        ] {
            assert_eq!(check(body).expect_err(body).message(), expected);
        }
    }
}

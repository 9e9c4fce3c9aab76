//! `POST /workspaces/{id}/notify`: an agent tells people something (contract: a2a-notify-events 6).

use domain::{
    Error, Kind, Result, WorkspaceId,
    activity::{Activity, Content, Source, preview},
};
use edge::{
    App, Caller, Input, Reply, auth,
    http::Fields,
    openapi::{Api, Who},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{activity, workspaces::Parts};

/// Limits of a notification (decision 40).
const MAX_BYTES: usize = 256 * 1024;
const MAX_ATTACHMENTS: usize = 20;
const MAX_URI_BYTES: usize = 2048;
const MAX_NAME_BYTES: usize = 255;
/// How much of the message the summary shows, in bytes.
const SUMMARY_BYTES: usize = 80;

/// A notification as agents send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(example = json!({
    "message": "The report is finished.",
    "attachments": [{"uri": "workspace:/workspace/report.pdf", "name": "report.pdf"}],
}))]
pub struct NotifyRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    message: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    attachments: Vec<Attachment>,
}

/// A file the agent points to. What scheme and root the URI has is the agent's business.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub struct Attachment {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    uri: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    name: String,
    #[serde(
        rename = "mimeType",
        default,
        deserialize_with = "Fields::or_zero",
        skip_serializing_if = "String::is_empty"
    )]
    mime_type: String,
    #[serde(
        default,
        deserialize_with = "Fields::or_zero",
        skip_serializing_if = "is_not_a_size"
    )]
    size: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_not_a_size(size: &i64) -> bool {
    *size <= 0
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotifyReply {
    status: &'static str,
}

impl NotifyRequest {
    fn check(&self) -> Result<()> {
        if self.message.is_empty() {
            return Err(Error::invalid("message is required"));
        }
        if self.attachments.len() > MAX_ATTACHMENTS {
            let most = format!("at most {MAX_ATTACHMENTS} attachments are allowed");
            return Err(Error::invalid(most));
        }
        for (i, file) in self.attachments.iter().enumerate() {
            if file.uri.is_empty() || file.name.is_empty() {
                let which = format!("attachment[{i}]: uri and name are required");
                return Err(Error::invalid(which));
            }
            if file.uri.len() > MAX_URI_BYTES || file.name.len() > MAX_NAME_BYTES {
                let most = format!(
                    "attachment[{i}]: uri may have {MAX_URI_BYTES} bytes and name {MAX_NAME_BYTES}"
                );
                return Err(Error::invalid(most));
            }
        }
        Ok(())
    }

    /// What chat history reads: the text, and the files as A2A parts.
    fn response_body(&self) -> Value {
        let mut body = json!({"result": self.message});
        if !self.attachments.is_empty() {
            body["parts"] = self
                .attachments
                .iter()
                .map(|file| json!({"kind": "file", "file": file}))
                .collect();
        }
        body
    }

    /// The row. Its null source and absent request make it an agent's bubble in a person's chat.
    fn row(&self, workspace: WorkspaceId, now: Timestamp) -> Activity {
        let text = preview(&self.message, SUMMARY_BYTES, "…");
        Activity {
            id: activity::new_id(),
            workspace,
            activity_type: "a2a_receive".to_owned(),
            source: Source::Person,
            target_id: None,
            method: Some("notify".to_owned()),
            summary: Some(format!("Agent message: {text}")),
            request_body: Content::Absent,
            response_body: Content::from(self.response_body()),
            tool_trace: Content::Absent,
            duration_ms: None,
            status: "ok".to_owned(),
            error_detail: None,
            created_at: now,
        }
    }
}

/// Keeps the message where chat history finds it. Each call posts again: there is no idempotency.
///
/// # Errors
/// 400, 401, 404, 413.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let (rows, credential) = app.rows(&caller, Parts::Core.keys(id)).await?;
    auth::own(app.settings.mode, &caller, id, credential.as_ref())?;
    let request: NotifyRequest = input.json(MAX_BYTES, "message is required")?;
    request.check()?;
    let missing = || Error::missing("workspace not found");
    let workspace = rows.workspace(id)?.ok_or_else(missing)?;
    if workspace.beat.is_none() {
        return Err(missing());
    }
    if !app.store.log_activity(request.row(id, input.now)).await? {
        return Err(missing());
    }
    Ok(Reply::ok(&NotifyReply { status: "sent" }))
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/notify";
    api.route("notify", path, Who::Own, "Tells people something")
        .body::<NotifyRequest>(MAX_BYTES)
        .ok::<NotifyReply>("It is in the chat.")
        .fails(&[Kind::Missing]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> Result<NotifyRequest> {
        let request: NotifyRequest =
            serde_json::from_str(body).map_err(|_| Error::invalid("message is required"))?;
        request.check()?;
        Ok(request)
    }

    #[test]
    fn refusals_name_the_first_bad_attachment() {
        for (body, expected) in [
            ("{}", "message is required"),
            (r#"{"message":""}"#, "message is required"),
            (r#"{"message":7}"#, "message is required"),
            (r#"{"message":null}"#, "message is required"),
            (r#"{"message":"m","attachments":{}}"#, "message is required"),
            (
                r#"{"message":"m","attachments":[{"uri":"","name":"n"}]}"#,
                "attachment[0]: uri and name are required",
            ),
            (
                r#"{"message":"m","attachments":[{"uri":"u","name":"n"},{"uri":"u"}]}"#,
                "attachment[1]: uri and name are required",
            ),
            (
                r#"{"message":"m","attachments":[{"name":"n"},{"uri":"u"}]}"#,
                "attachment[0]: uri and name are required",
            ),
        ] {
            assert_eq!(check(body).expect_err(body).message(), expected);
        }
        let many = vec![json!({"uri": "u", "name": "n"}); 21];
        assert!(check(&json!({"message": "m", "attachments": many}).to_string()).is_err());
        let long = json!([{"uri": "u".repeat(2049), "name": "n"}]);
        assert!(check(&json!({"message": "m", "attachments": long}).to_string()).is_err());
    }

    #[test]
    fn files_become_parts_without_empty_keys() {
        let request = check(
            r#"{"message":"done","type":"x","attachments":[
                {"uri":"workspace:/a","name":"a.txt","mimeType":"text/plain","size":3},
                {"uri":"workspace:/b","name":"b","mimeType":"","size":0}]}"#,
        )
        .expect("fine");
        assert_eq!(
            request.response_body(),
            json!({"result": "done", "parts": [
                {"kind": "file", "file":
                    {"uri": "workspace:/a", "name": "a.txt", "mimeType": "text/plain", "size": 3}},
                {"kind": "file", "file": {"uri": "workspace:/b", "name": "b"}},
            ]})
        );
        let bare = check(r#"{"message":"done","attachments":[]}"#).expect("fine");
        assert_eq!(bare.response_body(), json!({"result": "done"}));
    }
}

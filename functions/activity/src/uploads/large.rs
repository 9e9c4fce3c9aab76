//! Files that are too large for a form: an address to put one to, and the look at what came.

use domain::{Error, Kind, Result, WorkspaceId, chat_file::StoredName};
use edge::{
    App, Input, Reply,
    http::Fields,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::chat_files::{self, ADDRESS_SECONDS};

use super::{Uploaded, UploadsReply, too_large};
use crate::kind;

/// The most such a file may have, in bytes.
const MAX_FILE_BYTES: u64 = 50 * 1024 * 1024;
/// The most either request may have.
const MAX_BYTES: usize = 8 * 1024;

/// The file somebody wants to send.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PresignUploadRequest")]
#[schemars(example = json!({"name": "report.pdf", "size": 1048576, "mimeType": "application/pdf"}))]
struct PresignRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    name: String,
    #[serde(default, deserialize_with = "Fields::or_zero")]
    size: i64,
    #[serde(rename = "mimeType", default, deserialize_with = "Fields::or_zero")]
    mime_type: String,
}

/// The file that was sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CompleteUploadRequest")]
#[schemars(example = json!({
    "uri": "workspace:/workspace/.molecule/chat-uploads/3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69-report.pdf",
    "mimeType": "application/pdf",
}))]
struct CompleteRequest {
    #[serde(default, deserialize_with = "Fields::or_zero")]
    uri: String,
    #[serde(rename = "mimeType", default, deserialize_with = "Fields::or_zero")]
    mime_type: String,
}

/// Where to put it, and what it will be called.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PresignUploadReply")]
struct PresignReply {
    #[serde(flatten)]
    file: Uploaded,
    method: &'static str,
    url: String,
    headers: serde_json::Value,
    expires_in_seconds: u64,
}

/// `POST …/presign`: nothing is kept, so nothing is left of an address that nobody uses.
pub(super) async fn presign(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let refusal = "name and size (in bytes) are required";
    let request: PresignRequest = input.json(MAX_BYTES, refusal)?;
    if request.name.is_empty() || request.size < 1 {
        return Err(Error::invalid(refusal));
    }
    let size = request.size.unsigned_abs();
    if size > MAX_FILE_BYTES {
        return Err(over(&request.name));
    }
    let name = chat_files::new_name(&request.name);
    let url = app.store.chat_upload_url(id, &name, request.size).await?;
    Ok(Reply::ok(&PresignReply {
        file: Uploaded::of(&name, kind::of(&request.mime_type, name.name(), b""), size),
        method: "PUT",
        url,
        headers: json!({"Content-Length": request.size.to_string()}),
        expires_in_seconds: ADDRESS_SECONDS,
    }))
}

/// `POST …/complete`: may be asked as often as one likes. The address takes one size only; that is
/// S3's word, and the bucket's content is looked at all the same.
pub(super) async fn complete(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let request: CompleteRequest = input.json(MAX_BYTES, "uri is required")?;
    let name = StoredName::of_uri(&request.uri)?;
    let Some(file) = app.store.chat_file(id, &name).await? else {
        return Err(Error::missing("file not found").with(
            "hint",
            "PUT the file to the address of presign first; the address is good for 15 minutes",
        ));
    };
    if file.bytes > MAX_FILE_BYTES {
        app.store.delete_chat_file(id, &name).await?;
        return Err(over(name.name()));
    }
    app.store.mark_chat_files(id, input.now).await?;
    let mut mime_type = kind::of(&request.mime_type, name.name(), b"");
    if mime_type.is_none() && file.bytes > 0 {
        let first = app.store.chat_file_beginning(id, &name).await?;
        mime_type = kind::of("", name.name(), &first);
    }
    let files = vec![Uploaded::of(&name, mime_type, file.bytes)];
    Ok(Reply::ok(&UploadsReply { files }))
}

fn over(name: &str) -> Error {
    let most = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
    too_large(format!("{name} exceeds per-file limit (50 MB)"), most)
}

/// For the API's description.
pub(super) fn describe(api: &mut Api) {
    let path = "POST /workspaces/{id}/chat/uploads/presign";
    api.route(
        "presign_upload",
        path,
        Who::Own,
        "An address to put one file to, up to 50 MB",
    )
    .body::<PresignRequest>(MAX_BYTES)
    .ok::<PresignReply>("Where to put it, and what it will be called.")
    .fails(&[Kind::Missing]);
    let path = "POST /workspaces/{id}/chat/uploads/complete";
    api.route(
        "complete_upload",
        path,
        Who::Own,
        "Says that a file was put to its address",
    )
    .body::<CompleteRequest>(MAX_BYTES)
    .ok::<UploadsReply>("The file, as messages refer to it.")
    .fails(&[Kind::Missing]);
}

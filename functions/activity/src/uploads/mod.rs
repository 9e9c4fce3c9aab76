//! `POST /workspaces/{id}/chat/uploads`, and for files too large for it
//! `POST …/chat/uploads/presign` and `POST …/chat/uploads/complete` (contract: a2a-notify-events 8.1,
//! 16.6; decision 24).
//!
//! A request passes a function whole, in memory and as base64, so a form has 4 MB. Larger files go to
//! the bucket directly: presign answers with an address for exactly one file of exactly one size, and
//! complete says what came of it.

mod form;
mod large;

use domain::{Error, Kind, Result, WorkspaceId, chat_file::StoredName};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::{chat_files, workspaces::Parts};

use crate::kind;

/// The most a form may have, in bytes: as base64 it must fit Lambda's 6 MB.
const MAX_FORM_BYTES: usize = 4 * 1024 * 1024;

/// A file as messages refer to it: callers pass it on to notify as it is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UploadedFile")]
struct Uploaded {
    uri: String,
    name: String,
    #[serde(rename = "mimeType", skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    size: u64,
}

/// The answer: the files in the order of the request.
#[derive(Debug, Serialize, JsonSchema)]
struct UploadsReply {
    files: Vec<Uploaded>,
}

impl Uploaded {
    fn of(name: &StoredName, mime_type: Option<String>, size: u64) -> Self {
        Self {
            uri: name.uri(),
            name: name.name().to_owned(),
            mime_type,
            size,
        }
    }
}

/// Takes files in: all of a form, or none.
///
/// # Errors
/// 400, 401, 404 for a workspace that is not there or a file that never came, 413.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    let (rows, credential) = app.rows(&caller, Parts::Core.keys(id)).await?;
    auth::own(app.settings.mode, &caller, id, credential.as_ref())?;
    let workspace = rows.workspace(id)?;
    if workspace.is_none_or(|workspace| workspace.beat.is_none()) {
        return Err(Error::missing("workspace not found"));
    }
    match input.path.rsplit('/').next() {
        Some("presign") => large::presign(app, id, &input).await,
        Some("complete") => large::complete(app, id, &input).await,
        _ => take_form(app, id, input).await,
    }
}

async fn take_form(app: &App, id: WorkspaceId, input: Input) -> Result<Reply> {
    if input.body.len() > MAX_FORM_BYTES {
        return Err(too_large(
            format!("a form may have {MAX_FORM_BYTES} bytes"),
            MAX_FORM_BYTES,
        )
        .with(
            "hint",
            "send files up to 50 MB one by one to the address that \
             POST /workspaces/{id}/chat/uploads/presign answers with",
        ));
    }
    let content_type = input.header("content-type").unwrap_or_default().to_owned();
    let sent = form::files(&content_type, input.body).await?;
    let (mut names, mut files) = (Vec::new(), Vec::new());
    for file in &sent {
        let name = chat_files::new_name(&file.name);
        let mime_type = kind::of(&file.content_type, name.name(), &file.bytes);
        let size = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
        files.push(Uploaded::of(&name, mime_type, size));
        names.push(name);
    }
    let keep = async {
        for (name, file) in names.iter().zip(sent) {
            app.store
                .put_chat_file(id, name, file.bytes.to_vec())
                .await?;
        }
        app.store.mark_chat_files(id, input.now).await
    };
    if let Err(error) = keep.await {
        // One that failed may have been written all the same. What stays is known to nobody, and goes
        // with its age.
        for name in &names {
            let _ = app.store.delete_chat_file(id, name).await;
        }
        return Err(error);
    }
    Ok(Reply::ok(&UploadsReply { files }))
}

fn too_large(sentence: String, max_bytes: usize) -> Error {
    Error::new(Kind::TooLarge, sentence).with("max_bytes", max_bytes)
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let form = json!({
        "type": "object",
        "examples": [{"files": ["What is in the file."]}],
        "required": ["files"],
        "properties": {"files": {
            "type": "array",
            "items": {"type": "string", "contentMediaType": "application/octet-stream"},
            "minItems": 1,
            "maxItems": 20,
        }},
    });
    let path = "POST /workspaces/{id}/chat/uploads";
    api.route(
        "upload_files",
        path,
        Who::Own,
        "Takes in the files of a chat",
    )
    .body_of("multipart/form-data", form, MAX_FORM_BYTES)
    .ok::<UploadsReply>("All of them, as messages refer to them.")
    .fails(&[Kind::Missing]);
    large::describe(api);
}

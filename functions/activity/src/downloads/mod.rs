//! `GET /workspaces/{id}/chat/download?path=` (contract: a2a-notify-events 8.2, 16.6), and
//! `GET /workspaces/{id}/chat/uploads`, by which machines learn what they have not on disk yet.
//!
//! The platform has no access to an agent's disk, so only files of chats can be had: any other path
//! under the four roots is not found.

mod pull;
mod range;

use domain::{
    Error, Kind, Result, WorkspaceId,
    chat_file::{self, StoredName},
};
use edge::{
    App, Caller, Input, Reply,
    openapi::{Api, Who},
};
use lambda_http::http::StatusCode;
use range::Asked;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::kind;

/// The most that is answered directly, in bytes: as base64 it fits Lambda's answer. Larger files are
/// answered with an address of the bucket.
const MAX_DIRECT: u64 = 4_000_000;
const ANY_KIND: &str = "application/octet-stream";

/// The error of a range that a file does not have.
#[derive(Debug, Serialize, JsonSchema)]
struct NoRange {
    error: &'static str,
    /// What it has, in bytes.
    size: u64,
}

/// One file, or the list of them.
///
/// # Errors
/// 400, 401, 404; 416 is an answer of its own.
pub async fn handle(app: &'static App, caller: Caller, input: Input) -> Result<Reply> {
    let id: WorkspaceId = input.param("id")?;
    if input.path.ends_with("/uploads") {
        return pull::list(app, &caller, id, &input).await;
    }
    app.own(&caller, id).await?;
    download(app, id, &input).await
}

async fn download(app: &App, id: WorkspaceId, input: &Input) -> Result<Reply> {
    let missing = || Error::missing("file not found");
    let path = input.query("path").unwrap_or_default();
    chat_file::check_path(path)?;
    let name = StoredName::at(path).ok_or_else(missing)?;
    let file = app.store.chat_file(id, &name).await?.ok_or_else(missing)?;
    let content_type = kind::by_name(name.name()).unwrap_or(ANY_KIND);
    let disposition = chat_file::disposition(name.name());
    let at_bucket = || async {
        let url = app
            .store
            .chat_download_url(id, &name, content_type, &disposition);
        Ok(Reply::empty(StatusCode::FOUND)
            .header("location", url.await?)
            .header("cache-control", "no-store"))
    };
    if file.bytes > MAX_DIRECT {
        return at_bucket().await;
    }
    // Whoever says `If-Range` has a part of what may be another file: ours have no versions to
    // compare, and the whole is always right.
    let asked = input
        .header("range")
        .filter(|_| input.header("if-range").is_none());
    let asked = range::of(asked, file.bytes);
    if asked == Asked::Beyond {
        let body = NoRange {
            error: "the file has no such range",
            size: file.bytes,
        };
        return Ok(Reply::json(StatusCode::RANGE_NOT_SATISFIABLE, &body)
            .header("content-range", format!("bytes */{}", file.bytes)));
    }
    let bytes = app
        .store
        .chat_file_bytes(id, &name)
        .await?
        .ok_or_else(missing)?;
    let (status, bytes, part) = match asked {
        Asked::Part(first, last) => {
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let part = bytes.get(index(first)..=index(last)).ok_or_else(missing)?;
            let part = part.to_vec();
            let header = format!("bytes {first}-{last}/{}", file.bytes);
            (StatusCode::PARTIAL_CONTENT, part, Some(header))
        }
        Asked::Whole | Asked::Beyond => (StatusCode::OK, bytes, None),
    };
    // Text is not sent as base64, and may be longer still with all that is escaped in it.
    if Reply::measure(&bytes) > Reply::MAX_BODY {
        return at_bucket().await;
    }
    let reply = Reply::bytes(status, bytes)
        .header("content-type", content_type)
        .header("content-disposition", disposition)
        .header("accept-ranges", "bytes");
    Ok(match part {
        Some(part) => reply.header("content-range", part),
        None => reply,
    })
}

/// For the API's description.
pub fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/chat/download";
    let bytes = json!({"type": "string", "contentMediaType": "application/octet-stream"});
    let (any, reason) = ("*/*", "Part of the file: the `Range` that was asked for.");
    api.route("download_file", path, Who::Own, "A file of a chat")
        .required_query::<String>("path", "Its path, as messages refer to it.")
        .for_example(
            "path",
            "/workspace/.molecule/chat-uploads/3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69-report.pdf",
        )
        .header::<String>("Range", "One range of bytes.")
        .answers_with(200, "The file.", any, bytes.clone())
        .answers_with(206, reason, any, bytes)
        .answers_empty(
            302,
            "It is larger than 4 MB: `Location` has it, for some minutes.",
        )
        .with_header(302, "Location", "An address of the bucket.")
        .answers::<NoRange>(416, "The file has no such bytes.")
        .fails(&[Kind::Missing]);
    pull::describe(api);
}

//! What a machine has to copy to its disk, where its agent reads it.

use domain::{Result, WorkspaceId};
use edge::{
    App, Caller, Input, Reply, auth,
    openapi::{Api, Who},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::{chat_files, keys};

/// A file, where it belongs, and where to get it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FileToPull")]
struct ToPull {
    name: String,
    path: String,
    size: u64,
    url: String,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FilesToPull")]
struct PullReply {
    files: Vec<ToPull>,
    /// What to say next time: there is no file then until one has come.
    seen: String,
}

/// The newest files, oldest first; none while what the caller has `seen` is all there is.
pub(super) async fn list(
    app: &App,
    caller: &Caller,
    id: WorkspaceId,
    input: &Input,
) -> Result<Reply> {
    let (rows, credential) = app.rows(caller, [keys::chat_mark(id)]).await?;
    auth::own(app.settings.mode, caller, id, credential.as_ref())?;
    let seen = chat_files::mark(&rows, id);
    let found = if input.query("seen") == Some(seen.as_str()) {
        Vec::new()
    } else {
        app.store.chat_files(id).await?
    };
    let mut files = Vec::new();
    for file in found {
        let url = app
            .store
            .chat_download_url(id, &file.name, super::ANY_KIND, "attachment");
        files.push(ToPull {
            name: file.name.as_str().to_owned(),
            path: file.name.path(),
            size: file.bytes,
            url: url.await?,
        });
    }
    Ok(Reply::ok(&PullReply { files, seen }))
}

/// For the API's description.
pub(super) fn describe(api: &mut Api) {
    let path = "GET /workspaces/{id}/chat/uploads";
    api.route(
        "list_uploads",
        path,
        Who::Own,
        "What a machine has to copy to its disk",
    )
    .query::<String>(
        "seen",
        "What the last answer said: nothing is listed until there is more.",
    )
    .ok::<PullReply>("The newest files, oldest first.")
    .fails(&[]);
}

//! The walk through the functions of files of chats.

use domain::chat_file::StoredName;
use e2e::{Workspace, counted::InProcess};
use serde_json::json;

use super::permissions::Needed;

/// Uploaded in a form, and to the bucket: one that came, and one too large, which is taken away.
pub(super) async fn walk(inside: &InProcess, needed: &mut Needed, own: &Workspace) {
    let at = |rest: &str| format!("/workspaces/{}/chat/{rest}", own.id);
    let post = |rest: &str| inside.post(&at(rest)).bearer(&own.token);
    let get = |rest: &str| inside.get(&at(rest)).bearer(&own.token);
    let form = post("uploads").form("a.txt", "text");
    let sent = needed.by(form).await.expect(200);
    let uri = sent.json["files"][0]["uri"].as_str().expect("a URI");
    let path = uri.strip_prefix("workspace:").expect(uri);
    let download = get(&format!("download?path={path}"));
    needed.by(download).await.expect(200);
    needed.by(get("uploads")).await.expect(200);
    // The route signs no such length, and a body of another one is not taken: the store signs here.
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    for (size, status) in [(1_u32, 200), (50 * 1024 * 1024 + 1, 413)] {
        let wanted = json!({"name": "b", "size": 1});
        let presigned = needed.by(post("uploads/presign").json(&wanted)).await;
        let uri = presigned.expect(200).text("uri");
        let name = StoredName::of_uri(&uri).expect("ours");
        let id = own.id.parse().expect("an id");
        let url = inside.app.store.chat_upload_url(id, &name, size.into());
        let content = vec![0; size as usize];
        let put = client.put(url.await.expect("signed")).body(content).send();
        assert_eq!(put.await.expect("the bucket answers").status(), 200);
        let uri = json!({"uri": uri});
        let complete = post("uploads/complete").json(&uri);
        needed.by(complete).await.expect(status);
    }
}

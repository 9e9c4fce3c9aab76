//! `POST /workspaces/{id}/chat/uploads`: files in a form, and their way into a chat and back

use e2e::{STRANGER, World, form};
use serde_json::{Value, json};

const MAX_FORM: usize = 4 * 1024 * 1024;

#[tokio::test]
async fn files_are_sent_shown_and_read_again() {
    let world = World::new();
    let (workspace, _agent) = world.online("Draftswoman").await;
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let files: [(&str, &str, &[u8]); 5] = [
        ("my file.pdf", "", &every_byte),
        ("../../etc/passwd", "text/x-odd; a=b", b"root\r\n--x"),
        ("shot", "", &png),
        ("empty", "", b""),
        ("gr\u{fc}\u{df}e..txt", "", "größe".as_bytes()),
    ];
    let upload = world.post(&format!("/workspaces/{}/chat/uploads", workspace.id));
    let answer = upload.by(&workspace).form(&files).await.expect(200);
    let sent = answer.json["files"].as_array().expect("files").clone();

    let shown = [
        json!({"name": "my_file.pdf", "mimeType": "application/pdf", "size": 70_000}),
        json!({"name": "passwd", "mimeType": "text/x-odd; a=b", "size": 9}),
        json!({"name": "shot", "mimeType": "image/png", "size": 16}),
        json!({"name": "empty", "size": 0}),
        json!({"name": "gr__e.txt", "mimeType": "text/plain", "size": 7}),
    ];
    assert_eq!(sent.len(), shown.len());
    for (file, shown) in sent.iter().zip(shown) {
        let uri = file["uri"].as_str().expect("a URI");
        let stored = uri.strip_prefix("workspace:/workspace/.molecule/chat-uploads/");
        let (digits, name) = stored.and_then(|it| it.split_once('-')).expect(uri);
        assert!(digits.len() == 32 && digits.bytes().all(|it| it.is_ascii_hexdigit()));
        assert_eq!(name, file["name"], "{uri}");
        let mut rest = file.clone();
        rest.as_object_mut().expect("an object").remove("uri");
        assert_eq!(rest, shown);
    }

    // Callers pass on what they got, and chat history has it.
    let note = json!({"message": "here", "attachments": sent});
    let notify = world.notify(&workspace.id).by(&workspace).json(&note);
    notify.await.expect(200);
    let row = &world.chat(&workspace.id).await[0];
    let parts = row["response_body"]["parts"].as_array().expect("parts");
    for ((part, file), (_, _, content)) in parts.iter().zip(&sent).zip(files) {
        let mut file = file.clone();
        if file["size"] == 0 {
            file.as_object_mut().expect("an object").remove("size");
        }
        assert_eq!(*part, json!({"kind": "file", "file": file}));
        let uri = part["file"]["uri"].as_str().expect("a URI");
        let path = uri.strip_prefix("workspace:").expect(uri);
        let download = format!("/workspaces/{}/chat/download?path={path}", workspace.id);
        let got = world.get(&download).by(&workspace).await.expect(200);
        assert!(got.bytes == content, "{uri} came back as something else");
    }
}

#[tokio::test]
async fn a_form_that_is_refused_leaves_nothing() {
    let world = World::new();
    let workspace = world.workspace("Sloppy").await;
    let path = format!("/workspaces/{}/chat/uploads", workspace.id);
    let upload = || world.post(&path).by(&workspace);
    let malformed = "failed to parse multipart form";
    let none = "expected at least one 'files' field";

    let (kind, whole) = form(&[("a.txt", "", b"content")]);
    let cut = whole[..whole.len() - 8].to_vec();
    let value = "--X\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nv\r\n--X--\r\n";
    let value_kind = "multipart/form-data; boundary=X";
    for (kind, body, sentence) in [
        (kind.as_str(), cut, malformed),
        (kind.as_str(), Vec::new(), malformed),
        ("multipart/form-data", whole.clone(), malformed),
        ("multipart/form-data; boundary=Y", whole, malformed),
        ("application/json", b"{}".to_vec(), malformed),
        (value_kind, value.into(), none),
        (value_kind, b"--X--\r\n".to_vec(), none),
    ] {
        let answer = upload().bytes(kind, body.clone()).await;
        let text = String::from_utf8_lossy(&body);
        assert_eq!(answer.error(), (400, sentence), "{kind}: {text}");
    }
    let many: [(&str, &str, &[u8]); 21] = [("a", "", b"x"); 21];
    let most = "at most 20 files are allowed in one request";
    assert_eq!(upload().form(&many).await.error(), (400, most));

    // The largest there can be, and one byte more.
    let frame = form(&[("a", "", b"")]).1.len();
    let content = vec![0xff; MAX_FORM - frame + 1];
    let over = upload().form(&[("a", "", &content)]).await.expect(413);
    assert_eq!(over.json["max_bytes"], MAX_FORM);
    let hint = over.text("hint");
    assert!(hint.contains("/chat/uploads/presign"), "{hint}");
    assert!(kept(&world, &path).await.is_empty());
    let fits = upload().form(&[("a", "", &content[1..])]).await.expect(200);
    assert_eq!(fits.json["files"][0]["size"], content.len() - 1);
    assert_eq!(kept(&world, &path).await.len(), 1);
}

#[tokio::test]
async fn a_machine_is_told_of_files_until_it_has_seen_them() {
    let world = World::new();
    let workspace = world.workspace("Owner").await;
    let path = format!("/workspaces/{}/chat/uploads", workspace.id);
    let look = |seen: String| {
        let call = world.get(&format!("{path}?seen={seen}")).by(&workspace);
        async move {
            let told = call.await.expect(200);
            let files = told.json["files"].as_array().expect("files").clone();
            (files, told.text("seen"))
        }
    };
    let (none, mut seen) = look(String::new()).await;
    assert!(none.is_empty());
    for (count, name) in [(1, "a.txt"), (2, "b.txt")] {
        let upload = world.post(&path).by(&workspace);
        upload.form(&[(name, "", b"content")]).await.expect(200);
        // All there are: the last to come need not be the last to have been given a name.
        let (files, now) = look(seen).await;
        assert_eq!(files.len(), count);
        let newest = &files[count - 1];
        let stored = newest["name"].as_str().expect("a name");
        assert!(stored.ends_with(name), "{stored}");
        assert_eq!(
            newest["path"],
            format!("/workspace/.molecule/chat-uploads/{stored}")
        );
        assert_eq!(newest["size"], 7);
        let url = newest["url"].as_str().expect("an address");
        assert_eq!(world.fetch(url).await.expect(200).bytes, b"content");
        let (none, again) = look(now.clone()).await;
        assert!(none.is_empty());
        assert_eq!(again, now);
        seen = now;
    }
}

async fn kept(world: &World, path: &str) -> Vec<Value> {
    let list = world.get(path).bearer(&world.admin).await.expect(200);
    list.json["files"].as_array().expect("files").clone()
}

#[tokio::test]
async fn only_itself_and_operators_send_files_to_a_workspace() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let at = |id: &str, rest: &str| format!("/workspaces/{id}/chat/uploads{rest}");
    let presign = json!({"name": "a", "size": 1});
    for rest in ["", "/presign", "/complete"] {
        let call = || {
            let call = world.post(&at(&own.id, rest));
            if rest.is_empty() {
                call.form(&[("a", "", b"x")])
            } else {
                call.json(&presign)
            }
        };
        let invalid = (401, "invalid workspace auth token");
        assert_eq!(call().by(&other).await.error(), invalid, "{rest}");
        let missing = (401, "missing workspace auth token");
        assert_eq!(call().await.error(), missing, "{rest}");
    }
    assert!(kept(&world, &at(&own.id, "")).await.is_empty());
    let list = world.get(&at(&own.id, "")).by(&other).await;
    assert_eq!(list.status, 401);

    let file: [(&str, &str, &[u8]); 1] = [("a", "", b"x")];
    let upload = |id: &str| world.post(&at(id, "")).bearer(&world.admin).form(&file);
    upload(&own.id).await.expect(200);
    assert_eq!(
        upload("nonsense").await.error(),
        (400, "invalid workspace ID")
    );
    let nowhere = (404, "workspace not found");
    assert_eq!(upload(STRANGER).await.error(), nowhere);
    let delete = format!("/workspaces/{}?confirm=true", other.id);
    let delete = world.call(reqwest::Method::DELETE, &delete);
    delete.bearer(&world.admin).await.expect(200);
    assert_eq!(upload(&other.id).await.error(), nowhere);
}

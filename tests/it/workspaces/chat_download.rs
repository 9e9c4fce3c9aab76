//! `GET /workspaces/{id}/chat/download`

use e2e::{Answer, Workspace, World};

const TEXT: &[u8] = b"0123456789";

async fn upload(world: &World, workspace: &Workspace, name: &str, content: &[u8]) -> String {
    let call = world.post(&format!("/workspaces/{}/chat/uploads", workspace.id));
    let sent = call.by(workspace).form(&[(name, "", content)]).await;
    let sent = sent.expect(200);
    let uri = sent.json["files"][0]["uri"].as_str().expect("a URI");
    uri.strip_prefix("workspace:").expect(uri).to_owned()
}

async fn download(world: &World, workspace: &Workspace, path: &str, range: &str) -> Answer {
    let call = world.get(&format!(
        "/workspaces/{}/chat/download?path={path}",
        workspace.id
    ));
    let call = call.by(workspace);
    match range {
        "" => call.await,
        range => call.header("range", range).await,
    }
}

#[tokio::test]
async fn a_file_comes_whole_or_in_parts() {
    let world = World::new();
    let workspace = world.workspace("Reader").await;
    let path = upload(&world, &workspace, "my notes.txt", TEXT).await;
    let get = |range: &'static str| download(&world, &workspace, &path, range);

    let whole = get("").await.expect(200);
    assert_eq!(whole.bytes, TEXT);
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-length", "10"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        (
            "content-disposition",
            "attachment; filename=\"my_notes.txt\"; filename*=UTF-8''my_notes.txt",
        ),
    ] {
        assert_eq!(whole.header(name), value, "{name}");
    }
    for (range, part, header) in [
        ("bytes=2-4", &b"234"[..], "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-1", b"9", "bytes 9-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
    ] {
        let answer = get(range).await.expect(206);
        assert_eq!(answer.bytes, part, "{range}");
        assert_eq!(answer.header("content-range"), header);
    }
    for range in ["bytes=10-", "bytes=-0"] {
        let beyond = get(range).await.expect(416);
        assert_eq!(beyond.header("content-range"), "bytes */10", "{range}");
        assert_eq!(beyond.json["error"], "the file has no such range");
    }
    for range in ["bytes=0-1,3-4", "lines=1-2", "bytes=4-2"] {
        assert_eq!(get(range).await.expect(200).bytes, TEXT, "{range}");
    }
    let url = format!("/workspaces/{}/chat/download?path={path}", workspace.id);
    let later = world.get(&url).by(&workspace).header("range", "bytes=2-4");
    let later = later.header("if-range", "\"another\"").await.expect(200);
    assert_eq!(later.bytes, TEXT);

    // Also of a file that is no text.
    let path = upload(&world, &workspace, "noise", &[0xff, 0, 0xfe]).await;
    let part = download(&world, &workspace, &path, "bytes=1-2").await;
    let part = part.expect(206);
    assert_eq!(part.bytes, [0, 0xfe]);
    assert_eq!(part.header("content-type"), "application/octet-stream");
}

#[tokio::test]
async fn paths_are_refused_before_anything_is_looked_for() {
    let world = World::new();
    let workspace = world.workspace("Curious").await;
    let path = upload(&world, &workspace, "a.txt", TEXT).await;
    let outside = "path must be under /configs, /workspace, /home, or /plugins";
    let folder = "/workspace/.molecule/chat-uploads";
    for (path, expected) in [
        ("", (400, "path query required")),
        ("workspace/a", (400, "path must be absolute")),
        ("workspace:/workspace/a", (400, "path must be absolute")),
        ("/etc/passwd", (400, outside)),
        ("/workspaces", (400, outside)),
        ("/workspace/../etc/passwd", (400, "invalid path")),
        ("/workspace/%2e%2e/etc/passwd", (400, "invalid path")),
        ("/workspace/a..b", (400, "invalid path")),
        ("/workspace//a", (400, "invalid path")),
        ("/workspace/./a", (400, "invalid path")),
        ("/workspace/a/", (400, "invalid path")),
        // What is not a file of a chat is on a disk that the platform does not see.
        ("/workspace", (404, "file not found")),
        ("/configs/system-prompt.md", (404, "file not found")),
        (folder, (404, "file not found")),
        (&path[..path.len() - 1], (404, "file not found")),
        (&format!("{path}x"), (404, "file not found")),
    ] {
        let answer = download(&world, &workspace, path, "").await;
        assert_eq!(answer.error(), expected, "{path}");
    }
    let bare = format!("/workspaces/{}/chat/download", workspace.id);
    let bare = world.get(&bare).by(&workspace).await;
    assert_eq!(bare.error(), (400, "path query required"));
}

#[tokio::test]
async fn files_are_their_workspaces_alone() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let path = upload(&world, &own, "a.txt", TEXT).await;
    let url = format!("/workspaces/{}/chat/download?path={path}", own.id);
    let foreign = world.get(&url).by(&other).await;
    assert_eq!(foreign.error(), (401, "invalid workspace auth token"));
    let nameless = world.get(&url).await;
    assert_eq!(nameless.error(), (401, "missing workspace auth token"));
    world.get(&url).bearer(&world.admin).await.expect(200);
    // Below another workspace this path is nothing.
    let theirs = download(&world, &other, &path, "").await;
    assert_eq!(theirs.error(), (404, "file not found"));
}

#[tokio::test]
async fn large_files_are_fetched_from_the_bucket() {
    let world = World::new();
    let workspace = world.workspace("Archivist").await;
    // Over what is answered directly; and text that is too long once it is written as JSON.
    for (name, content) in [
        ("a.bin", vec![0xff; 4_000_001]),
        ("lines.txt", vec![b'\n'; 3_000_000]),
    ] {
        let path = upload(&world, &workspace, name, &content).await;
        let answer = download(&world, &workspace, &path, "").await.expect(302);
        let there = world.fetch(answer.header("location")).await.expect(200);
        assert!(there.bytes == content, "{name}");
        let disposition = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}");
        assert_eq!(there.header("content-disposition"), disposition);
        let part = world.fetch(answer.header("location"));
        let part = part.header("range", "bytes=1-3").await.expect(206);
        assert_eq!(part.bytes, content[1..=3]);
    }
}

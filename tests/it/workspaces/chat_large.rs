//! `POST /workspaces/{id}/chat/uploads/presign` and `…/complete`

use e2e::{Answer, Call, Workspace, World};
use reqwest::{Client, Method, header::HeaderMap};
use serde_json::{Value, json};

const MAX_FILE: usize = 50 * 1024 * 1024;

struct Chat<'a> {
    world: &'a World,
    workspace: Workspace,
}

impl Chat<'_> {
    fn ask(&self, what: &str, body: &Value) -> Call {
        let path = format!("/workspaces/{}/chat/uploads/{what}", self.workspace.id);
        self.world.post(&path).by(&self.workspace).json(body)
    }

    async fn download(&self, uri: &str) -> Answer {
        let path = uri.strip_prefix("workspace:").expect(uri);
        let path = format!(
            "/workspaces/{}/chat/download?path={path}",
            self.workspace.id
        );
        self.world.get(&path).by(&self.workspace).await
    }
}

async fn put(url: &str, content: Vec<u8>) -> u16 {
    let client = Client::builder().no_proxy().build().expect("a client");
    let answer = client.request(Method::PUT, url).body(content).send().await;
    answer.expect("the bucket answers").status().as_u16()
}

#[tokio::test]
async fn a_large_file_goes_to_the_bucket_and_comes_back() {
    let world = World::new();
    let workspace = world.workspace("Editor").await;
    let chat = Chat {
        world: &world,
        workspace,
    };
    let content: Vec<u8> = (0..=250).cycle().take(9_000_000).collect();
    let wanted = json!({"name": "the film.mp4", "size": content.len()});
    let presigned = chat.ask("presign", &wanted).await.expect(200);
    let uri = presigned.text("uri");
    assert_eq!(presigned.json["name"], "the_film.mp4");
    assert_eq!(presigned.json["mimeType"], "video/mp4");
    assert_eq!(presigned.json["method"], "PUT");
    assert_eq!(
        presigned.json["headers"],
        json!({"Content-Length": "9000000"})
    );
    assert_eq!(presigned.json["expires_in_seconds"], 900);
    // The length is part of what is signed: S3 takes a body of this one only.
    let url = presigned.text("url");
    let signed = url
        .split('&')
        .find(|it| it.starts_with("X-Amz-SignedHeaders="));
    assert!(
        signed.is_some_and(|it| it.contains("content-length")),
        "{url}"
    );

    let complete = || chat.ask("complete", &json!({"uri": uri}));
    let early = complete().await;
    assert_eq!(early.error(), (404, "file not found"));
    assert!(early.text("hint").contains("presign"));
    assert_eq!(put(&url, content.clone()).await, 200);
    let file = json!({
        "uri": uri, "name": "the_film.mp4", "mimeType": "video/mp4", "size": 9_000_000,
    });
    for _ in 0..2 {
        let completed = complete().await.expect(200);
        assert_eq!(completed.json, json!({"files": [file]}));
    }
    let found = chat.download(&uri).await.expect(302);
    let there = world.fetch(found.header("location")).await.expect(200);
    assert!(there.bytes == content, "it came back as something else");
}

/// A browser follows the redirect by itself, and gives its page the file only if both answers let it. A
/// page that sends credentials is not let by `*`.
#[tokio::test]
async fn a_page_of_another_origin_follows_to_the_bucket() {
    let world = World::new();
    let workspace = world.workspace("Projector").await;
    let chat = Chat {
        world: &world,
        workspace,
    };
    let wanted = json!({"name": "film.mp4", "size": 5_000_000});
    let presigned = chat.ask("presign", &wanted).await.expect(200);
    let (uri, url) = (presigned.text("uri"), presigned.text("url"));
    let client = Client::builder().no_proxy().build().expect("a client");
    let lets = |answer: &HeaderMap| {
        let header = |name: &str| {
            answer
                .get(name)
                .map(|it| it.to_str().expect("text").to_owned())
        };
        let origin = header("access-control-allow-origin").unwrap_or_default();
        let credentials = header("access-control-allow-credentials");
        (origin, credentials.as_deref() == Some("true"))
    };
    let canvas = "http://localhost:3000";
    let named = |origin: &str| (origin.to_owned(), true);
    // The file is sent from the page itself.
    for (origin, expected) in [
        (canvas, named(canvas)),
        (&world.base, named(&world.base)),
        ("https://elsewhere.example", ("*".to_owned(), false)),
    ] {
        let asks = client.request(Method::OPTIONS, &url);
        let asks = asks
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type");
        let answer = asks.send().await.expect("the bucket answers");
        assert_eq!(answer.status(), 200, "{origin}");
        assert_eq!(lets(answer.headers()), expected, "{origin}");
    }
    assert_eq!(put(&url, vec![7; 5_000_000]).await, 200);
    let complete = chat.ask("complete", &json!({"uri": uri}));
    complete.await.expect(200);

    let path = uri.strip_prefix("workspace:").expect(&uri);
    let path = format!(
        "/workspaces/{}/chat/download?path={path}",
        chat.workspace.id
    );
    let call = world.get(&path).by(&chat.workspace);
    let found = call.header("origin", canvas).await.expect(302);
    assert_eq!(lets(&found.headers), named(canvas));
    let location = found.header("location");
    for (origin, expected) in [
        // From a page of another origin than the API's, and from one of the same.
        ("null", named("null")),
        (&world.base, named(&world.base)),
        (canvas, named(canvas)),
        ("https://elsewhere.example", ("*".to_owned(), false)),
    ] {
        let there = world.fetch(location).header("origin", origin);
        let there = there.await.expect(200);
        assert_eq!(there.bytes.len(), 5_000_000);
        assert_eq!(lets(&there.headers), expected, "{origin}");
    }
    // Without credentials, as before.
    let plain = world.fetch(location).await.expect(200);
    assert_eq!(lets(&plain.headers), (String::new(), false));
}

#[tokio::test]
async fn what_neither_sender_nor_name_say_its_first_bytes_do() {
    let world = World::new();
    let workspace = world.workspace("Painter").await;
    let chat = Chat {
        world: &world,
        workspace,
    };
    let png = [b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; 20_000]].concat();
    for (content, stated, expected) in [
        (png.clone(), "", Some("image/png")),
        (png, "image/x-mine", Some("image/x-mine")),
        (b"some words".to_vec(), "", None),
    ] {
        let wanted = json!({"name": "shot", "size": content.len()});
        let presigned = chat.ask("presign", &wanted).await.expect(200);
        assert_eq!(put(&presigned.text("url"), content).await, 200);
        let sent = json!({"uri": presigned.text("uri"), "mimeType": stated});
        let completed = chat.ask("complete", &sent).await.expect(200);
        let file = &completed.json["files"][0];
        assert_eq!(file["mimeType"].as_str(), expected, "{file}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let world = World::new();
    let workspace = world.workspace("Hoarder").await;
    let chat = Chat {
        world: &world,
        workspace,
    };
    let required = "name and size (in bytes) are required";
    for body in [
        json!({}),
        json!({"name": "a"}),
        json!({"size": 1}),
        json!({"name": "", "size": 1}),
        json!({"name": "a", "size": 0}),
        json!({"name": "a", "size": -1}),
        json!({"name": "a", "size": "1"}),
        json!({"name": 7, "size": 1}),
        json!([]),
    ] {
        let answer = chat.ask("presign", &body).await;
        assert_eq!(answer.error(), (400, required), "{body}");
    }
    let over = json!({"name": "a b", "size": MAX_FILE + 1});
    let over = chat.ask("presign", &over).await.expect(413);
    assert_eq!(over.json["error"], "a b exceeds per-file limit (50 MB)");
    assert_eq!(over.json["max_bytes"], MAX_FILE);
    let most = json!({"name": "a", "size": MAX_FILE});
    let presigned = chat.ask("presign", &most).await.expect(200);

    // The bucket takes what was signed, and nothing larger or smaller.
    let uri = presigned.text("uri");
    for size in [MAX_FILE + 1, MAX_FILE - 1, 0] {
        let status = put(&presigned.text("url"), vec![7; size]).await;
        assert_eq!(status, 403, "{size} bytes");
    }
    let gone = chat.ask("complete", &json!({"uri": uri})).await;
    assert_eq!(gone.error(), (404, "file not found"));
    assert_eq!(chat.download(&uri).await.error(), (404, "file not found"));

    let foreign = "uri must be one that presign has answered";
    for uri in [
        json!(null),
        json!(""),
        json!("https://example.com/a"),
        json!("workspace:/etc/passwd"),
        json!("workspace:/workspace/.molecule/chat-uploads/../../etc/passwd"),
    ] {
        let answer = chat.ask("complete", &json!({"uri": uri})).await;
        assert_eq!(answer.error(), (400, foreign), "{uri}");
    }
    let nonsense = chat.ask("complete", &json!({"uri": 7})).await;
    assert_eq!(nonsense.error(), (400, "uri is required"));
}

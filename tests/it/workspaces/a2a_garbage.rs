//! `POST /workspaces/{id}/a2a`: whoever answers at the agent's address speaks no HTTP, or says
//! nothing at all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use e2e::{Backstage, Workspace, World, envelope, without};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const UNREACHED: &str = "failed to reach workspace agent";

/// Says these bytes to every caller, and closes.
#[derive(Debug)]
struct Babbler {
    url: String,
    calls: Arc<AtomicUsize>,
}

impl Babbler {
    async fn start(says: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut heard = vec![0; 64 * 1024];
                // Closing on unread bytes would be a reset, which says something else.
                let _ = caller.read(&mut heard).await;
                let _ = caller.write_all(says).await;
                let _ = caller.shutdown().await;
                while caller.read(&mut heard).await.is_ok_and(|count| count > 0) {}
            }
        });
        Self { url, calls }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn at(world: &World, babbler: &Babbler) -> Workspace {
    let workspace = world.workspace("Babbler").await;
    world.register(&workspace, &babbler.url).await.expect(200);
    workspace
}

#[tokio::test]
async fn what_is_no_http_is_no_agent() {
    let (world, backstage) = (World::new(), Backstage::new().await);
    let lead = world.workspace("Lead").await;
    let babble: [&[u8]; 5] = [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
        b"<html>hello</html>\r\n\r\n",
        b"HTTP/1.1 fine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
    ];
    for says in babble {
        let shown = String::from_utf8_lossy(says);
        let babbler = Babbler::start(says).await;
        let workspace = at(&world, &babbler).await;
        let message = envelope("hello");
        let send = || world.send(&workspace.id).by(&lead).json(&message);
        let answer = send().await;
        assert_eq!(answer.json, json!({"error": UNREACHED}), "{shown}");
        assert_eq!(answer.status, 502, "{shown}");
        assert_eq!(answer.header("retry-after"), "", "{shown}");
        // It waits for nothing, and whoever it was has heard it once: also if it is sent again.
        assert!(backstage.line(&workspace).await.is_empty(), "{shown}");
        assert_eq!(send().await.error(), (502, UNREACHED), "{shown}");
        assert_eq!(babbler.calls(), 1, "{shown}");
        let rows = world.activity(&workspace.id, "").await;
        assert_eq!(rows.len(), 1, "{shown}");
        assert_eq!(rows[0]["status"], "error", "{shown}");
    }
}

#[tokio::test]
async fn a_delegation_to_it_fails_at_once() {
    let world = World::new();
    let lead = world.workspace("Lead").await;
    let babbler = Babbler::start(b"220 mail.example.org ESMTP\r\n").await;
    let workspace = at(&world, &babbler).await;
    let told = world.delegate(&lead, &workspace.id, "task").await;
    let id = told.expect(202).text("delegation_id");
    let failed = world.delegated(&lead, &id, "failed").await;
    assert_eq!(failed["error"], UNREACHED);
    assert_eq!(babbler.calls(), 1);
}

#[tokio::test]
async fn who_closes_without_an_answer_is_busy() {
    let world = World::new();
    let nothing: [&[u8]; 2] = [b"", b"HTTP/1.1 200"];
    for says in nothing {
        let babbler = Babbler::start(says).await;
        let workspace = at(&world, &babbler).await;
        let answer = world.message(&workspace.id, "hello").await.expect(202);
        let id = answer.text("queue_id");
        assert_eq!(
            without(&answer.json, &["message"]),
            json!({"queued": true, "queue_id": id, "queue_depth": 1, "position": 1})
        );
        let found = world.request(&workspace.id, &id).await;
        assert_eq!(found["state"], "queued");
    }
}

//! A WebSocket client that keeps what it is told.

use std::{
    env,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderName, HeaderValue},
    },
};

use crate::{Workspace, until};

/// A connection that is open, and what came by it.
#[derive(Debug)]
pub struct Listener {
    frames: Arc<Mutex<Vec<Value>>>,
    send: futures_util::stream::SplitSink<WebSocketStream<MaybeTlsStream<TcpStream>>, Message>,
    reader: JoinHandle<()>,
    /// The protocol that the platform chose.
    pub protocol: Option<String>,
}

impl Listener {
    /// Connects with these headers; `query` is what follows the path.
    ///
    /// # Errors
    /// The status of a refusal.
    ///
    /// # Panics
    /// There is no stack.
    pub async fn open(query: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let url = env::var("WS_URL").expect("set by `make test`") + query;
        let mut request = url.into_client_request().expect("an address");
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a name");
            let value = HeaderValue::from_str(value).expect("a value");
            request.headers_mut().insert(name, value);
        }
        let (socket, answer) = match connect_async(request).await {
            Ok(open) => open,
            Err(Error::Http(refusal)) => return Err(refusal.status().as_u16()),
            Err(other) => panic!("no handshake: {other}"),
        };
        let chosen = answer.headers().get("sec-websocket-protocol");
        let protocol = chosen.and_then(|it| it.to_str().ok()).map(str::to_owned);
        let (send, mut receive) = socket.split();
        let frames = Arc::new(Mutex::new(Vec::new()));
        let kept = frames.clone();
        let reader = tokio::spawn(async move {
            while let Some(Ok(frame)) = receive.next().await {
                if let Message::Text(text) = frame {
                    let frame = serde_json::from_str(&text).expect("JSON");
                    kept.lock().expect("no panic").push(frame);
                }
            }
        });
        Ok(Self {
            frames,
            send,
            reader,
            protocol,
        })
    }

    /// A person, by this token.
    pub async fn person(token: &str) -> Self {
        let bearer = format!("Bearer {token}");
        Self::open("", &[("authorization", &bearer)])
            .await
            .expect("a person may listen")
    }

    /// A workspace.
    pub async fn workspace(workspace: &Workspace) -> Self {
        let bearer = format!("Bearer {}", workspace.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-workspace-id", &workspace.id),
        ];
        Self::open("", &headers)
            .await
            .expect("a workspace may listen")
    }

    /// Sends a frame.
    pub async fn say(&mut self, text: &str) {
        let frame = Message::text(text);
        self.send.send(frame).await.expect("open");
    }

    /// All frames so far, repeats among them.
    pub fn frames(&self) -> Vec<Value> {
        self.frames.lock().expect("no panic").clone()
    }

    /// Frames about one workspace so far, in the order in which they came first.
    pub fn about(&self, id: &str) -> Vec<Value> {
        let mut seen = std::collections::HashSet::new();
        let frames = self.frames().into_iter();
        frames
            .filter(|frame| frame["workspace_id"] == id && seen.insert(frame["id"].to_string()))
            .collect()
    }

    /// The names of the events about one workspace so far.
    pub fn names(&self, id: &str) -> Vec<String> {
        let frames = self.about(id);
        let name = |frame: &Value| frame["event"].as_str().unwrap_or_default().to_owned();
        frames.iter().map(name).collect()
    }

    /// Waits for an event about a workspace (an empty id: about none).
    pub async fn told(&self, id: &str, name: &str) -> Value {
        until(60, &format!("{name} of {id}"), || async {
            let frames = self.frames();
            let wanted = |frame: &&Value| frame["workspace_id"] == id && frame["event"] == name;
            frames.iter().find(wanted).cloned()
        })
        .await
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.reader.is_finished()
    }

    /// Hangs up.
    pub async fn close(mut self) {
        let _ = self.send.close().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

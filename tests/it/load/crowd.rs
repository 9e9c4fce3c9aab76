//! The workspaces under load, and their agents: one server for all of them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use e2e::{Workspace, World};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

/// How many are made at once.
const AT_ONCE: usize = 8;

/// What agents had of one message.
#[derive(Debug, Default, Clone)]
pub(super) struct Had {
    /// How often it came.
    pub(super) came: usize,
    /// How often its agent said that it is busy.
    pub(super) refused: usize,
    /// How often it was answered.
    pub(super) answered: usize,
}

#[derive(Debug, Default)]
struct Inner {
    had: Mutex<HashMap<String, Had>>,
    working: Vec<AtomicUsize>,
}

/// Workspaces with an agent each.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    pub(super) workspaces: Arc<Vec<Workspace>>,
    agents: Arc<Inner>,
}

impl Crowd {
    /// So many, registered and online.
    pub(super) async fn gather(world: &World, count: usize) -> Self {
        let agents = Arc::new(Inner {
            working: (0..count).map(|_| AtomicUsize::new(0)).collect(),
            ..Inner::default()
        });
        let app = Router::new()
            .route("/{number}", post(answer))
            .with_state(Arc::clone(&agents));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        let made = stream::iter(0..count).map(|number| async move {
            let workspace = world.workspace(&format!("Load {number}")).await;
            let url = format!("http://{address}/{number}");
            world.register(&workspace, &url).await.expect(200);
            workspace
        });
        Self {
            workspaces: Arc::new(made.buffered(AT_ONCE).collect().await),
            agents,
        }
    }

    /// On how many messages an agent works now.
    pub(super) fn working(&self, number: usize) -> usize {
        self.agents.working[number].load(Ordering::SeqCst)
    }

    /// What agents had, by message id.
    pub(super) fn had(&self) -> HashMap<String, Had> {
        self.agents.had.lock().expect("lock").clone()
    }
}

/// An agent at work, until it is done or its caller is gone.
struct Works<'a>(&'a AtomicUsize);

impl<'a> Works<'a> {
    fn on(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Works<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Does what the message says. The same id again is answered again, and said to be so: that it is
/// one piece of work is the agent's to know.
async fn answer(
    State(agents): State<Arc<Inner>>,
    Path(number): Path<usize>,
    Json(body): Json<Value>,
) -> Response {
    let message = &body["params"]["message"];
    let id = message["messageId"].as_str().unwrap_or_default().to_owned();
    let wish = &message["metadata"];
    {
        let mut had = agents.had.lock().expect("lock");
        let had = had.entry(id.clone()).or_default();
        had.came += 1;
        if wish["busy"] == true && had.came == 1 {
            had.refused += 1;
            let busy = Json(json!({"error": "busy"}));
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                [("retry-after", "1")],
                busy,
            )
                .into_response();
        }
    }
    let work = wish["work_ms"].as_u64().unwrap_or_default();
    let works = Works::on(&agents.working[number]);
    tokio::time::sleep(Duration::from_millis(work)).await;
    drop(works);
    let time = {
        let mut had = agents.had.lock().expect("lock");
        let had = had.entry(id.clone()).or_default();
        had.answered += 1;
        had.answered
    };
    Json(json!({
        "jsonrpc": "2.0",
        "id": body["id"],
        "result": {
            "kind": "message",
            "role": "agent",
            "messageId": uuid::Uuid::new_v4(),
            "parts": [{"kind": "text", "text": format!("{id}/{time}")}],
        },
    }))
    .into_response()
}

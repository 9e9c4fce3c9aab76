//! `POST /admin/workspace-images/refresh`, the watcher, and the machines that start anew.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use domain::{Mode, WorkspaceId, job::Job, workspace::Status};
use e2e::counted::{InProcess, PUBLIC, jobs};
use fleet::images::{Refresher, watch};
use serde_json::{Value, json};
use store::{
    images::{Images, Resolved},
    lifecycle::Found,
    workspaces::Parts,
};
use tokio::net::TcpListener;

/// A registry that wants a token, and the number of the image under every tag; none: it fails.
type Shelf = Arc<Mutex<Option<u8>>>;

pub(super) fn digest(number: u8) -> String {
    format!("sha256:{}", format!("{number:02x}").repeat(32))
}

async fn registry(shelf: Shelf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let manifest = async move |State(shelf): State<Shelf>, _: Path<String>, headers: HeaderMap| {
        let mut answer = HeaderMap::new();
        if headers
            .get("authorization")
            .is_none_or(|it| it != "Bearer pull")
        {
            let ask = format!("Bearer realm=\"http://{address}/token\",service=\"here\"");
            answer.insert("www-authenticate", ask.parse().expect("a header"));
            return (StatusCode::UNAUTHORIZED, answer);
        }
        let Some(number) = *shelf.lock().expect("lock") else {
            return (StatusCode::BAD_GATEWAY, answer);
        };
        let value = digest(number).parse().expect("a header");
        answer.insert("docker-content-digest", value);
        (StatusCode::OK, answer)
    };
    let app = Router::new()
        .route("/v2/{*path}", get(manifest))
        .route("/token", get(async || r#"{"token":"pull"}"#))
        .with_state(shelf);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address.to_string()
}

/// A workspace whose machine runs this image and whose agent has registered; and its token.
pub(super) async fn running(inside: &InProcess, instance: &str) -> (WorkspaceId, String) {
    let call = inside.post("/workspaces").bearer(&inside.admin);
    let made = call
        .json(&json!({"name": "Ada", "runtime": "example"}))
        .await;
    let id: WorkspaceId = made.expect(201).text("id").parse().expect("an id");
    let found = Found::Launched {
        instance_id: instance.to_owned(),
        at: jiff::Timestamp::now(),
    };
    assert!(
        inside
            .app
            .store
            .found(id, 1, &found)
            .await
            .expect("recorded")
    );
    let call = inside.post("/registry/register").bearer(&inside.admin);
    let body = json!({"id": id, "url": PUBLIC, "agent_card": {"name": "test"}});
    let registered = call.json(&body).await.expect(200);
    (id, registered.text("auth_token").to_owned())
}

async fn work(inside: &InProcess, job: &Job) -> usize {
    receive(inside, job, 1).await
}

/// The queue gives this job to the function for the nth time; how many it is to keep.
async fn receive(inside: &InProcess, job: &Job, nth: u32) -> usize {
    let body = serde_json::to_string(job).expect("JSON");
    let attributes = json!({"ApproximateReceiveCount": nth.to_string()});
    let batch = json!({"Records": [{"messageId": "1", "body": body, "attributes": attributes}]});
    let batch = serde_json::from_value(batch).expect("a batch");
    let worked = workspaces::restarts::handle(inside.app, batch).await;
    worked.expect("worked").failures.len()
}

async fn status(inside: &InProcess, id: WorkspaceId) -> Status {
    let found = inside.app.store.workspace(id, Parts::Core).await;
    found.expect("read").expect("there").status()
}

#[tokio::test]
async fn a_changed_image_starts_idle_machines_anew_and_busy_ones_later() {
    let shelf: Shelf = Arc::new(Mutex::new(Some(1)));
    let host = registry(shelf.clone()).await;
    let images = [
        ("example", format!("{host}/agent:1")),
        ("gone", "127.0.0.1:1/agent".to_owned()),
    ];
    let inside = InProcess::with_images(Mode::DevClosed, &images).await;
    let refresher = Refresher::start(inside.app).expect("a client");
    let watcher = watch::Watcher::over(refresher, "tests");
    let ((idle, _), (busy, token)) = (
        running(&inside, "i-00000001").await,
        running(&inside, "i-00000002").await,
    );
    let tick = async || watch::handle(watcher, Value::Null).await.expect("looked");
    let pinned = async || {
        let images = inside.app.store.images().await.expect("read");
        images.image("example", &images_of(&inside)).to_owned()
    };
    // Seen for the first time; the same again; the registry broken; a new image.
    for (number, found, failed) in [
        (Some(1), 0, 1),
        (Some(1), 0, 1),
        (None, 0, 2),
        (Some(2), 1, 1),
    ] {
        *shelf.lock().expect("lock") = number;
        let report = tick().await;
        assert_eq!((report.found, report.failed), (found, failed), "{number:?}");
    }
    assert_eq!(pinned().await, format!("{host}/agent@{}", digest(2)));

    // The busy one says so.
    let beat = json!({"workspace_id": busy, "active_tasks": 1});
    let call = inside.post("/registry/heartbeat").bearer(&token);
    call.json(&beat).await.expect(200);
    let job = |workspace_id| Job::RefreshV1 {
        workspace_id,
        round: 0,
    };
    assert_eq!(work(&inside, &job(idle)).await, 0);
    assert_eq!(work(&inside, &job(busy)).await, 1);
    assert_eq!(status(&inside, idle).await, Status::Provisioning);
    assert_eq!(status(&inside, busy).await, Status::Online);
    let beat = json!({"workspace_id": busy, "active_tasks": 0});
    let call = inside.post("/registry/heartbeat").bearer(&token);
    call.json(&beat).await.expect(200);
    assert_eq!(work(&inside, &job(busy)).await, 0);
    assert_eq!(status(&inside, busy).await, Status::Provisioning);

    // By hand: one is resolved, the other is not; an unknown one is refused.
    *shelf.lock().expect("lock") = Some(3);
    let path = "/admin/workspace-images/refresh";
    let post = |query: &str| inside.post(&format!("{path}{query}")).bearer(&inside.admin);
    let only = post("?recreate=false").await.expect(200);
    assert_eq!(
        only.json,
        json!({"pulled": ["example"], "failed": ["gone"], "recreated": []})
    );
    assert_eq!(pinned().await, format!("{host}/agent@{}", digest(3)));
    let all = post("?runtime=example").await.expect(200);
    assert_eq!(all.json["recreated"], json!([idle, busy]));
    let unknown = post("?runtime=hermes").await.expect(400);
    assert_eq!(unknown.json["error"], "unknown runtime: hermes");
    assert_eq!(unknown.json["known_runtimes"], json!(["example", "gone"]));
    assert_eq!(inside.post(path).await.status, 401);
}

#[tokio::test]
async fn who_is_always_at_work_is_left_alone_after_a_day() {
    let inside =
        InProcess::with_images(Mode::DevClosed, &[("example", "r/agent:1".to_owned())]).await;
    let (busy, token) = running(&inside, "i-00000001").await;
    let beat = json!({"workspace_id": busy, "active_tasks": 1});
    let call = inside.post("/registry/heartbeat").bearer(&token);
    call.json(&beat).await.expect(200);
    let resolved = Resolved {
        from: images_of(&inside),
        to: format!("r/agent@{}", digest(1)),
    };
    let store = &inside.app.store;
    let resolved = [("example".to_owned(), resolved)].into();
    let now = jiff::Timestamp::now();
    let before = Images::default();
    let saved = store.save_images(&before, resolved, &[], now);
    assert!(saved.await.expect("saved"));
    let job = |round| Job::RefreshV1 {
        workspace_id: busy,
        round,
    };
    // It is tried four times, then in the next round; in the last one it is let go.
    for (round, nth, kept, next) in [
        (0, 3, 1, vec![]),
        (0, 4, 0, vec![job(1)]),
        (119, 4, 0, vec![job(120)]),
        (120, 3, 1, vec![]),
        (120, 4, 0, vec![]),
    ] {
        inside.wire.take();
        assert_eq!(
            receive(&inside, &job(round), nth).await,
            kept,
            "{round}, {nth}"
        );
        assert_eq!(jobs(&inside.wire.take()), next, "{round}, {nth}");
    }
    assert_eq!(status(&inside, busy).await, Status::Online);
}

fn images_of(inside: &InProcess) -> String {
    inside.app.settings.fleet.images["example"].clone()
}

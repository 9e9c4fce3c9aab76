//! `GET /workspaces/{id}/events/stream` where answers stream: the function itself as a process, and a
//! Runtime API that looks at every byte when it comes.

use std::time::Duration;

use domain::Mode;
use e2e::{
    Backstage, STRANGER, Workspace, World,
    counted::{InProcess, show},
    runtime_api::{self, Answering, Running, RuntimeApi},
    template::Template,
};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

/// What an answer leaves of its time.
const MARGIN_MS: i64 = 10_000;
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The function, ready for work.
struct Live {
    runtime: RuntimeApi,
    process: Running,
}

impl Live {
    async fn start(world: &World) -> Self {
        let table = std::env::var("TABLE_NAME").expect("set by `make test`");
        Self::over(world, table).await
    }

    /// Over another table than the deployed one.
    async fn over(world: &World, table: String) -> Self {
        let mut functions = Template::ours().functions();
        let function = functions.find(|it| it.handler() == "events.live");
        let mut runtime = RuntimeApi::start().await;
        let var = |name| std::env::var(name).expect("set by `make test`");
        let process = Running::start(
            &function.expect("a function"),
            &runtime.address,
            &[
                ("TABLE_NAME", table),
                ("BUCKET_NAME", var("BUCKET_NAME")),
                ("ADMIN_TOKEN", world.admin.clone()),
                ("MOLECULE_ENV", "development".to_owned()),
                ("MOLECULE_ORG_ID", String::new()),
                ("EXTERNAL_PLATFORM_URL", world.base.clone()),
            ],
        );
        let process = process.expect("started");
        within(runtime.asked()).await;
        Self { runtime, process }
    }

    /// Invokes it, as the URL does; the answer may last for `ms`.
    async fn call(&mut self, method: Method, path: &str, headers: Value, ms: i64) -> Answering {
        let now = Timestamp::now().as_millisecond();
        let event = runtime_api::event(&method, path, "", &headers, now);
        within(self.runtime.invoke(event, now + MARGIN_MS + ms)).await
    }

    async fn listen(&mut self, to: &Workspace, since: Option<&str>, ms: i64) -> Answering {
        let mut headers = bearer(&to.token);
        if let Some(since) = since {
            headers["last-event-id"] = json!(since);
        }
        self.call(Method::GET, &path(&to.id), headers, ms).await
    }
}

fn path(id: &str) -> String {
    format!("/workspaces/{id}/events/stream")
}

fn bearer(token: &str) -> Value {
    json!({"authorization": format!("Bearer {token}")})
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("in time")
}

/// The next block that tells this: its id and its data.
async fn told(answer: &mut Answering, name: &str) -> (String, Value) {
    loop {
        let block = within(answer.until("\n\n")).await;
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        if let Some(data) = line("data: ") {
            let id = line("id: ").expect("an id").to_owned();
            let data: Value = serde_json::from_str(data).expect("JSON");
            if data["type"] == name {
                return (id, data);
            }
        }
    }
}

#[tokio::test]
async fn each_event_comes_before_the_next_is_written_and_then_the_answer_ends() {
    let world = World::new();
    let workspace = world.workspace("Streamed").await;
    let other = world.child("Not streamed", &workspace).await;
    let mut live = Live::start(&world).await;
    let mut answer = live.listen(&workspace, None, 12_000).await;
    for (name, value) in [
        ("lambda-runtime-function-response-mode", "streaming"),
        ("transfer-encoding", "chunked"),
        (
            "content-type",
            "application/vnd.awslambda.http-integration-response",
        ),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    let trailers = answer.headers.get_all("trailer").iter();
    let trailers: Vec<_> = trailers.filter_map(|it| it.to_str().ok()).collect();
    assert_eq!(
        trailers,
        [
            "Lambda-Runtime-Function-Error-Type",
            "Lambda-Runtime-Function-Error-Body"
        ]
    );
    let prelude = within(answer.prelude()).await;
    assert_eq!(prelude["statusCode"], 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(prelude["headers"][name], value);
    }
    assert_eq!(prelude["headers"]["x-content-type-options"], "nosniff");
    let first = within(answer.until("\n\n")).await;
    assert_eq!(first, ": ping\n\n");

    let mut ids = Vec::new();
    for task in ["first", "second"] {
        for one in [&other, &workspace] {
            let beat = world.beat(one, json!({"current_task": task})).await;
            beat.expect(200);
        }
        // Nothing is written until this is here.
        let (id, data) = told(&mut answer, "TASK_UPDATED").await;
        let payload = json!({"current_task": task, "active_tasks": 0});
        assert_eq!(data["data"], payload, "and nothing of the other workspace");
        ids.push(id);
    }
    let rest = within(answer.rest()).await;
    assert!(rest.ends_with("retry: 100\n\n"), "{rest:?}");
    assert!(!rest.contains("TASK_UPDATED"), "{rest:?}");

    // The same process goes on from the first of them.
    let mut answer = live.listen(&workspace, Some(&ids[0]), 4000).await;
    let (id, data) = told(&mut answer, "TASK_UPDATED").await;
    assert_eq!(
        (&id, &data["data"]["current_task"]),
        (&ids[1], &json!("second"))
    );
    assert!(!within(answer.rest()).await.contains("TASK_UPDATED"));
}

#[tokio::test]
async fn refusals_are_those_of_the_route() {
    let world = World::new();
    let (own, other) = (world.workspace("Own").await, world.workspace("Other").await);
    let mut live = Live::start(&world).await;
    let own_path = path(&own.id);
    for (path, token, since) in [
        (&*own_path, "", ""),
        (&*own_path, "wrong", ""),
        (&*own_path, &*other.token, ""),
        (&*own_path, &*own.token, "x"),
        (&*path(STRANGER), &*world.admin, ""),
        (&*path("x"), &*world.admin, ""),
    ] {
        let route = world.get(path).bearer(token).header("last-event-id", since);
        let route = route.await;
        let mut headers = bearer(token);
        headers["last-event-id"] = json!(since);
        let mut answer = live.call(Method::GET, path, headers, 5000).await;
        let prelude = within(answer.prelude()).await;
        let body: Value = serde_json::from_str(&within(answer.rest()).await).expect("JSON");
        assert_eq!(
            prelude["statusCode"], route.status,
            "{path} {token}: {body}"
        );
        assert_eq!(body, route.json, "{path} {token}");
        assert!(route.status >= 400, "{path} {token}");
    }
    let page = |origin: &str| json!({"origin": origin});
    let listed = "http://localhost:3000";
    for (method, path, headers, status, allowed) in [
        (Method::GET, "/", json!({}), 404, None),
        (Method::POST, &*own_path, bearer(&own.token), 404, None),
        (Method::OPTIONS, &*own_path, page(listed), 204, Some(listed)),
        (
            Method::OPTIONS,
            &*own_path,
            page(&world.base),
            204,
            Some(&*world.base),
        ),
        (
            Method::OPTIONS,
            &*own_path,
            page("https://evil.example"),
            403,
            None,
        ),
        (Method::GET, &*own_path, page(listed), 401, Some(listed)),
    ] {
        let mut answer = live.call(method, path, headers.clone(), 5000).await;
        let prelude = within(answer.prelude()).await;
        assert_eq!(prelude["statusCode"], status, "{path} {headers}");
        let origin = &prelude["headers"]["access-control-allow-origin"];
        assert_eq!(origin.as_str(), allowed, "{path} {headers}");
        within(answer.rest()).await;
    }
}

#[tokio::test]
async fn an_answer_ends_with_its_token() {
    let world = World::new();
    let workspace = world.workspace("Revoked").await;
    let minted = world.test_token(&workspace.id).await;
    let second = Workspace {
        token: minted,
        ..workspace.clone()
    };
    let mut live = Live::start(&world).await;
    let mut answer = live.listen(&second, None, 300_000).await;
    assert_eq!(within(answer.prelude()).await["statusCode"], 200);
    let tokens = format!("/workspaces/{}/tokens", workspace.id);
    let list = world.get(&tokens).by(&workspace).await.expect(200).json;
    let prefix = &second.token[..8];
    let rows = list["tokens"].as_array().expect("a list").iter();
    let row = rows.clone().find(|row| row["prefix"] == prefix);
    let id = row.and_then(|row| row["id"].as_str()).expect("its row");
    let revoke = world.call(Method::DELETE, &format!("{tokens}/{id}"));
    revoke.by(&workspace).await.expect(200);
    let rest = within(answer.rest()).await;
    assert!(rest.ends_with(": the stream broke off\n\n"), "{rest:?}");
    // Who comes back is told why.
    let mut answer = live.listen(&second, None, 5000).await;
    assert_eq!(within(answer.prelude()).await["statusCode"], 401);
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_no_memory_and_misses_nothing() {
    const COUNT: usize = 300;
    const LENGTH: usize = 60_000;
    let world = World::new();
    // A table of its own: so much is told to nobody else.
    let inside = InProcess::apart(Mode::DevClosed).await;
    let backstage = Backstage::beneath(&inside).await;
    let workspace = inside.workspace("Unread").await;
    let mut live = Live::over(&world, inside.app.settings.table.clone()).await;
    let mut answer = live.listen(&workspace, None, 120_000).await;
    within(answer.prelude()).await;
    within(answer.until(": ping\n\n")).await;
    let before = live.process.memory();
    backstage.write_long_events(&workspace, COUNT, LENGTH).await;
    let mut most = before;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(live.process.memory());
    }
    if let (Some(before), Some(most)) = (before, most) {
        let (more, all) = (most - before, (COUNT * LENGTH) as u64);
        show(&format!(
            "stream: {more} bytes more while {all} were not read"
        ));
        assert!(more < all / 2, "{more} of {all}");
    }
    for n in 0..COUNT {
        let (_, data) = told(&mut answer, "AGENT_CARD_UPDATED").await;
        assert_eq!(data["data"]["agent_card"], n);
    }
}

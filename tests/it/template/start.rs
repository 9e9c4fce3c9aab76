//! Every function starts with the environment the template gives it, and asks for work.

use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{Router, extract::State};
use e2e::template::{Function, Template};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

/// How many start at the same time.
const AT_ONCE: usize = 4;
/// Far more than a start takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends the process with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lambda as a function sees it: somewhere to ask for work. There is none; that it asks is told.
async fn runtime() -> (String, mpsc::Receiver<()>) {
    async fn asked(State(tell): State<mpsc::Sender<()>>) {
        let _ = tell.send(()).await;
        std::future::pending::<()>().await;
    }
    let (tell, told) = mpsc::channel(1);
    let next = "/2018-06-01/runtime/invocation/next";
    let app = Router::new()
        .route(next, axum::routing::get(asked))
        .with_state(tell);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address.to_string(), told)
}

/// The value of a variable: a parameter's default, or something for what only a stack knows.
fn value(of: &Value) -> String {
    let default = of["Ref"].as_str().map(|name| {
        let parameter = &Template::ours().body["Parameters"][name]["Default"];
        match parameter {
            Value::String(text) => text.clone(),
            Value::Null => format!("the-{name}"),
            other => other.to_string(),
        }
    });
    default.unwrap_or_else(|| of.as_str().unwrap_or("something").to_owned())
}

fn environment(function: &Function<'_>) -> BTreeMap<String, String> {
    let variables = function.variables();
    let mut set: BTreeMap<String, String> = variables
        .iter()
        .map(|(k, v)| (k.clone(), value(v)))
        .collect();
    // Made of what only a stack knows, and must be an address.
    if let Some(url) = set.get_mut("PLATFORM_URL") {
        "https://api.example.com".clone_into(url);
    }
    // As the template demands of a deployment.
    set.insert(
        "ADMIN_TOKEN".to_owned(),
        "an-admin-token-of-tests".to_owned(),
    );
    set
}

async fn starts(binaries: PathBuf, function: Function<'static>) -> Result<(), String> {
    let (address, mut asked) = runtime().await;
    let own = |name: &str| env::var(name).unwrap_or_default();
    let child = Command::new(binaries.join(function.domain()))
        .env_clear()
        .envs(environment(&function))
        .envs([
            ("_HANDLER", function.handler()),
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", function.id),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "logs"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "log"),
        ])
        .envs(
            [
                "AWS_ENDPOINT_URL",
                "AWS_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
            ]
            .map(|name| (name, own(name))),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Running(child.map_err(|error| format!("{}: {error}", function.domain()))?);
    let mut waited = Duration::ZERO;
    loop {
        let step = Duration::from_millis(100);
        if timeout(step, asked.recv()).await.is_ok() {
            return Ok(());
        }
        waited += step;
        let ended = child.0.try_wait().expect("a child");
        if ended.is_some() || waited >= PATIENCE {
            let why = child.0.stderr.take().map(std::io::read_to_string);
            let why = why.filter(|_| ended.is_some()).and_then(Result::ok);
            return Err(format!("{}: {ended:?} {why:?}", function.handler()));
        }
    }
}

#[tokio::test]
async fn every_function_starts_with_the_environment_the_template_gives_it() {
    let agent: PathBuf = env::var("AGENT_BIN").expect("make test sets it").into();
    let binaries = agent.parent().expect("a folder").to_owned();
    let functions = Template::ours().functions();
    let starting = functions.map(|function| starts(binaries.clone(), function));
    let outcomes: Vec<_> = stream::iter(starting)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let failures: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

//! A function's process, run as Lambda runs it.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{proc, runtime::Runtime};

/// What is started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it is called: its `Handler`.
    pub handler: String,
    /// The binary.
    pub binary: PathBuf,
    /// Its environment, beyond what Lambda gives every function.
    pub environment: BTreeMap<String, String>,
    /// What it costs memory, in megabytes.
    pub memory: u64,
}

/// How a start went.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// From the start of the process to its first question for work.
    pub wall: Duration,
    /// The CPU it had used by then.
    pub cpu: Duration,
}

/// A running function. It ends with this.
#[derive(Debug)]
pub struct Function {
    /// What it is called.
    pub handler: String,
    /// How its start went.
    pub start: Start,
    child: Child,
    runtime: Runtime,
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Function {
    /// Starts it, and waits until it asks for work. What it writes goes to `log`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(plan: &Plan, log: &Path) -> Result<Self, String> {
        let runtime = Runtime::start().await;
        let output = || File::options().create(true).append(true).open(log);
        let failed = |error: io::Error| format!("{}: {error}", plan.binary.display());
        let mut command = Command::new(&plan.binary);
        command
            .env_clear()
            .envs(lambda(plan, &runtime.address()))
            .envs(&plan.environment)
            .stdin(Stdio::null())
            .stdout(output().map_err(failed)?)
            .stderr(output().map_err(failed)?);
        let began = Instant::now();
        let child = command.spawn().map_err(failed)?;
        let mut function = Self {
            handler: plan.handler.clone(),
            start: Start {
                wall: Duration::ZERO,
                cpu: Duration::ZERO,
            },
            child,
            runtime,
        };
        let asked = function.runtime.first_asked().await;
        let asked = asked.map_err(|why| format!("{}: {why}", plan.handler))?;
        function.start = Start {
            wall: asked.duration_since(began),
            cpu: function.cpu()?,
        };
        Ok(function)
    }

    /// Its answer to an event.
    ///
    /// # Errors
    /// It failed.
    pub async fn invoke(&self, event: Vec<u8>) -> Result<Vec<u8>, String> {
        let answer = self.runtime.invoke(event).await;
        answer
            .map(|body| body.to_vec())
            .map_err(|why| format!("{}: {why}", self.handler))
    }

    /// Its answer to a request, as JSON; a status of 400 and more is a failure.
    ///
    /// # Errors
    /// It failed.
    pub async fn call(&self, request: &Request<'_>) -> Result<Value, String> {
        let answer = self
            .invoke(request.event().to_string().into_bytes())
            .await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|why| why.to_string())?;
        let body = answer["body"].as_str().unwrap_or_default();
        match answer["statusCode"].as_u64() {
            Some(200..400) => Ok(serde_json::from_str(body).unwrap_or_default()),
            _ => Err(format!("{}: {answer}", self.handler)),
        }
    }

    /// The CPU it has used so far.
    ///
    /// # Errors
    /// It is gone.
    pub fn cpu(&self) -> Result<Duration, String> {
        proc::cpu(self.child.id()).map_err(|why| format!("{}: {why}", self.handler))
    }

    /// The memory it has in RAM, in bytes.
    ///
    /// # Errors
    /// It is gone.
    pub fn resident(&self) -> Result<u64, String> {
        proc::resident(self.child.id()).map_err(|why| format!("{}: {why}", self.handler))
    }
}

/// What Lambda gives every function.
fn lambda(plan: &Plan, runtime: &str) -> Vec<(&'static str, String)> {
    vec![
        ("_HANDLER", plan.handler.clone()),
        ("AWS_LAMBDA_RUNTIME_API", runtime.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", plan.memory.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
}

/// A request as the gateway hands it on.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path, without a query.
    pub path: &'a str,
    /// The parameters in it.
    pub params: Vec<(&'a str, &'a str)>,
    /// The bearer.
    pub bearer: &'a str,
    /// The body.
    pub body: Value,
}

impl Request<'_> {
    /// The event of an HTTP API, version 2.0, with the headers that clients usually send.
    pub fn event(&self) -> Value {
        let params = self
            .params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)));
        let body = self.body.to_string();
        json!({
            "version": "2.0",
            "routeKey": format!("{} {}", self.method, self.path),
            "rawPath": self.path,
            "rawQueryString": "",
            "headers": {
                "accept": "*/*",
                "authorization": format!("Bearer {}", self.bearer),
                "content-length": body.len().to_string(),
                "content-type": "application/json",
                "host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
                "user-agent": "python-httpx/0.28.1",
                "x-amzn-trace-id": "Root=1-6789abcd-0123456789abcdef01234567",
                "x-forwarded-for": "203.0.113.9",
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
            },
            "pathParameters": serde_json::Map::from_iter(params),
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "abcdefghij",
                "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "abcdefghij",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.9",
                    "userAgent": "python-httpx/0.28.1",
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "$default",
                "stage": "$default",
                "time": "28/Nov/2026:03:00:00 +0000",
                "timeEpoch": jiff::Timestamp::now().as_millisecond(),
            },
            "body": body,
            "isBase64Encoded": false,
        })
    }
}

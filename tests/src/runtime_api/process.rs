//! A function of the template as a process, as Lambda starts one.

use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::template::{Function, Template};

/// A function as a process of its own, which ends with this value.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts a function of the template, with the environment that the template gives it and these
    /// variables besides.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn start(
        function: &Function<'_>,
        runtime: &str,
        more: &[(&str, String)],
    ) -> Result<Self, String> {
        let own = |name: &str| env::var(name).unwrap_or_default();
        let agent: PathBuf = own("AGENT_BIN").into();
        let binaries = agent.parent().ok_or("`make test` sets AGENT_BIN")?;
        let child = Command::new(binaries.join(function.domain()))
            .env_clear()
            .envs(environment(function))
            .envs([
                ("_HANDLER", function.handler()),
                ("AWS_LAMBDA_RUNTIME_API", runtime),
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
            .envs(more.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.map_err(|error| format!("{}: {error}", function.domain()))?;
        Ok(Self(child))
    }

    /// How it ended, and its last words; none while it runs.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.0.try_wait().expect("a child")?;
        let words = self.0.stderr.take().map(std::io::read_to_string);
        Some(format!("{status} {:?}", words.and_then(Result::ok)))
    }

    /// How much memory it has, in bytes; none where the system does not tell.
    pub fn memory(&self) -> Option<u64> {
        self.status("VmRSS:")
    }

    /// The most memory it has had, in bytes; none where the system does not tell.
    pub fn most_memory(&self) -> Option<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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

/// The variables of a function as the template sets them.
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

//! The environment, read once and whole at start.

use std::{env, str::FromStr};

use reqwest::Url;
use uuid::Uuid;

/// What the agent is told by whoever starts it.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the platform answers.
    pub platform_url: Url,
    /// The workspace this agent works for.
    pub workspace_id: Uuid,
    /// The workspace's bearer token. Without one, the first registration may hand one out.
    pub auth_token: Option<String>,
    /// What the agent calls itself.
    pub name: String,
    /// The port to listen on; 0 picks a free one.
    pub port: u16,
    /// The address to register, when it is not the one listened on (a tunnel, a load balancer).
    pub url: Option<String>,
    /// Time between two heartbeats.
    pub heartbeat_seconds: u64,
    /// How long the platform may wait for this agent in silence; its own default when absent.
    pub idle_timeout_seconds: Option<u64>,
}

impl Settings {
    /// Reads the process environment. An error is one sentence that names the variable.
    pub(crate) fn from_env() -> Result<Self, String> {
        Self::read(|name| env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        // A blank variable is how a shell says "not set".
        let get = |name| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let require = |name| get(name).ok_or(format!("{name} must be set."));

        let heartbeat_seconds = get("HEARTBEAT_SECONDS").unwrap_or("30".to_owned());
        Ok(Self {
            platform_url: parse("PLATFORM_URL", &require("PLATFORM_URL")?, "a URL")?,
            workspace_id: parse("WORKSPACE_ID", &require("WORKSPACE_ID")?, "a UUID")?,
            auth_token: get("AUTH_TOKEN"),
            name: require("AGENT_NAME")?,
            port: parse("PORT", &require("PORT")?, "a port number")?,
            url: get("AGENT_URL"),
            heartbeat_seconds: seconds("HEARTBEAT_SECONDS", &heartbeat_seconds)?,
            idle_timeout_seconds: get("IDLE_TIMEOUT_SECONDS")
                .map(|value| seconds("IDLE_TIMEOUT_SECONDS", &value))
                .transpose()?,
        })
    }
}

fn parse<T: FromStr>(name: &str, value: &str, kind: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name} must be {kind}, not {value:?}."))
}

fn seconds(name: &str, value: &str) -> Result<u64, String> {
    match value.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(format!(
            "{name} must be a whole number of seconds above 0, not {value:?}."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    const ID: &str = "6f9619ff-8b86-4d01-b42d-00c04fc964ff";

    fn read(changes: &[(&str, &str)]) -> Result<Settings, String> {
        let base = [
            ("PLATFORM_URL", "http://localhost:8080"),
            ("WORKSPACE_ID", ID),
            ("AGENT_NAME", "Ada"),
            ("PORT", "0"),
        ];
        Settings::read(|name| {
            let all = changes.iter().chain(&base);
            let (_, value) = all.into_iter().find(|(key, _)| *key == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn the_four_required_variables_are_enough() {
        let settings = read(&[]).expect("complete settings");
        assert_eq!(settings.platform_url.as_str(), "http://localhost:8080/");
        assert_eq!(settings.auth_token, None);
        assert_eq!(settings.heartbeat_seconds, 30);
    }

    #[test]
    fn a_mistake_is_one_sentence_naming_its_variable() {
        let cases = [
            ("PLATFORM_URL", "", "PLATFORM_URL must be set."),
            (
                "PLATFORM_URL",
                "localhost",
                "PLATFORM_URL must be a URL, not \"localhost\".",
            ),
            ("AGENT_NAME", "  ", "AGENT_NAME must be set."),
            (
                "WORKSPACE_ID",
                "x",
                "WORKSPACE_ID must be a UUID, not \"x\".",
            ),
            (
                "PORT",
                "99999",
                "PORT must be a port number, not \"99999\".",
            ),
            (
                "HEARTBEAT_SECONDS",
                "0",
                "HEARTBEAT_SECONDS must be a whole number of seconds above 0, not \"0\".",
            ),
        ];
        for (name, value, sentence) in cases {
            assert_eq!(read(&[(name, value)]).expect_err(name), sentence);
        }
    }
}

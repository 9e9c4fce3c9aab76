//! Settings: read once, whole, when the function starts. What is missing stops it by name.

use std::{collections::BTreeMap, env, fmt, str::FromStr};

use domain::{Error, Mode, lifecycle};
use jiff::SignedDuration;

use crate::limits::DEFAULT_PER_MINUTE;

/// A variable that is missing or makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Variable(&'static str),
    /// It is set to something that cannot be read.
    #[error("the environment variable {0} makes no sense: {1}")]
    Nonsense(&'static str, String),
}

/// A variable that may be empty, trimmed; unset counts as empty.
pub fn var(name: &'static str) -> String {
    env::var(name).unwrap_or_default().trim().to_owned()
}

/// A variable that must be there.
///
/// # Errors
/// It is unset or blank.
pub fn required(name: &'static str) -> Result<String, Missing> {
    let text = var(name);
    if text.is_empty() {
        return Err(Missing::Variable(name));
    }
    Ok(text)
}

/// A variable that must be there and be a `T`.
///
/// # Errors
/// It is unset, blank or no `T`.
pub fn parsed<T: FromStr>(name: &'static str) -> Result<T, Missing> {
    let text = required(name)?;
    text.parse().map_err(|_| Missing::Nonsense(name, text))
}

/// What every HTTP function needs to know.
#[derive(Clone)]
pub struct Settings {
    /// Which doors are open.
    pub mode: Mode,
    /// The break-glass admin bearer; empty only in open development.
    pub admin_token: String,
    /// Browser origins that may call.
    pub cors_origins: Vec<String>,
    /// The address clients reach the API at, without a trailing slash; empty means "as the gateway
    /// names itself".
    pub public_url: String,
    /// The table.
    pub table: String,
    /// The bucket for bodies the table is too small for.
    pub bucket: String,
    /// What machines can run.
    pub fleet: Fleet,
    /// How many workspaces there may be; zero is no limit.
    pub max_workspaces: usize,
    /// Requests in a minute for each client.
    pub rate_limit: u32,
    /// The stack's name, for its metrics; empty: none are written.
    pub stack: String,
    /// The organisation that requests must be for; empty: they are not asked.
    pub org_id: String,
}

// By hand: the admin token must get into no log.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("mode", &self.mode)
            .field("stack", &self.stack)
            .finish_non_exhaustive()
    }
}

/// What machines can run, as far as the routes need to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// The runtimes with their container images; none: there is no backend.
    pub images: BTreeMap<String, String>,
    /// How long any runtime may take to register, if the operator says so.
    pub boot_within: Option<SignedDuration>,
}

impl Fleet {
    /// From the environment.
    fn from_env() -> Self {
        let seconds = var("PROVISION_TIMEOUT_SECONDS").parse().ok();
        Self {
            images: list(&var("RUNTIME_IMAGES"))
                .into_iter()
                .filter_map(|pair| {
                    let (runtime, image) = pair.split_once('=')?;
                    Some((runtime.trim().to_owned(), image.trim().to_owned()))
                })
                .collect(),
            boot_within: seconds
                .filter(|seconds| *seconds > 0)
                .map(SignedDuration::from_secs),
        }
    }

    /// Whether there are machines at all.
    pub fn is_there(&self) -> bool {
        !self.images.is_empty()
    }

    /// Whether a machine can run this.
    pub fn runs(&self, runtime: &str) -> bool {
        self.images.contains_key(runtime)
    }

    /// How long this may take to register.
    pub fn boot_within(&self, runtime: &str) -> SignedDuration {
        self.boot_within
            .unwrap_or_else(|| lifecycle::boot_within(runtime))
    }
}

impl Settings {
    /// The refusal of a creation that would make more workspaces than there may be (decision 30).
    pub fn quota_reached(&self, there: usize) -> Error {
        Error::conflict("workspace quota reached")
            .with("max_workspaces", self.max_workspaces)
            .with("workspaces", there)
            .with(
                "hint",
                "remove workspaces that are not needed, or raise MaxWorkspaces of this deployment",
            )
    }

    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing or wrong.
    pub fn from_env() -> Result<Self, Missing> {
        let admin_token = var("ADMIN_TOKEN");
        let environment = var("MOLECULE_ENV");
        let mode = Mode::of(&environment, &admin_token)
            .map_err(|why| Missing::Nonsense("MOLECULE_ENV", format!("{environment} ({why})")))?;
        Ok(Self {
            mode,
            admin_token,
            cors_origins: list(&var("CORS_ORIGINS")),
            public_url: var("EXTERNAL_PLATFORM_URL")
                .trim_end_matches('/')
                .to_owned(),
            table: required("TABLE_NAME")?,
            bucket: required("BUCKET_NAME")?,
            fleet: Fleet::from_env(),
            max_workspaces: match var("MAX_WORKSPACES").as_str() {
                "" => 0,
                _ => parsed("MAX_WORKSPACES")?,
            },
            rate_limit: match var("RATE_LIMIT").parse() {
                Ok(limit) if limit > 0 => limit,
                _ => DEFAULT_PER_MINUTE,
            },
            stack: var("STACK_NAME"),
            org_id: var("MOLECULE_ORG_ID"),
        })
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let missing = required("NO_SUCH_VARIABLE").expect_err("unset");
        assert_eq!(
            missing.to_string(),
            "the environment variable NO_SUCH_VARIABLE is not set"
        );
    }

    #[test]
    fn lists_are_trimmed() {
        assert_eq!(list(" a , b,, "), ["a", "b"]);
        assert!(list("").is_empty());
    }
}

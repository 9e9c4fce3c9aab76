//! What to make a machine of.

use std::{fmt, str::FromStr};

use domain::WorkspaceId;
use url::Url;

use super::{Machine, Owner, Trouble};

/// How large a machine is (contract: lifecycle-and-sweepers 9.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Sandboxed.
    One,
    /// Normal.
    Two,
    /// Privileged.
    Three,
    /// Privileged and large.
    Four,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Three, Self::Four];

    /// The tier of this number; unknown numbers are tier 2, as everywhere.
    pub fn of(number: i64) -> Self {
        match number {
            1 => Self::One,
            3 => Self::Three,
            4 => Self::Four,
            _ => Self::Two,
        }
    }

    /// Its place in tables.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::One => 0,
            Self::Two => 1,
            Self::Three => 2,
            Self::Four => 3,
        }
    }
}

/// Where machines find the platform: `https://host[:port][/path]`, without a trailing slash.
///
/// It travels in user data, which anybody on the machine can read, so it may carry no credentials
/// and no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformUrl(String);

impl FromStr for PlatformUrl {
    type Err = Trouble;

    fn from_str(text: &str) -> Result<Self, Trouble> {
        let plain = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        match Url::parse(text) {
            Ok(url) if plain(&url) => Ok(Self(url.as_str().trim_end_matches('/').to_owned())),
            _ => Err(Trouble::defect("not a plain http or https address")),
        }
    }
}

impl fmt::Display for PlatformUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One attempt to make a machine. The same values make the same request, byte for byte: EC2 compares
/// repeats of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Which of its machines.
    pub generation: u32,
    /// Which try at this one. It chooses the place, and must rise after a machine of this
    /// generation was terminated: EC2 keeps a token for a day after its machine died.
    pub attempt: u32,
    /// How large.
    pub tier: Tier,
    /// What runs the agent: `langgraph`.
    pub runtime: String,
    /// The image to run, named by digest (`repository@sha256:…`); none leaves it to the boot script.
    pub image: Option<String>,
    /// Where the machine reports.
    pub platform_url: PlatformUrl,
}

impl Launch {
    /// The client token: `ws-<workspace>-<generation>-<attempt>`, at most 61 of EC2's 64 characters.
    pub fn token(&self) -> String {
        format!(
            "ws-{}-{}-{}",
            self.workspace_id, self.generation, self.attempt
        )
    }

    /// What people call the machine in the console: `ws-` and 12 characters of the id.
    pub fn name(&self) -> String {
        let id = self.workspace_id.to_string();
        format!("ws-{}", id.get(..12).unwrap_or(&id))
    }

    /// Who the machine is made for.
    pub fn owner(&self) -> Owner {
        Owner {
            workspace_id: self.workspace_id,
            generation: self.generation,
        }
    }

    /// Whether this machine is what the launch wanted: alive, and made for its owner.
    pub fn is_met_by(&self, machine: &Machine) -> bool {
        machine.owner == Some(self.owner()) && !machine.state.is_ended()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::tests::launch;

    #[test]
    fn tokens_name_workspace_generation_and_attempt_and_fit() {
        let mut launch = launch(1);
        assert_eq!(
            launch.token(),
            "ws-00000000-0000-4000-8000-000000000001-1-0"
        );
        assert_eq!(launch.name(), "ws-00000000-000");
        (launch.generation, launch.attempt) = (u32::MAX, u32::MAX);
        assert!(launch.token().len() <= 64);
    }

    #[test]
    fn unknown_tiers_are_tier_two() {
        let tiers = [0, 1, 2, 3, 4, 5, -1].map(Tier::of);
        use Tier::{Four, One, Three, Two};
        assert_eq!(tiers, [Two, One, Two, Three, Four, Two, Two]);
    }

    #[test]
    fn the_platform_s_address_carries_no_secret() {
        let url: PlatformUrl = "https://api.example.com/stage/".parse().expect("plain");
        assert_eq!(url.to_string(), "https://api.example.com/stage");
        for bad in [
            "",
            "api.example.com",
            "ftp://example.com",
            "https://user@example.com",
            "https://user:secret@example.com",
            "https://example.com/?token=secret",
            "https://example.com/#secret",
        ] {
            assert!(bad.parse::<PlatformUrl>().is_err(), "{bad}");
        }
    }
}

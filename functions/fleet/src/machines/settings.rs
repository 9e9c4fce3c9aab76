//! What the EC2 backend needs to be told; half of it is no backend.

use super::{Class, Trouble, place::Places};

/// The settings of the EC2 backend.
///
/// The launch template says what is the same for all machines: image, security group, role, size and
/// encryption of the disk and that it goes with its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `STACK_NAME`: what `platform:stage` says.
    pub stack: String,
    /// `MOLECULE_ORG_ID`: what `platform:org-id` says, if anything.
    pub org: Option<String>,
    /// `MACHINE_LAUNCH_TEMPLATE`: `lt-…`.
    pub launch_template: String,
    /// `MACHINE_LAUNCH_TEMPLATE_VERSION`: a number. `$Latest` could change between two tries of one
    /// token, which EC2 then refuses.
    pub launch_template_version: String,
    /// `MACHINE_SUBNETS` (with commas between) and `TIER<n>_INSTANCE_TYPE` (the same).
    pub places: Places,
}

/// Why there is no backend: the first setting that is missing or makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no machines: the environment variable {setting} {why}")]
pub struct NoBackend {
    /// The setting.
    pub setting: &'static str,
    /// `is not set`, or what else is wrong.
    pub why: &'static str,
}

impl From<NoBackend> for Trouble {
    fn from(no_backend: NoBackend) -> Self {
        Self::new(Class::NoBackend, no_backend.to_string())
    }
}

impl Settings {
    /// From the environment.
    ///
    /// # Errors
    /// There is no backend, or half of one.
    pub fn from_env() -> Result<Self, NoBackend> {
        Self::read(edge::settings::var)
    }

    /// From variables looked up like this; blank is not set.
    ///
    /// # Errors
    /// There is no backend, or half of one.
    pub fn read(var: impl Fn(&'static str) -> String) -> Result<Self, NoBackend> {
        let required = |setting| match var(setting) {
            text if text.trim().is_empty() => Err(NoBackend {
                setting,
                why: "is not set",
            }),
            text => Ok(text.trim().to_owned()),
        };
        let launch_template = required("MACHINE_LAUNCH_TEMPLATE")?;
        let launch_template_version = required("MACHINE_LAUNCH_TEMPLATE_VERSION")?;
        if launch_template_version.parse::<u32>().is_err() {
            return Err(NoBackend {
                setting: "MACHINE_LAUNCH_TEMPLATE_VERSION",
                why: "is not a number",
            });
        }
        let subnets = list(&required("MACHINE_SUBNETS")?);
        // The preferred type first, then the same size by another maker, for when there is no room
        // (decision 20). All are amd64, as the agents' images are.
        let types = [
            or(&var("TIER1_INSTANCE_TYPE"), "t3.small,t3a.small"),
            or(&var("TIER2_INSTANCE_TYPE"), "t3.small,t3a.small"),
            or(&var("TIER3_INSTANCE_TYPE"), "t3.medium,t3a.medium"),
            or(&var("TIER4_INSTANCE_TYPE"), "t3.large,t3a.large"),
        ];
        let places = Places::new(subnets, types).ok_or(NoBackend {
            setting: "MACHINE_SUBNETS",
            why: "names no subnet",
        })?;
        let stack = required("STACK_NAME")?;
        let org = required("MOLECULE_ORG_ID").ok();
        Ok(Self {
            stack,
            org,
            launch_template,
            launch_template_version,
            places,
        })
    }
}

/// The list in `text`, or in `default` if it has nothing.
fn or(text: &str, default: &str) -> Vec<String> {
    match list(text) {
        nothing if nothing.is_empty() => list(default),
        something => something,
    }
}

fn list(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::machines::{
        Tier,
        tests::{SETTINGS, settings_with, workspace},
    };

    #[test]
    fn whole_settings_are_read_with_their_defaults() {
        let settings = settings_with(&[]).expect("whole");
        assert_eq!(settings.stack, "prod");
        assert_eq!(settings.org, None);
        let first = |tier| settings.places.of(tier, workspace(2), 0).instance_type;
        let types = Tier::ALL.map(first);
        assert_eq!(types, ["t3.small", "t3.small", "t3.medium", "t3.large"]);
        let arm = settings_with(&[
            ("TIER4_INSTANCE_TYPE", " t4g.large , "),
            ("MOLECULE_ORG_ID", "o"),
        ]);
        let arm = arm.expect("whole");
        assert_eq!(arm.org.as_deref(), Some("o"));
        assert_eq!(
            arm.places.of(Tier::Four, workspace(2), 2).instance_type,
            "t4g.large"
        );
    }

    #[test]
    fn half_of_them_is_no_backend_that_names_what_is_missing() {
        for (setting, _) in SETTINGS {
            for blank in ["", "  "] {
                let missing = settings_with(&[(setting, blank)]).expect_err(setting);
                assert_eq!(missing.setting, *setting);
                assert_eq!(missing.why, "is not set");
            }
        }
        for bad in ["$Latest", "$Default", "1.0", "-1"] {
            let wrong = settings_with(&[("MACHINE_LAUNCH_TEMPLATE_VERSION", bad)]).expect_err(bad);
            assert_eq!(wrong.why, "is not a number");
        }
        let wrong = settings_with(&[("MACHINE_SUBNETS", " , ")]).expect_err("no subnet");
        assert_eq!(
            wrong.to_string(),
            "no machines: the environment variable MACHINE_SUBNETS names no subnet"
        );
    }
}

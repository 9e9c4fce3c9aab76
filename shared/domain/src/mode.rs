//! Which doors are open: development, development with closed doors, or strict.

/// How the stack treats callers without a credential and agents on private addresses.
///
/// | mode | `MOLECULE_ENV` | `ADMIN_TOKEN` |
/// |---|---|---|
/// | `Dev` | `development`, `dev` | empty |
/// | `DevClosed` | `development`, `dev` | set |
/// | `Strict` | anything else | required |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The doors the reference platform opens are open, so its clients' own suites pass.
    Dev,
    /// Every door closed as in strict; agents on loopback and private addresses as in dev.
    DevClosed,
    /// Every deployed stack.
    Strict,
}

impl Mode {
    /// The mode of a stack with this `MOLECULE_ENV` and this `ADMIN_TOKEN`.
    ///
    /// # Errors
    /// Strict without an admin token: nobody could operate the stack, and the reference's answer
    /// (open to everyone until the first token exists) is a hole.
    pub fn of(environment: &str, admin_token: &str) -> Result<Self, &'static str> {
        let development = matches!(
            environment.trim().to_ascii_lowercase().as_str(),
            "development" | "dev"
        );
        match (development, admin_token.is_empty()) {
            (true, true) => Ok(Self::Dev),
            (true, false) => Ok(Self::DevClosed),
            (false, false) => Ok(Self::Strict),
            (false, true) => Err("ADMIN_TOKEN must be set unless MOLECULE_ENV is development"),
        }
    }

    /// Whether callers without a credential pass where the reference lets them.
    pub fn doors_open(self) -> bool {
        matches!(self, Self::Dev)
    }

    /// Whether `MOLECULE_ENV` is a development one, whatever the doors.
    pub fn is_development(self) -> bool {
        matches!(self, Self::Dev | Self::DevClosed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_follows_from_two_variables() {
        for (environment, token, expected) in [
            ("development", "", Ok(Mode::Dev)),
            (" Dev ", "", Ok(Mode::Dev)),
            ("DEVELOPMENT", "secret", Ok(Mode::DevClosed)),
            ("production", "secret", Ok(Mode::Strict)),
            ("staging", "secret", Ok(Mode::Strict)),
            ("", "secret", Ok(Mode::Strict)),
            ("developement", "secret", Ok(Mode::Strict)),
        ] {
            assert_eq!(Mode::of(environment, token), expected, "{environment:?}");
        }
        assert!(Mode::of("production", "").is_err());
        assert!(Mode::of("", "").is_err());
    }
}

//! Secrets: what they are called, how long they may be, whom they are for (contract:
//! lifecycle-and-sweepers 4).

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Error, Result, WorkspaceId};

/// The longest name, in bytes. With it, a name is what a shell calls a variable (contract 4.1).
pub const MAX_NAME: usize = 128;
/// The longest value, in bytes. A certificate chain fits; Linux takes variables of four times this.
pub const MAX_VALUE: usize = 32 * 1024;
/// The most secrets of one scope. Those of both scopes together can still be a process's
/// environment, and one answer of the API.
pub const MAX_SECRETS: usize = 100;
/// The most secrets a workspace can be created with: they are one transaction with its other
/// items, and DynamoDB takes 100 in one.
pub const MAX_AT_CREATION: usize = 50;

/// Whom secrets are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All workspaces.
    Global,
    /// One workspace; its secrets override global ones of the same name.
    Workspace(WorkspaceId),
}

impl Scope {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Workspace(_) => "workspace",
        }
    }
}

/// What a secret is called: the name of an environment variable,
/// `^[A-Za-z_][A-Za-z0-9_]{0,127}$`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

impl SecretName {
    /// The one that says which model a workspace uses (contract: lifecycle-and-sweepers 4.1).
    pub fn model() -> Self {
        Self("MODEL_PROVIDER".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
        let fine = text.len() <= MAX_NAME
            && text.starts_with(starts)
            && text.chars().all(|c| starts(c) || c.is_ascii_digit());
        if fine {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid(
                "a secret's key must be letters, digits and _, not start with a digit, and have \
                 at most 128 characters",
            ))
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret:{}", self.0)
    }
}

/// A secret in clear text. It is never logged: `Debug` hides it, and it has no `Display` and no
/// `Serialize`, so that whoever shows it has to say [`reveal`](Self::reveal).
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline, description = "A secret in clear text.")]
#[serde(transparent)]
pub struct SecretValue(String);

impl SecretValue {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whom it is meant.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it can be an environment variable: not empty, at most [`MAX_VALUE`] bytes, no NUL,
    /// which would end it.
    ///
    /// # Errors
    /// 400; the sentence says which rule, and nothing of the value.
    pub fn check(&self) -> Result<()> {
        if self.0.is_empty() {
            return Err(Error::invalid("a secret's value must not be empty"));
        }
        if self.0.len() > MAX_VALUE {
            return Err(Error::invalid(format!(
                "a secret's value must have at most {MAX_VALUE} bytes"
            )));
        }
        if self.0.contains('\0') {
            return Err(Error::invalid("a secret's value must not contain NUL"));
        }
        Ok(())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_variables() {
        let longest = "K".repeat(MAX_NAME);
        for fine in ["A", "_", "a_1", "ANTHROPIC_API_KEY", &longest] {
            let name: SecretName = fine.parse().expect(fine);
            assert_eq!(name.as_str(), fine);
        }
        let too_long = "K".repeat(MAX_NAME + 1);
        for bad in [
            "", "1A", "A-B", "A B", " A", "A.B", "A=B", "A\n", "Ä", "KEY\0", "A/B", "А", &too_long,
        ] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn values_are_those_of_variables() {
        for fine in ["x", "line\nline", "grüße", " ", &"v".repeat(MAX_VALUE)] {
            assert!(SecretValue::new(fine).check().is_ok());
        }
        for bad in ["", "a\0b", &"v".repeat(MAX_VALUE + 1)] {
            let why = SecretValue::new(bad).check().expect_err("refused");
            assert!(why.message().starts_with("a secret's value must"));
        }
    }

    #[test]
    fn a_value_is_not_shown() {
        let value: SecretValue = serde_json::from_str(r#""hunter2""#).expect("a text");
        assert_eq!(value.reveal(), "hunter2");
        assert_eq!(format!("{value:?} {:?}", Some(&value)).find("hunter"), None);
        let wrong = serde_json::from_str::<SecretValue>(r#"{"hunter2":1}"#);
        assert!(!wrong.expect_err("no text").to_string().contains("hunter"));
    }
}

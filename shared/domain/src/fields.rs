//! The rules for what people may call and place things (contract: lifecycle-and-sweepers 3.1, 3.5).

use std::collections::BTreeMap;

use crate::{
    Error, Result,
    secret::{MAX_AT_CREATION, SecretName, SecretValue},
};

/// The longest name, in bytes.
pub const MAX_NAME: usize = 255;
/// The longest role, in bytes.
pub const MAX_ROLE: usize = 1000;
/// The longest runtime or model name, in bytes.
pub const MAX_RUNTIME: usize = 100;
/// The longest directory or template, in bytes: Linux takes no longer path.
const MAX_PATH: usize = 4096;

/// These names end up in generated YAML, and these characters would mean something there.
const YAML: [char; 9] = ['{', '}', '[', ']', '|', '>', '*', '&', '!'];

/// Directories of the machine that no workspace may work in.
const SYSTEM: [&str; 9] = [
    "/etc", "/var", "/proc", "/sys", "/dev", "/boot", "/sbin", "/bin", "/lib",
];

/// Checks a name or role: no new lines, nothing YAML would read, not over `most` bytes.
///
/// # Errors
/// 400 with the sentence of the contract.
pub fn label(field: &str, text: &str, most: usize) -> Result<()> {
    line(field, text, most)?;
    if text.contains(YAML) {
        return Err(Error::invalid(format!(
            "{field} contains invalid characters"
        )));
    }
    Ok(())
}

/// Checks a runtime or model: no new lines, not over `most` bytes.
///
/// # Errors
/// 400 with the sentence of the contract.
pub fn line(field: &str, text: &str, most: usize) -> Result<()> {
    if text.contains(['\n', '\r']) {
        return Err(Error::invalid(format!(
            "{field} must not contain newline characters"
        )));
    }
    if text.len() > most {
        return Err(Error::invalid(format!(
            "{field} must be at most {most} characters"
        )));
    }
    Ok(())
}

/// Checks a directory: absolute, without `..`, not the system's.
///
/// # Errors
/// 400.
pub fn directory(text: &str) -> Result<()> {
    // As the system reads it: "//etc" and "/./etc" are "/etc".
    let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
    let parts: Vec<&str> = parts.collect();
    let under = |root: &str| {
        parts
            .first()
            .is_some_and(|first| root == format!("/{first}"))
    };
    let fine = text.len() <= MAX_PATH
        && text.starts_with('/')
        && !text.split('/').any(|part| part == "..")
        && !SYSTEM.iter().any(|root| under(root))
        && !under("/usr");
    if fine {
        Ok(())
    } else {
        Err(Error::invalid("invalid workspace directory"))
    }
}

/// Checks a template: a relative path that stays below its root.
///
/// # Errors
/// 400.
pub fn template(text: &str) -> Result<()> {
    let fine = text.len() <= MAX_PATH
        && !text.starts_with(['/', '\\'])
        && !text.contains(['\0', '\\'])
        && !text.split('/').any(|part| part == ".." || part == ".");
    if fine {
        Ok(())
    } else {
        Err(Error::invalid("invalid template"))
    }
}

/// Checks a new workspace's secrets: each of them, and their number.
///
/// # Errors
/// 400; the sentence says which rule, and nothing of the values.
pub fn secrets(given: &BTreeMap<String, SecretValue>) -> Result<BTreeMap<SecretName, SecretValue>> {
    if given.len() > MAX_AT_CREATION {
        return Err(Error::invalid(format!(
            "at most {MAX_AT_CREATION} secrets at creation; more can follow one by one"
        )));
    }
    let checked = given.iter().map(|(key, value)| {
        value.check()?;
        Ok((key.parse()?, value.clone()))
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_checked_one_by_one_and_counted() {
        let named = |names: &[&str]| {
            let value = || SecretValue::new("v");
            let given = names.iter().map(|name| ((*name).to_owned(), value()));
            secrets(&given.collect()).map(|checked| checked.len())
        };
        assert_eq!(named(&[]).expect("none"), 0);
        assert_eq!(named(&["A", "B"]).expect("two"), 2);
        assert!(named(&["A", "b-c"]).is_err());
        let many: Vec<String> = (0..=MAX_AT_CREATION).map(|n| format!("K{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(named(&many[1..]).expect("as many as may"), MAX_AT_CREATION);
        let why = named(&many).expect_err("one too many");
        assert!(why.message().starts_with("at most 50 secrets"));
    }

    #[test]
    fn labels() {
        assert!(label("name", "Grüße, Alice (2)", MAX_NAME).is_ok());
        for (text, expected) in [
            ("a\nb", "name must not contain newline characters"),
            ("a\rb", "name must not contain newline characters"),
            ("a{b", "name contains invalid characters"),
            ("a!b", "name contains invalid characters"),
            (&"x".repeat(256), "name must be at most 255 characters"),
        ] {
            assert_eq!(
                label("name", text, MAX_NAME).expect_err(text).message(),
                expected
            );
        }
    }

    #[test]
    fn directories_and_templates() {
        for fine in [
            "/workspace",
            "/home/a/b",
            "/etcetera",
            "/opt/../x".trim_end_matches("../x"),
        ] {
            assert!(directory(fine).is_ok(), "{fine}");
        }
        for bad in [
            "",
            "workspace",
            "/a/../b",
            "/etc",
            "/etc/x",
            "/usr/local",
            "/lib",
            "/..",
        ] {
            assert!(directory(bad).is_err(), "{bad}");
        }
        for fine in ["langgraph-default", "org/writer", "a.b"] {
            assert!(template(fine).is_ok(), "{fine}");
        }
        for bad in ["../x", "a/../../b", "/abs", "a\\..\\b", "."] {
            assert!(template(bad).is_err(), "{bad}");
        }
    }
}

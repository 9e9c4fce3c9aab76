//! A schedule as somebody asks for it, checked.

use jiff::Timestamp;

use super::{name, parse, prompt};
use crate::{Error, Result};

/// What is asked for, by the API or by a template.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Its name; may be empty.
    pub name: &'a str,
    /// When it fires.
    pub cron_expr: &'a str,
    /// In which zone; `""` is UTC.
    pub timezone: &'a str,
    /// What it says.
    pub prompt: &'a str,
    /// Whether it fires; none is yes.
    pub enabled: Option<bool>,
}

/// A schedule that can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its name; may be empty.
    pub name: String,
    /// When it fires.
    pub cron_expr: String,
    /// In which zone.
    pub timezone: String,
    /// What it says, without carriage returns.
    pub prompt: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Its first slot; also of one that does not fire yet.
    pub next_run_at: Option<Timestamp>,
}

impl Asked<'_> {
    /// Checks it, and finds its first slot (contract: lifecycle-and-sweepers 6.3).
    ///
    /// # Errors
    /// 400 with the contract's sentence; an expression that is none, or never comes, with the
    /// `reason`.
    pub fn draft(&self, now: Timestamp) -> Result<Draft> {
        let Self {
            name: called,
            cron_expr,
            timezone,
            prompt: says,
            enabled,
        } = *self;
        if cron_expr.is_empty() {
            return Err(Error::invalid("cron_expr and prompt are required"));
        }
        let says = prompt(says)?;
        name(called)?;
        let cron = parse(cron_expr, timezone)?;
        let timezone = if timezone.is_empty() { "UTC" } else { timezone };
        Ok(Draft {
            name: called.to_owned(),
            cron_expr: cron_expr.to_owned(),
            timezone: timezone.to_owned(),
            prompt: says,
            enabled: enabled.unwrap_or(true),
            next_run_at: cron.next_after(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_checked_and_completed() {
        let now: Timestamp = "2026-12-01T10:00:00Z".parse().expect("a time");
        let asked = Asked {
            cron_expr: "0 9 * * *",
            prompt: "a\r\nb",
            ..Asked::default()
        };
        let expected = Draft {
            name: String::new(),
            cron_expr: "0 9 * * *".to_owned(),
            timezone: "UTC".to_owned(),
            prompt: "a\nb".to_owned(),
            enabled: true,
            next_run_at: Some("2026-12-02T09:00:00Z".parse().expect("a time")),
        };
        assert_eq!(asked.draft(now).expect("fine"), expected);
        let cron_expr = |cron_expr| Asked { cron_expr, ..asked };
        for (bad, sentence) in [
            (cron_expr(""), "cron_expr and prompt are required"),
            (cron_expr("0 0 30 2 *"), "invalid request body"),
            (
                Asked {
                    prompt: "\r",
                    ..asked
                },
                "cron_expr and prompt are required",
            ),
            (
                Asked {
                    timezone: "Mars/Olympus",
                    ..asked
                },
                "invalid timezone: Mars/Olympus",
            ),
            (
                Asked {
                    name: "a\nb",
                    ..asked
                },
                "name must not contain newline characters",
            ),
        ] {
            let refused = bad.draft(now).expect_err("refused");
            assert_eq!(refused.message(), sentence, "{bad:?}");
        }
    }
}

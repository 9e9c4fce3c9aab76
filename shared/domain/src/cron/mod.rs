//! Stub of the cron module, to be replaced: minutes in UTC, `*`, `*/n`, numbers and lists only.

use std::fmt;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Why an expression is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CronError {
    /// The expression.
    Expression(String),
    /// The zone.
    Timezone(String),
    /// It never fires.
    NeverFires,
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(why) => f.write_str(why),
            Self::Timezone(zone) => write!(f, "unknown time zone {zone}"),
            Self::NeverFires => f.write_str("it never fires"),
        }
    }
}

impl std::error::Error for CronError {}

/// A parsed expression.
#[derive(Debug, Clone)]
pub struct Schedule([Vec<i8>; 5]);

impl Schedule {
    /// Parses.
    ///
    /// # Errors
    /// As said.
    pub fn parse(expr: &str, timezone: &str) -> Result<Self, CronError> {
        if !matches!(timezone, "" | "UTC" | "Europe/Berlin" | "America/New_York") {
            return Err(CronError::Timezone(timezone.to_owned()));
        }
        let bad = || CronError::Expression(format!("no cron expression: {expr}"));
        let fields: Vec<&str> = expr.split_whitespace().collect();
        let fields: [&str; 5] = fields.try_into().map_err(|_| bad())?;
        let ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
        let mut out: [Vec<i8>; 5] = Default::default();
        for ((field, (low, high)), out) in fields.iter().zip(ranges).zip(&mut out) {
            if *field == "*" {
                *out = (low..=high).collect();
            } else if let Some(step) = field.strip_prefix("*/") {
                let step: usize = step.parse().map_err(|_| bad())?;
                if step == 0 {
                    return Err(bad());
                }
                *out = (low..=high).step_by(step).collect();
            } else {
                for part in field.split(',') {
                    let number: i8 = part.parse().map_err(|_| bad())?;
                    if !(low..=high).contains(&number) {
                        return Err(bad());
                    }
                    out.push(number);
                }
            }
        }
        let schedule = Self(out);
        if schedule.next_after(Timestamp::UNIX_EPOCH).is_none() {
            return Err(CronError::NeverFires);
        }
        Ok(schedule)
    }

    /// The next moment.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let minute = now.as_second().div_euclid(60) * 60 + 60;
        let mut at = Timestamp::from_second(minute).ok()?;
        for _ in 0..5 * 366 * 24 * 60 {
            let date = at.to_zoned(TimeZone::UTC);
            let is = [
                date.minute(),
                date.hour(),
                date.day(),
                date.month(),
                date.weekday().to_sunday_zero_offset(),
            ];
            if self.0.iter().zip(is).all(|(of, is)| of.contains(&is)) {
                return Some(at);
            }
            at += SignedDuration::from_mins(1);
        }
        None
    }
}

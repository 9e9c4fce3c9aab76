//! Cron expressions: when a schedule fires (contract: lifecycle-and-sweepers 6.1, decision 18).
//!
//! The grammar is that of robfig/cron v3 with five fields, which existing schedules were written for. It
//! and the two rules for clock changes are this platform's, so the few lines that search are here and
//! the arithmetic of zones is jiff's, with the zones compiled in: Lambda has none on disk.

mod field;
mod search;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use thiserror::Error;

use field::{Field, KINDS};

/// Expressions are a line, not a text.
const LONGEST: usize = 1024;

/// Why something is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CronError {
    /// The expression does not parse; the reason names the field.
    #[error("invalid cron expression: {0}")]
    Expression(String),
    /// The zone is unknown.
    #[error("invalid timezone: {0}")]
    Timezone(String),
    /// Its dates do not exist, as 30 February.
    #[error("invalid cron expression: it never fires, because no month it names has such a day")]
    NeverFires,
}

/// When something fires: five fields, read in a time zone.
///
/// Days: if day of month or day of week is a star, both must match; else one is enough.
///
/// Clock changes. If the hours are all 24, the schedule follows real time: it fires at every minute that the
/// clock on the wall shows, so in the repeated hour of autumn again, and in spring not in the hour that is
/// left out. With hours named, each day's times fire once: in autumn the first time round; in spring, what
/// would fall into the gap at the first minute after it (once, however many did; where the gap ends at
/// midnight that minute is the next day's first). A day that a zone left out altogether has no times.
///
/// So `*/15 * * * *` fires eight times in the two hours of autumn's repetition, every 15 minutes, and
/// `*/15 2 * * *` four times. All 24 hours are `*`, and as well `0-23` or `*/1`; `*/2` names twelve.
#[derive(Debug, Clone)]
pub struct Schedule {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
    zone: TimeZone,
}

impl Schedule {
    /// Reads an expression and the zone it is meant in; "" is UTC. A zone before the expression (`TZ=Zone `
    /// or `CRON_TZ=Zone `) overrides `timezone`, which must be known all the same.
    ///
    /// # Errors
    /// What is wrong, as a sentence for whoever wrote it.
    pub fn parse(expr: &str, timezone: &str) -> Result<Self, CronError> {
        let mut zone = zone(timezone)?;
        let mut rest = expr;
        if let Some(prefixed) = expr
            .strip_prefix("CRON_TZ=")
            .or_else(|| expr.strip_prefix("TZ="))
        {
            let (name, fields) = prefixed.split_once(' ').ok_or_else(|| {
                CronError::Expression("after the time zone comes a space".to_owned())
            })?;
            zone = self::zone(name)?;
            rest = fields;
        }
        if rest.len() > LONGEST {
            let problem = format!("it is longer than {LONGEST} bytes");
            return Err(CronError::Expression(problem));
        }
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let fields: [&str; 5] = fields.try_into().map_err(|fields: Vec<_>| {
            let found = fields.len();
            CronError::Expression(format!(
                "five fields are expected (minute, hour, day of month, month, day of week), not {found}"
            ))
        })?;
        let mut parsed = fields
            .iter()
            .zip(&KINDS)
            .map(|(text, kind)| Field::parse(text, kind).map_err(CronError::Expression));
        let mut next = || parsed.next().unwrap_or(Err(CronError::NeverFires));
        let schedule = Self {
            minutes: next()?,
            hours: next()?,
            days: next()?,
            months: next()?,
            weekdays: next()?,
            zone,
        };
        if schedule.fires() {
            Ok(schedule)
        } else {
            Err(CronError::NeverFires)
        }
    }

    /// The zone it is read in.
    pub fn timezone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first moment after `now` at which it fires: a whole minute. None only beyond the calendar.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        search::next(self, now)
    }

    /// Whether it names a date that exists in some year.
    fn fires(&self) -> bool {
        let either = !self.days.star && !self.weekdays.star;
        // 2024 has all dates there are.
        let exists = |month, day| Date::new(2024, month, day).is_ok();
        either
            || self
                .months
                .values()
                .any(|month| self.days.values().any(|day| exists(month, day)))
    }

    /// Whether it fires on `date`.
    fn on(&self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        let days = if self.days.star || self.weekdays.star {
            day && weekday
        } else {
            day || weekday
        };
        self.months.has(date.month()) && days
    }
}

/// A zone of the IANA database.
fn zone(name: &str) -> Result<TimeZone, CronError> {
    let known = match name {
        "" => Ok(TimeZone::UTC),
        _ => TimeZone::get(name),
    };
    known
        .ok()
        .filter(|zone| !zone.is_unknown())
        .ok_or_else(|| CronError::Timezone(name.to_owned()))
}

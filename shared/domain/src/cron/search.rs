//! The next moment: day by day, then within the day.

use std::iter;

use jiff::{
    SignedDuration, Timestamp, Zoned,
    civil::{Date, DateTime, time},
    tz::AmbiguousOffset,
};

use super::Schedule;

/// Days to look at: from one 29 February to the next there are up to eight years.
const DAYS: usize = 9 * 366;

/// The first moment after `now`.
pub(super) fn next(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let here = now.to_zoned(schedule.zone.clone());
    let dates = iter::successors(Some(here.date()), |date| {
        if schedule.months.has(date.month()) {
            date.tomorrow().ok()
        } else {
            date.last_of_month().tomorrow().ok()
        }
    });
    let mut fitting = dates.take(DAYS).filter(|date| schedule.on(*date));
    if schedule.hours.len() == 24 {
        fitting.find_map(|date| real(schedule, date, &here))
    } else {
        fitting.find_map(|date| named(schedule, date, &here))
    }
}

/// The first after `now` of the minutes that the clock shows on `date`, as time goes by.
fn real(schedule: &Schedule, date: Date, now: &Zoned) -> Option<Timestamp> {
    let begin = date.to_zoned(schedule.zone.clone()).ok()?;
    let mut at = begin.timestamp().max(minute_after(now.timestamp())?);
    loop {
        let shown = at.to_zoned(schedule.zone.clone());
        // A clock that is put back over midnight shows a date twice, with another one between.
        if shown.date() > date && shown.date() > now.date() {
            return None;
        }
        if shown.date() == date && schedule.minutes.has(shown.minute()) {
            return Some(at);
        }
        at = at.checked_add(SignedDuration::from_mins(1)).ok()?;
    }
}

/// The first after `now` of the times named for `date`.
fn named(schedule: &Schedule, date: Date, now: &Zoned) -> Option<Timestamp> {
    // Clock changes are shorter than this; what the clock showed earlier cannot come any more.
    let passed = now.datetime().checked_sub(SignedDuration::from_hours(5));
    schedule
        .hours
        .values()
        .flat_map(|hour| schedule.minutes.values().map(move |minute| (hour, minute)))
        .map(|(hour, minute)| date.to_datetime(time(hour, minute, 0, 0)))
        .filter(|shown| passed.as_ref().is_ok_and(|passed| shown > passed))
        .filter_map(|shown| moment(schedule, shown))
        .find(|at| *at > now.timestamp())
}

/// When the clock shows `shown`, for the first time. In a gap: the end of the gap, if it is the same day.
fn moment(schedule: &Schedule, shown: DateTime) -> Option<Timestamp> {
    let zone = &schedule.zone;
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    if let AmbiguousOffset::Gap { after, .. } = ambiguous.offset() {
        let earlier = after.to_timestamp(shown).ok()?;
        let end = zone.following(earlier).next()?.timestamp();
        let same_day = zone.to_datetime(end).date() == shown.date();
        return same_day.then_some(end);
    }
    ambiguous.earlier().ok()
}

/// The first whole minute after `now`.
fn minute_after(now: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(now.as_second().div_euclid(60) * 60 + 60).ok()
}

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
    if schedule.hours.len() == 24 {
        return real(schedule, now);
    }
    let here = now.to_zoned(schedule.zone.clone());
    fitting(schedule, here.date()).find_map(|date| named(schedule, date, &here))
}

/// The dates on which it fires, from `first`.
fn fitting(schedule: &Schedule, first: Date) -> impl Iterator<Item = Date> {
    let dates = iter::successors(Some(first), |date| {
        if schedule.months.has(date.month()) {
            date.tomorrow().ok()
        } else {
            date.last_of_month().tomorrow().ok()
        }
    });
    dates.take(DAYS).filter(|date| schedule.on(*date))
}

/// The first after `now` of the minutes that the clock shows, as time goes by.
fn real(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let zone = &schedule.zone;
    let mut at = minute_after(now)?;
    loop {
        let shown = zone.to_datetime(at);
        let on = schedule.on(shown.date());
        if on && schedule.minutes.has(shown.minute()) {
            return Some(at);
        }
        let soon = at.checked_add(SignedDuration::from_mins(1)).ok()?;
        if on {
            at = soon;
            continue;
        }
        // A clock put back over midnight shows a date again: no change of clocks is stepped over.
        let date = fitting(schedule, shown.date()).next()?;
        let begin = date.to_zoned(zone.clone()).ok()?.timestamp();
        let change = zone.following(at).next().map(|change| change.timestamp());
        at = soon.max(minute_from(
            change.map_or(begin, |change| change.min(begin)),
        )?);
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

/// When the clock shows `shown`, for the first time. In a gap: the end of the gap, if it is shorter than
/// a day.
fn moment(schedule: &Schedule, shown: DateTime) -> Option<Timestamp> {
    let zone = &schedule.zone;
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    if let AmbiguousOffset::Gap { before, after } = ambiguous.offset() {
        let hours = after.duration_since(before).as_hours();
        let earlier = after.to_timestamp(shown).ok()?;
        let end = zone.following(earlier).next()?.timestamp();
        return (hours < 24).then_some(end);
    }
    ambiguous.earlier().ok()
}

/// The first whole minute after `now`.
fn minute_after(now: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(now.as_second().div_euclid(60) * 60 + 60).ok()
}

/// The first whole minute that is not before `at`: offsets of the nineteenth century have seconds.
fn minute_from(at: Timestamp) -> Option<Timestamp> {
    let minutes = at.as_second().div_euclid(60) + i64::from(at.as_second().rem_euclid(60) > 0);
    Timestamp::from_second(minutes * 60).ok()
}

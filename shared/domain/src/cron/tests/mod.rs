//! What expressions say (tables), when they fire (vectors), and both against another implementation.

mod grammar;
mod reference;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{CronError, Schedule};

/// Moments around clock changes of twelve zones, ends of months and years, leap days.
const VECTORS: &str = include_str!("vectors.txt");

#[test]
fn the_next_fire_is_the_vectors() {
    let mut checked = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let [expr, zone, after, next] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("four columns: {line}");
        };
        let after: Timestamp = after.parse().expect("a moment");
        let next: Timestamp = next.parse().expect("a moment");
        let schedule = Schedule::parse(expr, zone).expect(line);
        assert_eq!(schedule.next_after(after), Some(next), "{line}");
        checked += 1;
    }
    assert!(checked > 280, "{checked}");
}

#[test]
fn a_zone_before_the_expression_overrides() {
    let now: Timestamp = "2024-06-01T00:00:00Z".parse().expect("a moment");
    let next = |expr, zone| {
        let schedule = Schedule::parse(expr, zone).expect("valid");
        schedule.next_after(now).map(|at| at.to_string())
    };
    let tokyo = Some("2024-06-02T00:00:00Z".to_owned());
    assert_eq!(next("TZ=Asia/Tokyo 0 9 2 * *", "Europe/Berlin"), tokyo);
    assert_eq!(next("CRON_TZ=Asia/Tokyo  0 9 2 * *", ""), tokyo);
    assert_eq!(next("0 9 2 * *", "Asia/Tokyo"), tokyo);
    assert_eq!(next("TZ= 0 0 2 * *", "Asia/Tokyo"), tokyo, "empty is UTC");
}

#[test]
fn unknown_zones_are_named() {
    for zone in [
        "Mars/Olympus",
        "Local",
        "local",
        "+02:00",
        "EST5EDT,M3.2.0,M11.1.0",
        "../etc/passwd",
        " UTC",
        "Europe/Berlin ",
        "Etc/Unknown",
        "\0",
        "CET/CEST",
        "UTC\t*",
    ] {
        let error = Schedule::parse("* * * * *", zone).expect_err(zone);
        assert_eq!(error, CronError::Timezone(zone.to_owned()));
        assert_eq!(error.to_string(), format!("invalid timezone: {zone}"));
    }
    let error = Schedule::parse("TZ=Nowhere * * * * *", "").expect_err("unknown");
    assert_eq!(error, CronError::Timezone("Nowhere".to_owned()));
    Schedule::parse("TZ=UTC * * * * *", "Nowhere").expect_err("the column counts too");
}

/// Where the clock goes back from 00:01 to 23:01, the end of the day before is shown again.
#[test]
fn every_minute_of_a_repeated_midnight_fires() {
    let next = |expr, now: &str| {
        let schedule = Schedule::parse(expr, "America/St_Johns").expect("valid");
        let now = now.parse().expect("a moment");
        schedule.next_after(now).map(|at| at.to_string())
    };
    let at = |moment: &str| Some(moment.to_owned());
    // 00:00 on the 7th, then 23:01 on the 6th, a Saturday.
    let midnight = "2010-11-07T02:30:00Z";
    assert_eq!(next("* * * * *", midnight), at("2010-11-07T02:31:00Z"));
    assert_eq!(next("* * * * sat", midnight), at("2010-11-07T02:31:00Z"));
    assert_eq!(next("59 * * * *", midnight), at("2010-11-07T03:29:00Z"));
    let before = "2010-11-07T02:29:00Z";
    assert_eq!(next("59 * * * *", before), at("2010-11-07T03:29:00Z"));
    assert_eq!(next("59 * * * 6", before), at("2010-11-07T03:29:00Z"));
    assert_eq!(next("0,30 * * * *", before), at(midnight));
    // A named hour: not again.
    assert_eq!(next("59 23 * * *", before), at("2010-11-08T03:29:00Z"));
    assert_eq!(next("0 0 * * *", midnight), at("2010-11-08T03:30:00Z"));
}

/// In Nuuk the hour before midnight is left out: what was due in it is due at midnight.
#[test]
fn a_gap_that_ends_at_midnight_loses_nothing() {
    let fires = |expr| {
        let schedule = Schedule::parse(expr, "America/Nuuk").expect("valid");
        let mut now: Timestamp = "2024-03-30T12:00:00Z".parse().expect("a moment");
        [(); 2].map(|()| {
            now = schedule.next_after(now).expect("more");
            now.to_string()
        })
    };
    let midnight = "2024-03-31T01:00:00Z";
    assert_eq!(fires("30 23 * * *"), [midnight, "2024-04-01T00:30:00Z"]);
    assert_eq!(fires("*/5 23 * * sat"), [midnight, "2024-04-07T00:00:00Z"]);
    assert_eq!(fires("0 0,23 * * *"), [midnight, "2024-04-01T00:00:00Z"]);
    assert_eq!(fires("30 23 31 * *")[0], "2024-04-01T00:30:00Z");
}

#[test]
fn a_leap_day_is_found_over_the_turn_of_the_century() {
    let schedule = Schedule::parse("0 0 29 2 *", "UTC").expect("valid");
    let now = "2096-03-01T00:00:00Z".parse().expect("a moment");
    let next = schedule.next_after(now).map(|at| at.to_string());
    assert_eq!(next.as_deref(), Some("2104-02-29T00:00:00Z"));
}

proptest! {
    /// Whatever is sent is an answer, and what fires fires later than asked.
    #[test]
    fn no_text_panics(expr in ".{0,40}", zone in "[A-Za-z/_+0-9-]{0,20}", at in -60_000_000_000_i64..250_000_000_000) {
        let _ = Schedule::parse(&expr, &zone);
        if let (Ok(schedule), Ok(now)) = (Schedule::parse(&expr, ""), Timestamp::from_second(at)) {
            prop_assert!(schedule.next_after(now).is_none_or(|next| next > now));
        }
    }

    #[test]
    fn no_field_panics(expr in "[0-9*?/,a-u-]{1,8}( [0-9*?/,a-u-]{1,6}){4}", at in -60_000_000_000_i64..250_000_000_000) {
        if let (Ok(schedule), Ok(now)) = (Schedule::parse(&expr, "Europe/Dublin"), Timestamp::from_second(at)) {
            prop_assert!(schedule.next_after(now).is_none_or(|next| next > now));
        }
    }
}

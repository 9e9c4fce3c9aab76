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

//! Against another implementation: other sets, another library of zones, another way to search.
//!
//! It lists all moments of a day, with chrono, and takes the first that is late enough.

use std::collections::BTreeSet;

use chrono::{
    DateTime, Datelike as _, Days, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _,
    Utc,
};
use chrono_tz::Tz;
use jiff::Timestamp;
use proptest::{collection::btree_set, prelude::*, sample::select, test_runner::RngAlgorithm};

use super::super::Schedule;

/// Zones with changes of all kinds: half an hour, at midnight, two hours, backwards in spring, none.
const ZONES: [&str; 20] = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "America/Nuuk",
    "Asia/Kathmandu",
    "Antarctica/Troll",
    "Asia/Beirut",
    "America/St_Johns",
    "America/Havana",
    "Asia/Tehran",
    "Asia/Amman",
    "Pacific/Chatham",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Gaza",
];

/// A field as written and as meant.
#[derive(Debug, Clone)]
struct Meant {
    text: String,
    values: BTreeSet<u32>,
    star: bool,
}

fn field(low: u32, high: u32) -> impl Strategy<Value = Meant> {
    let meant = |text: String, values: BTreeSet<u32>, star| Meant { text, values, star };
    prop_oneof![
        3 => Just(meant("*".to_owned(), (low..=high).collect(), true)),
        1 => Just(meant("?".to_owned(), (low..=high).collect(), true)),
        2 => (2_u32..20).prop_map(move |step| meant(
            format!("*/{step}"), (low..=high).filter(|n| (*n - low).is_multiple_of(step)).collect(), false)),
        2 => (low..=high, 1_u32..9).prop_map(move |(from, step)| meant(
            format!("{from}/{step}"), (from..=high).filter(|n| (*n - from).is_multiple_of(step)).collect(), false)),
        2 => (low..=high, low..=high).prop_map(move |(a, b)| meant(
            format!("{}-{}", a.min(b), a.max(b)), (a.min(b)..=a.max(b)).collect(), false)),
        4 => btree_set(low..=high, 1..4).prop_map(move |values| meant(
            values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","), values, false)),
    ]
}

/// The reference.
struct Reference {
    fields: [Meant; 5],
    zone: Tz,
}

impl Reference {
    fn on(&self, date: NaiveDate) -> bool {
        let [_, _, days, months, weekdays] = &self.fields;
        let day = days.values.contains(&date.day());
        let weekday = weekdays
            .values
            .contains(&date.weekday().num_days_from_sunday());
        let both = days.star || weekdays.star;
        months.values.contains(&date.month()) && if both { day && weekday } else { day || weekday }
    }

    /// Whether the clock shows any hour of it.
    fn exists(&self, date: NaiveDate) -> bool {
        let hours = (0..24).filter_map(|hour| date.and_hms_opt(hour, 0, 0));
        hours
            .filter_map(|hour| self.zone.from_local_datetime(&hour).earliest())
            .next()
            .is_some()
    }

    /// The moments one reading of the clock stands for.
    fn moments(&self, shown: NaiveDateTime) -> Vec<DateTime<Utc>> {
        let all = self.fields[1].values.len() == 24;
        match self.zone.from_local_datetime(&shown) {
            LocalResult::Single(at) => vec![at.to_utc()],
            LocalResult::Ambiguous(first, second) if all => vec![first.to_utc(), second.to_utc()],
            LocalResult::Ambiguous(first, _) => vec![first.to_utc()],
            LocalResult::None if all => Vec::new(),
            LocalResult::None if !self.exists(shown.date()) => Vec::new(),
            LocalResult::None => (1..24 * 60)
                .map(|minutes| shown + TimeDelta::minutes(minutes))
                .find_map(|later| self.zone.from_local_datetime(&later).earliest())
                .map(|at| at.to_utc())
                .into_iter()
                .collect(),
        }
    }

    fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let here = now.with_timezone(&self.zone).naive_local();
        let few_hours = TimeDelta::hours(5);
        let mut found: Option<(NaiveDateTime, DateTime<Utc>)> = None;
        // From the day before, and a few hours more than needed: clocks are put back over midnight too.
        for date in (here.date() - Days::new(1)).iter_days().take(1500) {
            let midnight = date.and_time(chrono::NaiveTime::MIN);
            if found.is_some_and(|(first, _)| midnight > first + few_hours) {
                break;
            }
            if !self.on(date) {
                continue;
            }
            for hour in &self.fields[1].values {
                for minute in &self.fields[0].values {
                    let shown = date.and_hms_opt(*hour, *minute, 0).expect("a time");
                    if found.is_some_and(|(first, _)| shown > first + few_hours) {
                        return found.map(|(_, at)| at);
                    }
                    if shown < here - few_hours {
                        continue;
                    }
                    for at in self.moments(shown).into_iter().filter(|at| *at > now) {
                        let earlier = found.is_none_or(|(_, first)| at < first);
                        found = if earlier { Some((shown, at)) } else { found };
                    }
                }
            }
        }
        found.map(|(_, at)| at)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::default() })]

    #[test]
    fn fires_when_the_reference_does(
        fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)),
        zone in select(ZONES.to_vec()),
        // Half of the moments are near the months in which clocks change.
        at in prop_oneof![946_684_800_i64..1_735_689_600, (2001_i64..2024, 0_i64..2, 0_i64..3_888_000).prop_map(
            |(year, autumn, second)| (year - 1970) * 31_556_952 + 5_000_000 + autumn * 18_500_000 + second)],
    ) {
        let fields: [Meant; 5] = fields.into();
        let expr = fields.each_ref().map(|field| field.text.as_str()).join(" ");
        let never = fields[2].values.iter().min() > Some(&28);
        match Schedule::parse(&expr, zone) {
            Err(error) => prop_assert!(never, "{expr}: {error}"),
            Ok(schedule) => {
                let now = DateTime::from_timestamp(at, 0).expect("a moment");
                let reference = Reference { fields, zone: zone.parse().expect("a zone") };
                let next = schedule.next_after(Timestamp::from_second(at).expect("a moment"));
                if let Some(expected) = reference.next(now) {
                    prop_assert_eq!(next.map(|at| at.as_second()), Some(expected.timestamp()), "{} {} after {}", expr, zone, now);
                }
            }
        }
    }
}

//! Cron expressions: the next moment is found, is later, and is a whole minute.
#![no_main]

use domain::cron::Schedule;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (i64, &str, &str)| {
    let (at, zone, expression) = input;
    let Ok(schedule) = Schedule::parse(expression, zone) else {
        return;
    };
    // Between 1970 and 2100.
    let Ok(now) = Timestamp::from_second(at.rem_euclid(4_102_444_800)) else {
        return;
    };
    let next = schedule.next_after(now);
    assert!(
        next.is_none_or(|next| next > now && next.as_second() % 60 == 0),
        "{expression}"
    );
});

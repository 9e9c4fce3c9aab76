//! What is an expression and what is not.

use super::super::{CronError, Schedule};

/// Expressions, and others that say the same.
const SAME: &[[&str; 2]] = &[
    ["* * * * *", "? ? ? ? ?"],
    ["* * * * *", "*/1 */1 */1 */1 */1"],
    ["* * * * *", "?/1 * * * *"],
    ["* * * * *", "  *\t* *  * *  "],
    ["0 0 1 1 *", "00 00 01 01 *"],
    ["0 0 1 1 *", "000 0 1 1 ?"],
    ["5 4 * * *", "5 4 ? * ?"],
    ["0 0 1 1-12 *", "0 0 1 JAN-DEC *"],
    ["0 0 1 1,3,5 *", "0 0 1 jan,Mar,mAY *"],
    ["0 0 1 2,4,6 *", "0 0 1 feb,apr,jun *"],
    ["0 0 1 7,8,9 *", "0 0 1 jul-sep *"],
    ["0 0 1 10,11 *", "0 0 1 oct,nov *"],
    ["0 0 * * 0-6", "0 0 * * sun-sat"],
    ["0 0 * * 1-5", "0 0 * * MON-FRI"],
    ["0 0 * * 0,6", "0 0 * * Sat,Sun"],
    ["0 0 * * 2,4", "0 0 * * tue,thu"],
    ["0 0 * * 3", "0 0 * * wed"],
    ["0,15,30,45 * * * *", "*/15 * * * *"],
    ["0,15,30,45 * * * *", "0/15 * * * *"],
    ["0,15,30,45 * * * *", "0-59/15 * * * *"],
    ["0,15,30,45 * * * *", "0-50/15 * * * *"],
    ["0,15,30,45 * * * *", "?/15 * * * *"],
    ["5,18,31,44,57 * * * *", "5/13 * * * *"],
    ["59 * * * *", "59/5 * * * *"],
    ["10,15,20 * * * *", "10-20/5 * * * *"],
    ["10 * * * *", "10-20/50 * * * *"],
    ["10 * * * *", "10-10 * * * *"],
    ["0 * * * *", "*/60 * * * *"],
    ["0 * * * *", "*/100 * * * *"],
    ["0 * * * *", "*/99999999 * * * *"],
    ["1,2,3 * * * *", "3,2,1,1 * * * *"],
    ["1,2,3,10,20,30 * * * *", "1-3,10-30/10 * * * *"],
    ["0 0 1 4,8,12 *", "0 0 1 apr/4 *"],
    ["0 0 1 1,4,7,10 *", "0 0 1 */3 *"],
    ["0 0 * * 2,4,6", "0 0 * * tue/2"],
    ["0 20,21,22,23 * * *", "0 20/1 * * *"],
    ["0 0 1,11,21,31 * *", "0 0 */10 * *"],
    // One star in the list is a star.
    ["0 0 13 * *", "0 0 13 * *,1"],
    ["* * * * *", "*,5 * * * *"],
];

/// Texts that are no expression, and what the reason mentions.
const WRONG: &[(&str, &str)] = &[
    ("", "not 0"),
    (" ", "not 0"),
    ("*", "not 1"),
    ("* *", "not 2"),
    ("* * *", "not 3"),
    ("* * * *", "not 4"),
    ("* * * * * *", "not 6"),
    ("0 0 1 1 * 2024", "not 6"),
    ("*/5", "not 1"),
    ("@daily", "not 1"),
    ("@every 5m", "not 2"),
    ("@yearly", "not 1"),
    ("@reboot", "not 1"),
    ("60 * * * *", "minute"),
    ("-1 * * * *", "minute"),
    ("100 * * * *", "minute"),
    ("256 * * * *", "minute"),
    ("316 * * * *", "minute"),
    ("a * * * *", "minute"),
    ("1.5 * * * *", "minute"),
    ("+5 * * * *", "minute"),
    ("0x5 * * * *", "minute"),
    ("* 24 * * *", "hour"),
    ("* 25 * * *", "hour"),
    ("* noon * * *", "hour"),
    ("* -1 * * *", "hour"),
    ("* * 0 * *", "day of month"),
    ("* * 32 * *", "day of month"),
    ("* * L * *", "day of month"),
    ("* * 15W * *", "day of month"),
    ("* * mon * *", "day of month"),
    ("* * * 0 *", "month"),
    ("* * * 13 *", "month"),
    ("* * * january *", "month"),
    ("* * * ja *", "month"),
    ("* * * mon *", "month"),
    ("* * * * 7", "day of week"),
    ("* * * * 8", "day of week"),
    ("* * * * monday", "day of week"),
    ("* * * * jan", "day of week"),
    ("* * * * 5L", "day of week"),
    ("* * * * 1#2", "day of week"),
    ("* * * * 0-7", "day of week"),
    ("* * * * sun-7", "day of week"),
    ("*/0 * * * *", "step"),
    ("* */0 * * *", "step"),
    ("* * */0 * *", "step"),
    ("* * * */0 *", "step"),
    ("* * * * */0", "step"),
    ("5/0 * * * *", "step"),
    ("1-5/0 * * * *", "step"),
    ("*/ * * * *", "step"),
    ("*/x * * * *", "step"),
    ("*/-5 * * * *", "step"),
    ("*/1.5 * * * *", "step"),
    ("*/5/5 * * * *", "step"),
    ("*/+5 * * * *", "step"),
    ("5/5/5 * * * *", "step"),
    ("*/99999999999999999999 * * * *", "step"),
    ("/5 * * * *", "minute"),
    ("5-1 * * * *", "ends before"),
    ("* 22-6 * * *", "ends before"),
    ("* * 20-10 * *", "ends before"),
    ("* * * dec-jan *", "ends before"),
    ("* * * * sat-sun", "ends before"),
    ("* * * * fri-mon", "ends before"),
    ("1-2-3 * * * *", "minute"),
    ("1- * * * *", "minute"),
    ("-5 * * * *", "minute"),
    ("- * * * *", "minute"),
    ("*-5 * * * *", "minute"),
    ("5-* * * * *", "minute"),
    ("** * * * *", "minute"),
    ("*5 * * * *", "minute"),
    ("5* * * * *", "minute"),
    ("?? * * * *", "minute"),
    (", * * * *", "minute"),
    ("1, * * * *", "minute"),
    (",1 * * * *", "minute"),
    ("1,,2 * * * *", "minute"),
    ("1-70 * * * *", "minute"),
    ("1-5,70 * * * *", "minute"),
    ("1 ,2 * * *", "hour"),
    ("1;2 * * * *", "minute"),
    ("１ * * * *", "minute"),
    ("٣ * * * *", "minute"),
    ("é * * * *", "minute"),
    ("\0 * * * *", "minute"),
    ("TZ=UTC", "space"),
    ("TZ=", "space"),
    ("CRON_TZ=UTC", "space"),
    ("TZ=UTC ", "not 0"),
    ("TZ=UTC * * * *", "not 4"),
    ("tz=UTC * * * * *", "not 6"),
    (" TZ=UTC * * * * *", "not 6"),
    ("* * * * * TZ=UTC", "not 6"),
    ("H * * * *", "minute"),
    ("*/15,x * * * *", "minute"),
    ("~ * * * *", "minute"),
    ("% * * * *", "minute"),
];

/// Dates that no year has.
const NEVER: &[&str] = &[
    "0 0 30 2 *",
    "0 0 31 2 *",
    "0 0 31 4 *",
    "0 0 31 6,9,11 *",
    "0 0 30-31 feb *",
    "* * 31 2,4,6,9,11 ?",
    "0 0 31 2 */1",
    "TZ=Asia/Tokyo 0 0 30 2 *",
];

/// Looks like one of those, and is none: the weekday is enough.
const STILL: &[&str] = &[
    "0 0 30 2 1",
    "0 0 31 4 fri",
    "0 0 30 2 */2",
    "0 0 29 2 *",
    "0 0 31 1-12/6 *",
    "0 0 29-31 2 ?",
];

fn fields(expr: &str) -> String {
    let schedule = Schedule::parse(expr, "").unwrap_or_else(|error| panic!("{expr:?}: {error}"));
    let Schedule {
        minutes,
        hours,
        days,
        months,
        weekdays,
        ..
    } = schedule;
    format!(
        "{:?}",
        [minutes, hours, days, months, weekdays].map(|field| field.values().collect::<Vec<_>>())
    ) + &format!("{:?}", [days.star, weekdays.star])
}

#[test]
fn the_same_in_other_words() {
    for [plain, other] in SAME {
        assert_eq!(fields(plain), fields(other), "{plain:?} and {other:?}");
    }
}

#[test]
fn a_step_is_no_star() {
    // Every second day, or Monday: one is enough, for neither is a star.
    assert_ne!(fields("0 0 */2 * 1"), fields("0 0 * * 1"));
    assert!(fields("0 0 */2 * 1").ends_with("[false, false]"));
    assert!(fields("0 0 */1 * 1").ends_with("[true, false]"));
    assert!(
        fields("0 0 1-31 * 1").ends_with("[false, false]"),
        "all days by number are no star"
    );
}

#[test]
fn what_is_wrong_is_said() {
    for (expr, reason) in WRONG {
        match Schedule::parse(expr, "UTC") {
            Err(error @ CronError::Expression(_)) => {
                let said = error.to_string();
                assert!(said.contains(reason), "{expr:?}: {said}");
            }
            other => panic!("{expr:?}: {other:?}"),
        }
    }
    let long = format!("{}1 * * * *", "1,".repeat(600));
    let error = Schedule::parse(&long, "").expect_err("too long");
    assert!(error.to_string().contains("longer than 1024"), "{error}");
}

#[test]
fn what_never_fires_is_refused() {
    for expr in NEVER {
        assert_eq!(
            Schedule::parse(expr, "").expect_err(expr),
            CronError::NeverFires,
            "{expr}"
        );
    }
    for expr in STILL {
        Schedule::parse(expr, "").expect(expr);
    }
}

//! Instants as the wire shows them: UTC, microseconds, RFC 3339.

use jiff::Timestamp;

/// `at` cut to the microsecond: what is stored equals what was answered.
pub fn to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// `at` as on the wire: fractional seconds with trailing zeros trimmed, and `Z`.
pub fn wire(at: Timestamp) -> String {
    to_micros(at).to_string()
}

/// The month of `at` in UTC, as `YYYYMM`: what a monthly spend belongs to.
pub fn month(at: Timestamp) -> i32 {
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    i32::from(date.year()) * 100 + i32::from(date.month())
}

/// What has been due for so many seconds was left over by a tick: they come once a minute, and not to
/// the second.
const LATE_SECONDS: i64 = 90;

/// What a tick tells of its backlog: the age of the oldest that was due, in seconds, if ticks do not
/// keep up. Zero when all was seen to in time; `behind` says that it was not.
pub fn backlog_seconds(age: i64, behind: bool) -> i64 {
    if behind || age > LATE_SECONDS { age } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_time_has_microseconds_and_trims_zeros() {
        let at: Timestamp = "2026-11-25T03:12:47.123456789Z".parse().expect("valid");
        assert_eq!(wire(at), "2026-11-25T03:12:47.123456Z");
        let at: Timestamp = "2026-11-25T03:12:47.5Z".parse().expect("valid");
        assert_eq!(wire(at), "2026-11-25T03:12:47.5Z");
        let at: Timestamp = "2026-11-25T03:12:47Z".parse().expect("valid");
        assert_eq!(wire(at), "2026-11-25T03:12:47Z");
    }

    #[test]
    fn a_month_is_utc() {
        let last: Timestamp = "2026-12-31T23:59:59.9Z".parse().expect("valid");
        assert_eq!(month(last), 202_612);
        let next: Timestamp = "2027-01-01T00:00:00Z".parse().expect("valid");
        assert_eq!(month(next), 202_701);
    }
}

//! An answer in time: once Lambda has stopped a function, the gateway answers in a form of its own (502, 503 or
//! 504 without a code), and its client cannot tell that from a defect.

use std::time::Duration;

use domain::{Error, Result};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};

/// What is left for the way to the gateway. A call to AWS may take 8 s, most functions have 10, and some make two calls
/// one after the other: when the table throttles, or is slow, that is not enough.
const SPARE: SignedDuration = SignedDuration::from_secs(1);

/// What a handler says, or that it could not say it in time. What it began goes the way of everything that breaks off:
/// whoever asks again finds it done or does it. No `async fn`: see `caught`.
pub(super) fn in_time<T>(
    stops_at: Option<Timestamp>,
    now: Timestamp,
    handling: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    tokio::time::timeout(left(stops_at, now), handling).map(|outcome| {
        outcome.unwrap_or_else(|_| Err(Error::unavailable("the function ran out of time")))
    })
}

/// How long a handler may take; forever where nobody stops it.
fn left(stops_at: Option<Timestamp>, now: Timestamp) -> Duration {
    let left = stops_at.map(|at| at.duration_since(now) - SPARE);
    left.map_or(Duration::MAX, |left| {
        Duration::try_from(left).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use domain::Kind;

    use super::*;

    #[tokio::test]
    async fn what_is_not_there_in_time_is_an_outage() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |millis| Some(now + SignedDuration::from_millis(millis));
        for stops_at in [None, after(60_000), after(900), after(-5)] {
            // What is there counts, however late.
            let said = in_time(stops_at, now, ready(Ok(1))).await;
            assert_eq!(said.ok(), Some(1), "{stops_at:?}");
        }
        for stops_at in [after(1_020), after(900), after(-5)] {
            let said = in_time(stops_at, now, pending::<Result<()>>()).await;
            let kind = said.err().map(|error| error.kind());
            assert_eq!(kind, Some(Kind::PlatformUnavailable), "{stops_at:?}");
        }
    }

    #[test]
    fn it_ends_a_second_before_the_function_is_stopped() {
        let now = Timestamp::UNIX_EPOCH;
        let stops_at = now + SignedDuration::from_secs(10);
        assert_eq!(left(Some(stops_at), now), Duration::from_secs(9));
        assert_eq!(left(None, now), Duration::MAX);
    }
}

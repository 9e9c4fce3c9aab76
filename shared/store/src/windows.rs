//! Exact counters of what may be done so often in so long (decision 35): for what is rare and must not
//! depend on which process counts. All else is limited in each process.

use domain::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::{
    Store,
    expr::Change,
    keys::{self, EXPIRES_AT},
    ops::{UpdateError, read},
};

/// How often a count that met another one is taken anew.
const TRIES: usize = 8;

/// How often something may be done.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// What it is, as the key says it.
    pub what: &'static str,
    /// So many times …
    pub times: i64,
    /// … from the first of them on.
    pub within: SignedDuration,
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether it may be done.
    pub allowed: bool,
    /// How many more may be done until then.
    pub left: i64,
    /// When all of them may be done again.
    pub resets_at: Timestamp,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Window {
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    began_at: Timestamp,
    taken: i64,
}

impl Store {
    /// Takes one of what `who` is allowed, if there is one left. One write unit, two for the first of
    /// a window.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn take(&self, of: Allowance, who: &str, now: Timestamp) -> Result<Taken> {
        let key = keys::window(of.what, who);
        let since = (now - of.within).as_microsecond();
        let taken = |window: Window, allowed| Taken {
            allowed,
            left: (of.times - window.taken).max(0),
            resets_at: window.began_at + of.within,
        };
        for _ in 0..TRIES {
            let one_more = Change::at(key.clone())
                .naming("began_at")
                .when("attribute_exists(pk) AND #began_at > :since AND #taken < :times")
                .with("since", since)
                .with("times", of.times)
                .count("taken", 1);
            match self.update(one_more).await {
                Ok(Some(before)) => {
                    let before: Window = read(before)?;
                    let now = Window {
                        taken: before.taken + 1,
                        ..before
                    };
                    return Ok(taken(now, true));
                }
                Ok(None) | Err(UpdateError::Refused(None)) => {}
                Err(UpdateError::Refused(Some(found))) => {
                    let found: Window = read(found)?;
                    if found.began_at.as_microsecond() > since {
                        return Ok(taken(found, false));
                    }
                }
                Err(UpdateError::Failed(error)) => return Err(error),
            }
            let first = Change::at(key.clone())
                .when("attribute_not_exists(pk) OR #began_at <= :since")
                .with("since", since)
                .set("began_at", now.as_microsecond())
                .set("taken", 1)
                .set(EXPIRES_AT, (now + of.within).as_second() + 1);
            match self.update(first).await {
                Ok(_) => {
                    let window = Window {
                        began_at: now,
                        taken: 1,
                    };
                    return Ok(taken(window, true));
                }
                // Another one began it.
                Err(UpdateError::Refused(_)) => {}
                Err(UpdateError::Failed(error)) => return Err(error),
            }
        }
        Err(Error::unavailable("the counter kept changing"))
    }
}

//! Leases of event streams: a workspace may have so many open at a time, wherever they run (decision 35).
//!
//! One item for each workspace that streams, with a place for each lease and in it when the lease ends. Who dies with a
//! lease has it until then, and no longer. A place is taken by one conditional write, whoever else takes one at
//! that moment.

use domain::{Error, Result, WorkspaceId};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Store,
    expr::{Change, Item},
    keys::{self, EXPIRES_AT, Key},
    ops::UpdateError,
};

/// How many streams of each kind a workspace may have open.
pub const STREAMS: usize = 20;
/// How often another place is tried when others were quicker: each time one of them got a place, so then all are taken.
const TRIES: usize = STREAMS;
/// How long the item stays after it was last written: longer than any lease, as its end must not end the others'.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// What holds an execution while it waits. Each kind has places of its own: who cannot keep a connection leaves
/// leases behind for as long as a stream may last, and must still be able to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// An answer of the API, for seconds.
    Answer,
    /// An answer that streams, for minutes.
    Stream,
}

impl Waits {
    fn key(self, of: WorkspaceId) -> Key {
        let kind = match self {
            Self::Answer => "ANSWERS",
            Self::Stream => "STREAMS",
        };
        keys::streams(of, kind)
    }
}

/// The right to have a stream open.
#[derive(Debug)]
pub struct Lease {
    key: Key,
    place: usize,
    until: Timestamp,
}

/// What became of a try.
#[derive(Debug)]
pub enum Leased {
    /// It may be open.
    Taken(Lease),
    /// As many are open as may be.
    Full {
        /// When the first of them ends.
        until: Timestamp,
    },
}

impl Store {
    /// Takes a lease until then, if there is a place. One write unit, also where there is none; one more for
    /// each place that turns out to be taken.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn lease_stream(
        &self,
        of: WorkspaceId,
        waits: Waits,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Leased> {
        let key = waits.key(of);
        // The clock throws the dice: those that begin at the same moment should not all try one place.
        let dice = now.as_microsecond().rem_euclid(STREAMS as i64);
        let mut place = usize::try_from(dice).unwrap_or_default();
        for _ in 0..TRIES {
            let name = name(place);
            let take = Change::at(key.clone())
                .when(format!("attribute_not_exists(#{name}) OR #{name} <= :now"))
                .with("now", now.as_microsecond())
                .set(&name, until.as_microsecond())
                .set(EXPIRES_AT, (now + KEPT).as_second());
            let taken = match self.update(take).await {
                Ok(_) => return Ok(Leased::Taken(Lease { key, place, until })),
                Err(UpdateError::Refused(taken)) => taken.unwrap_or_default(),
                Err(UpdateError::Failed(error)) => return Err(error),
            };
            match free(&taken, place, now) {
                Ok(free) => place = free,
                Err(until) => return Ok(Leased::Full { until }),
            }
        }
        Err(Error::unavailable("the places of streams kept changing"))
    }

    /// Gives a lease back before it ends; one that somebody else has by now stays theirs.
    ///
    /// # Errors
    /// The datastore did not answer: it ends by itself.
    pub async fn release_stream(&self, lease: Lease) -> Result<()> {
        let Lease { key, place, until } = lease;
        let name = name(place);
        let release = Change::at(key)
            .when(format!("#{name} = :until"))
            .with("until", until.as_microsecond())
            .remove(&name);
        match self.update(release).await {
            Ok(_) | Err(UpdateError::Refused(_)) => Ok(()),
            Err(UpdateError::Failed(error)) => Err(error),
        }
    }
}

/// The attribute of a place.
fn name(place: usize) -> String {
    format!("place_{place}")
}

/// The first free place behind this one; else when one will be.
fn free(taken: &Item, behind: usize, now: Timestamp) -> Result<usize, Timestamp> {
    let end = |place: usize| {
        let end = taken.get(&name(place))?.as_n().ok()?.parse().ok()?;
        Timestamp::from_microsecond(end).ok().filter(|it| *it > now)
    };
    let mut places = (1..=STREAMS).map(|n| (behind + n) % STREAMS);
    let free = places.clone().find(|place| end(*place).is_none());
    free.ok_or_else(|| places.by_ref().filter_map(end).min().unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    #[test]
    fn a_place_is_free_once_its_lease_is_over() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1);
        let at = |seconds| now + SignedDuration::from_secs(seconds);
        let item = |ends: &dyn Fn(usize) -> Option<i64>| -> Item {
            let taken = (0..STREAMS).filter_map(|place| {
                let end = at(ends(place)?).as_microsecond().to_string();
                Some((name(place), AttributeValue::N(end)))
            });
            taken.collect()
        };
        assert_eq!(free(&item(&|_| None), 3, now), Ok(4));
        assert_eq!(free(&item(&|_| None), STREAMS - 1, now), Ok(0));
        assert_eq!(free(&item(&|it| (it != 2).then_some(9)), 5, now), Ok(2));
        let over = |it| Some(if it == 2 { 0 } else { 9 });
        assert_eq!(free(&item(&over), 2, now), Ok(2));
        let soon = |it| Some(if it == 2 { 4 } else { 9 });
        assert_eq!(free(&item(&soon), 2, now), Err(at(4)));
    }
}

//! Reading the counters of all workspaces, a part at a time, so that each is read within an hour.
//!
//! The hour is a clock face with all ids around it: four quarters, one for each shard of the beats,
//! which are sorted by id. Whoever reads takes what the hand has passed in the last 75 seconds: no
//! state, nobody left out when a minute begins a little late, and a part that is lost with a tick is
//! read an hour later. Ids come from the beats and not from the index of all workspaces, because
//! that one is sorted by creation: to find the part of a minute, all of it would be read.
//!
//! Price, per 1,000 workspaces and month (730 hours, each workspace read 1.25 times an hour): loads
//! 1,000 × 1.25 × 730 × 0.5 = 456,000 read units; beats 43,800 times 21 items of 0.7 KB, two units
//! each, 88,000. Together 0.54 million at $0.125: **$0.07**, and $0.003 where nothing is. Listing by
//! the index alone would take 16 units a minute, 700,000.

use domain::{Result, WorkspaceId};
use jiff::Timestamp;

use super::Counts;
use crate::{
    Store,
    keys::{self, SHARDS},
};

/// Once around.
const ROUND_MS: i64 = 3_600_000;
/// What one look covers: a minute, and as much as the schedule may be late.
const SHARE_MS: i64 = 75_000;
/// The places of one shard: the first two bytes of an id.
const PLACES: i64 = 1 << 16;

/// A stretch of one shard, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    shard: u8,
    from: u16,
    to: u16,
}

impl Stretch {
    /// Its sort keys: `~` is above whatever follows the first four digits of an id.
    fn bounds(self) -> (String, String) {
        (format!("{:04x}", self.from), format!("{:04x}~", self.to))
    }
}

/// What the hand has passed.
fn stretches(now: Timestamp) -> Vec<Stretch> {
    let circle = i64::from(SHARDS) * PLACES;
    let place = |ms: i64| ms.rem_euclid(ROUND_MS) * circle / ROUND_MS;
    let now = now.as_millisecond();
    let mut at = place(now - SHARE_MS);
    let mut left = (place(now) - at).rem_euclid(circle) + 1;
    let mut found = Vec::new();
    while left > 0 {
        let from = at % PLACES;
        let length = left.min(PLACES - from);
        let short = |place: i64| u16::try_from(place).unwrap_or(u16::MAX);
        found.push(Stretch {
            shard: u8::try_from(at / PLACES).unwrap_or_default(),
            from: short(from),
            to: short(from + length - 1),
        });
        at = (at + length) % circle;
        left -= length;
    }
    found
}

impl Store {
    /// The workspaces whose counters are to be read at this moment: all within an hour, if asked
    /// every minute. Those removed are not among them.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn audited_at(&self, now: Timestamp) -> Result<Vec<WorkspaceId>> {
        let mut ids = Vec::new();
        for stretch in stretches(now) {
            let (from, to) = stretch.bounds();
            let partition = keys::beats(stretch.shard);
            let keys = self.keys_between(partition, from, to).await?;
            let found = keys
                .iter()
                .filter_map(|key| key.sk.parse::<WorkspaceId>().ok());
            ids.extend(found);
        }
        Ok(ids)
    }

    /// The counters of these workspaces, as far as they are there. Not the newest, but no false
    /// alarm either: they are one item, which every write changes as a whole.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn counts(
        &self,
        ids: impl IntoIterator<Item = WorkspaceId>,
    ) -> Result<Vec<(WorkspaceId, Counts)>> {
        let ids: Vec<WorkspaceId> = ids.into_iter().collect();
        let keys = ids.iter().map(|id| keys::load(*id));
        let mut rows = self.rows_of_late(keys).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let counts = rows.take(&keys::load(id))?;
            found.extend(counts.map(|counts| (id, counts)));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn an_hour_of_ticks_passes_every_place_however_the_minutes_fall() {
        let start: Timestamp = "2026-11-25T03:12:47.5Z".parse().expect("valid");
        let places = usize::from(SHARDS) * (1 << 16);
        let mut seen = vec![0_u8; places];
        for minute in 0..61 {
            // Early and late by turns, 74 seconds apart at most.
            let jitter = if minute % 2 == 0 { -7 } else { 7 };
            let at = start + SignedDuration::from_secs(60 * minute + jitter);
            let stretches = stretches(at);
            assert!(stretches.len() <= 2, "{stretches:?}");
            for stretch in stretches {
                let shard = usize::from(stretch.shard) << 16;
                for place in stretch.from..=stretch.to {
                    seen[shard + usize::from(place)] += 1;
                }
            }
        }
        assert!(seen.iter().all(|times| (1..=3).contains(times)));
        let reads: usize = seen.iter().map(|times| usize::from(*times)).sum();
        assert!(reads * 100 <= places * 128, "{reads} reads of {places}");
    }

    #[test]
    fn a_stretch_ends_with_its_shard() {
        let at: Timestamp = "2026-11-25T03:15:30Z".parse().expect("valid");
        let found = stretches(at);
        let of = |shard, from, to| Stretch { shard, from, to };
        assert_eq!(found, [of(0, 62259, 65535), of(1, 0, 2184)]);
        assert_eq!(found[1].bounds(), ("0000".to_owned(), "0888~".to_owned()));
        let at: Timestamp = "2026-11-25T04:00:30Z".parse().expect("valid");
        let shards: Vec<_> = stretches(at).iter().map(|it| it.shard).collect();
        assert_eq!(shards, [3, 0], "the round begins anew");
    }
}

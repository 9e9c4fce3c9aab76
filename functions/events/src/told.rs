//! What a reader of an event stream was told, and where it goes on.
//!
//! Three sources have what happens to a workspace: its events, its activity, and its last sign of life.
//! Ids order them, and are made before their rows are committed: one may turn up late, below others that
//! were told already. So the last ten seconds are looked through each time, and what was told of them is
//! remembered, also from one answer to the next: the place at which a reader goes on names it.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use domain::{
    Error, EventId, Result, WorkspaceId,
    activity::Activity,
    event::{MAX_ENVELOPE, fitted, is_ahead},
};
use edge::App;
use jiff::Timestamp;
use store::{
    events::{EventRow, before},
    workspaces::Parts,
};
use tokio::try_join;
use uuid::{Builder, Uuid};

use crate::news::News;

/// How many marks a place has at most: 2 KB of a header. Of more in ten seconds none is named, and one that
/// is late among them may be missed.
const MOST_MARKS: usize = 240;
/// Between an id and its marks.
const MARKS: char = '~';

/// What was told: all up to the highest id, but of its last ten seconds only what is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    upto: EventId,
    marks: BTreeSet<Mark>,
    /// Nobody says what was told: then it is all that is there at the first look.
    is_first: bool,
    /// Whether there may be more than the last look has shown.
    pub(crate) more: bool,
}

/// Something to tell, and its payload as JSON.
pub(crate) type Payload = (News, String);

impl Told {
    /// All that happened before a moment.
    pub(crate) fn at(now: Timestamp) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let id: Uuid = Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
        Self::upto(EventId::from_uuid(id))
    }

    fn upto(id: EventId) -> Self {
        Self {
            upto: id,
            marks: BTreeSet::new(),
            is_first: true,
            more: false,
        }
    }

    /// A place that [`Display`](fmt::Display) has written, or the id of any event.
    ///
    /// # Errors
    /// 400: it is no event's id, or one of a time to come.
    pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Self> {
        let invalid = || Error::invalid("invalid event ID");
        let (id, marks) = match text.split_once(MARKS) {
            Some((id, marks)) => (id, Some(marks)),
            None => (text, None),
        };
        let upto: EventId = id.parse()?;
        if is_ahead(upto, now) {
            return Err(invalid());
        }
        let Some(marks) = marks else {
            return Ok(Self::upto(upto));
        };
        let mark = |hex: &[u8]| Mark::parse(std::str::from_utf8(hex).ok()?, upto);
        let marks: Option<BTreeSet<Mark>> = marks.as_bytes().chunks(8).map(mark).collect();
        Ok(Self {
            marks: marks.ok_or_else(invalid)?,
            is_first: false,
            ..Self::upto(upto)
        })
    }

    /// What was not told yet, the lowest id first; from now on it is told. `most` at most, and no more
    /// after about so many bytes of `room`.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub(crate) async fn news(
        &mut self,
        app: &App,
        id: WorkspaceId,
        (most, room): (usize, usize),
        now: Timestamp,
    ) -> Result<Vec<Payload>> {
        let (found, name) = self.look(app, id, most, now).await?;
        let (mut told, mut bytes) = (Vec::new(), 0);
        for news in found {
            if told.len() == most || bytes > room {
                self.more = true;
                break;
            }
            let payload = news.payload(app, &name, now).await?;
            let payload = fitted(payload, MAX_ENVELOPE).to_string();
            bytes += payload.len();
            told.push((news, payload));
        }
        self.told(told.iter().map(|(news, _)| news.id));
        Ok(told)
    }

    /// What there is to tell, in order and maybe too much of it, and the workspace's name. All reads at a
    /// time.
    async fn look(
        &mut self,
        app: &App,
        id: WorkspaceId,
        most: usize,
        now: Timestamp,
    ) -> Result<(Vec<News>, String)> {
        // What comes late is looked for when all else is told, and not again with each part of it.
        let after = if self.more {
            beneath(self.upto)
        } else {
            before(self.upto)
        };
        let met = Mutex::new(BTreeSet::new());
        let is_news = |id| self.is_news(id, &met);
        let store = &app.store;
        let event = |row: &EventRow| is_news(row.id);
        let active = |row: &Activity| {
            let told = News::activity(row).into_iter();
            // All of them are asked for: each is to be marked at the first look.
            told.fold(false, |any, news| is_news(news.id) | any)
        };
        let (events, activity, workspace) = try_join!(
            store.events_of_after(id, after, event, most, now),
            store.activity_after(id, after, active, most, now),
            store.workspace(id, Parts::Core),
        )?;
        let is_full = events.len() == most || activity.len() == most;
        let beat = workspace.as_ref().and_then(|it| it.beat.as_ref());
        let beat = beat.and_then(|beat| News::beat(id, beat));
        let events = events.into_iter().map(News::event);
        let activity = activity.iter().flat_map(News::activity);
        let mut found: Vec<News> = events.chain(activity).chain(beat).collect();
        found.retain(|news| is_news(news.id));
        found.sort_by_key(|news| news.id);
        self.more = is_full;
        self.marks.append(&mut met.into_inner().unwrap_or_default());
        let name = workspace.map(|it| it.meta.name).unwrap_or_default();
        Ok((found, name))
    }

    /// Whether it was not told. What is older than ten seconds was; at the first look, unless somebody said
    /// more, so was what is not above the highest id, which is `met` then.
    fn is_news(&self, id: EventId, met: &Mutex<BTreeSet<Mark>>) -> bool {
        if id < before(self.upto) {
            return false;
        }
        if id > self.upto {
            // Marks are of what is below, and two ids of one millisecond may have one.
            return true;
        }
        if self.is_first {
            met.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(Mark::of(id));
            return false;
        }
        !self.marks.contains(&Mark::of(id))
    }

    /// These are told now.
    fn told(&mut self, ids: impl Iterator<Item = EventId>) {
        self.is_first = false;
        for id in ids {
            self.upto = self.upto.max(id);
            self.marks.insert(Mark::of(id));
        }
        let oldest = millis(before(self.upto));
        self.marks.retain(|mark| mark.millis >= oldest);
    }
}

/// Where a reader goes on. Marks are there once the log was looked at, if they are few enough.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.upto)?;
        if self.is_first || self.marks.len() > MOST_MARKS {
            return Ok(());
        }
        write!(f, "{MARKS}")?;
        let upto = millis(self.upto);
        self.marks.iter().try_for_each(|mark| {
            let ago = upto.saturating_sub(mark.millis);
            write!(f, "{:08x}", ago << BITS | u64::from(mark.bits))
        })
    }
}

/// How many bits tell two ids of one millisecond apart.
const BITS: u32 = 18;

/// An id of the last ten seconds, in 32 bits: how many milliseconds ago, in 14, and the rest of it folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    millis: u64,
    bits: u32,
}

impl Mark {
    fn of(id: EventId) -> Self {
        let all = id.as_uuid().as_u128();
        let folded = (0..8).fold(0, |bits, n| bits ^ (all >> (n * BITS)));
        Self {
            millis: millis(id),
            bits: low(folded),
        }
    }

    /// Seen from `upto`.
    fn parse(hex: &str, upto: EventId) -> Option<Self> {
        let is_whole = hex.len() == 8 && !hex.starts_with('+');
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| is_whole)?;
        Some(Self {
            millis: millis(upto).checked_sub(u64::from(number >> BITS))?,
            bits: low(number.into()),
        })
    }
}

fn low(bits: u128) -> u32 {
    u32::try_from(bits & ((1 << BITS) - 1)).unwrap_or_default()
}

/// When an id was made, in milliseconds since 1970.
fn millis(id: EventId) -> u64 {
    u64::try_from(id.as_uuid().as_u128() >> 80).unwrap_or_default()
}

/// The id below those of a row of activity that tells twice: their last bits differ.
fn beneath(id: EventId) -> EventId {
    let first = id.as_uuid().as_u128() & !1;
    EventId::from_uuid(Uuid::from_u128(first.saturating_sub(1)))
}

#[cfg(test)]
mod tests;

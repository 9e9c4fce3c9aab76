//! Rows of a time, a type, a source or a peer; and their bodies.

use domain::{
    ActivityId, BodyId, EventId, Result, WorkspaceId,
    activity::{Activity, Content},
    json::Text,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Builder;

use super::Row;
use crate::{
    Store,
    expr::{Change, Item},
    keys,
    ops::{UpdateError, read},
    queries::Page,
};

/// How much later than its row's time an id may be made.
const LATE: SignedDuration = SignedDuration::from_mins(1);

/// How long a message may be on its way with the id it has, far more than its one transaction takes.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(2);

/// When no further rows are looked at, though fewer were found than are wanted: rows of one type may lie
/// far apart.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// So many that were found are enough,
    pub enough: usize,
    /// once this many were looked at.
    pub after: usize,
    /// Whatever was found: no more than these are looked at, but for the page that ends with them.
    pub most: usize,
}

impl Patience {
    fn is_over(&self, found: usize, looked: usize) -> bool {
        looked >= self.most || (looked >= self.after && found >= self.enough)
    }
}

/// Which rows to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this type.
    pub activity_type: Option<String>,
    /// Only a person's rows (`false`) or workspaces' rows (`true`).
    pub from_agents: Option<bool>,
    /// Only rows after this one; then oldest first.
    pub after: Option<ActivityId>,
    /// Only this row and those before it.
    pub upto: Option<ActivityId>,
    /// Only rows from then on.
    pub since: Option<Timestamp>,
    /// Only rows before then.
    pub before: Option<Timestamp>,
    /// Only rows that came from this workspace or concern it.
    pub peer: Option<WorkspaceId>,
    /// At most this many.
    pub limit: usize,
    /// When to stop before that; none looks through all there is.
    pub patience: Option<Patience>,
}

impl Filter {
    /// How many rows to read at once: no more than asked for, unless some will be passed over.
    fn page(&self) -> usize {
        if self.activity_type.is_none() && self.from_agents.is_none() && self.peer.is_none() {
            self.limit.clamp(1, 500)
        } else {
            self.limit.clamp(25, 500)
        }
    }

    /// The ids between which rows of its time are. An id is made after its row's time was read, within
    /// the same call.
    fn bounds(&self) -> (Option<String>, Option<String>) {
        // A caller's time may be the last there is. Only spans with a calendar in them cannot be added.
        let moved = |at: Timestamp, by| at.saturating_add(by).unwrap_or(at);
        let since = self.since.map(|since| id_at(moved(since, -LATE), 0));
        let after = self.after.map(|id| id.to_string());
        let before = self.before.map(|at| id_at(moved(at, LATE), u8::MAX));
        // Just above it: the bound itself may be left out.
        let upto = self.upto.map(|upto| format!("{upto}~"));
        let bounds = [before, upto];
        (after.max(since), bounds.into_iter().flatten().min())
    }

    fn takes(&self, row: &Row) -> bool {
        let wanted = self.activity_type.as_ref();
        wanted.is_none_or(|wanted| *wanted == row.activity_type)
            && self
                .from_agents
                .is_none_or(|agents| agents == row.source_id.is_some())
            && self.after.is_none_or(|after| after != row.id)
            && self.upto.is_none_or(|upto| row.id <= upto)
            && self.since.is_none_or(|since| row.created_at >= since)
            && self.before.is_none_or(|before| row.created_at < before)
            && self.peer.is_none_or(|peer| row.concerns(peer))
    }
}

impl Row {
    fn concerns(&self, peer: WorkspaceId) -> bool {
        let target = self.target_id.as_ref().and_then(|id| id.parse().ok());
        self.source_id == Some(peer) || target == Some(peer)
    }
}

/// The lowest or the highest id of a moment.
fn id_at(at: Timestamp, fill: u8) -> String {
    let ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let id = Builder::from_unix_timestamp_millis(ms, &[fill; 10]).into_uuid();
    ActivityId::from_uuid(id).to_string()
}

impl Store {
    /// The rows `filter` takes that are kept at `now`: newest first, or oldest first after a row.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn activity(
        &self,
        workspace: WorkspaceId,
        filter: &Filter,
        now: Timestamp,
    ) -> Result<Vec<Activity>> {
        let (after, before) = filter.bounds();
        if after.is_some() && before.is_some() && after > before {
            return Ok(Vec::new());
        }
        let (mut found, mut looked) = (Vec::new(), 0);
        let mut start: Option<Item> = None;
        loop {
            let query = Page {
                partition: keys::activities(workspace),
                after: after.as_deref(),
                before: before.as_deref(),
                oldest_first: filter.after.is_some(),
                // A page is up to 1 MB: for one row that would be 256 read units.
                limit: i32::try_from(filter.page()).ok(),
                start,
            };
            let (items, next) = self.page(query).await?;
            looked += items.len();
            for item in items {
                let row: Row = read(item)?;
                if row.expires_at > now.as_second() && filter.takes(&row) {
                    found.push(row.into());
                    if found.len() == filter.limit {
                        return Ok(found);
                    }
                }
            }
            start = next;
            let mut patience = filter.patience.iter();
            if start.is_none() || patience.any(|it| it.is_over(found.len(), looked)) {
                return Ok(found);
            }
        }
    }

    /// The rows as [`activity`](Self::activity) has them, for who goes on from the last of them: no message
    /// that is left for the workspace later gets an id that is not above them.
    ///
    /// An id is made before its row is committed, so a message may turn up below others that were
    /// shown already, and who asks for what is above them would never see it. So the highest id that is shown is
    /// written into the load, with which every message is committed. A write unit and a read again, and only
    /// where a row is so young that others may still be on their way.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn activity_to_go_on_from(
        &self,
        workspace: WorkspaceId,
        filter: &Filter,
        now: Timestamp,
    ) -> Result<Vec<Activity>> {
        let rows = self.activity(workspace, filter, now).await?;
        let Some(highest) = rows.iter().map(|row| row.id).max() else {
            return Ok(rows);
        };
        if highest.to_string() < id_at(now - UNDER_WAY, 0) {
            return Ok(rows);
        }
        let fence = Change::at(keys::load(workspace))
            .naming("shown")
            .when("attribute_exists(pk) AND (attribute_not_exists(#shown) OR #shown < :shown)")
            .set("shown", highest);
        match self.update(fence).await {
            Ok(_) | Err(UpdateError::Refused(_)) => {}
            Err(UpdateError::Failed(error)) => return Err(error),
        }
        // The same again: both at once may be more than the function has.
        drop(rows);
        let shown = Filter {
            upto: Some(highest),
            ..filter.clone()
        };
        self.activity(workspace, &shown, now).await
    }

    /// The oldest `limit` rows above the id `after` that are `wanted` and kept at `now`, in their order.
    /// One read unit for each 4 KB that is read.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn activity_after(
        &self,
        workspace: WorkspaceId,
        after: EventId,
        mut wanted: impl FnMut(&Activity) -> bool,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Activity>> {
        let partition = keys::activities(workspace);
        let keep = |row: Row| {
            let is_kept = row.expires_at > now.as_second();
            let row: Activity = row.into();
            (is_kept && wanted(&row)).then_some(row)
        };
        self.oldest_above(partition, after.to_string(), limit, keep)
            .await
    }

    /// Whether a row is still known: a cursor that is not can no longer be followed.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn has_activity(&self, workspace: WorkspaceId, id: ActivityId) -> Result<bool> {
        let key = keys::activity(workspace, id);
        Ok(self.rows([key.clone()]).await?.item(&key).is_some())
    }

    /// Replaces references by the bodies they stand for, in order, until `budget` bytes are used.
    /// Says whether any was left out.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn inline_bodies(
        &self,
        rows: &mut [Activity],
        budget: usize,
        now: Timestamp,
    ) -> Result<bool> {
        let mut wanted: Vec<BodyId> = rows
            .iter()
            .flat_map(|row| [&row.request_body, &row.response_body, &row.tool_trace])
            .filter_map(|content| match content {
                Content::Stored(id) => Some(*id),
                Content::Absent | Content::Inline(_) => None,
            })
            .collect();
        wanted.dedup();
        let bodies = self.bodies(wanted, budget, now).await?;
        let mut left_out = false;
        for row in rows {
            for content in [
                &mut row.request_body,
                &mut row.response_body,
                &mut row.tool_trace,
            ] {
                if let Content::Stored(id) = content {
                    *content = match bodies.get(id) {
                        Some(bytes) => Content::Inline(Text::of_bytes(bytes).unwrap_or_default()),
                        None => Content::Absent,
                    };
                    left_out |= *content == Content::Absent;
                }
            }
        }
        Ok(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn bounds_hold_every_id_of_the_time() {
        let filter = Filter {
            since: Some(at("2026-11-25T03:00:00Z")),
            before: Some(at("2026-11-25T04:00:00Z")),
            ..Filter::default()
        };
        let (after, before) = filter.bounds();
        let (after, before) = (after.expect("one"), before.expect("one"));
        for (moment, inside) in [
            ("2026-11-25T02:58:59.999Z", false),
            ("2026-11-25T03:00:00Z", true),
            ("2026-11-25T04:00:30Z", true),
            ("2026-11-25T04:01:00.001Z", false),
        ] {
            for fill in [0, 7, u8::MAX] {
                let id = id_at(at(moment), fill);
                assert_eq!(after <= id && id <= before, inside, "{moment}");
            }
        }
    }

    #[test]
    fn the_first_and_the_last_moment_are_bounds_too() {
        let filter = Filter {
            since: Some(Timestamp::MIN),
            before: Some(Timestamp::MAX),
            ..Filter::default()
        };
        let (after, before) = filter.bounds();
        let id = id_at(at("2026-11-25T03:00:00Z"), 7);
        assert!(after.expect("one") < id && id < before.expect("one"));
    }

    #[test]
    fn of_a_cursor_and_a_time_the_later_one_counts() {
        let cursor: ActivityId = id_at(at("2026-11-25T05:00:00Z"), 7).parse().expect("an id");
        for (since, later) in [
            ("2026-11-25T03:00:00Z", true),
            ("2026-11-25T09:00:00Z", false),
        ] {
            let filter = Filter {
                after: Some(cursor),
                since: Some(at(since)),
                ..Filter::default()
            };
            let (after, _) = filter.bounds();
            assert_eq!(after == Some(cursor.to_string()), later, "{since}");
        }
        // Before 1970 there is nothing, and nothing breaks.
        assert!(id_at(Timestamp::MIN, 0) < cursor.to_string());
    }
}

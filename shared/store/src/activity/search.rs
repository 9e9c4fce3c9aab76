//! Rows with a text in them: read, newest first, and looked through.

use domain::{
    Result, WorkspaceId,
    activity::{Activity, Content},
    search::Pattern,
};
use jiff::Timestamp;

use super::Row;
use crate::{Store, expr::Item, keys, ops::read, queries::Page};

/// The most rows a search reads. They are about a kilobyte each.
const MAX_ROWS: usize = 1000;
/// How many it reads at once.
const PAGE: i32 = 50;
/// Of how many it reads the bodies at once: it may have found enough by then.
const WITH_BODIES: usize = 10;
/// The most bytes of bodies it reads.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

impl Store {
    /// The newest `limit` rows that are kept at `now` and have `pattern` in their type, method, status,
    /// summary or bodies, with their bodies; and whether no row or body was left out because so much had
    /// been read. Costs a query for 50 rows, a batch get for the bodies of ten, and a read of the bucket
    /// for each body over 16 KB.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn search_activity(
        &self,
        workspace: WorkspaceId,
        pattern: Option<&Pattern>,
        limit: usize,
        now: Timestamp,
    ) -> Result<(Vec<Activity>, bool)> {
        let (mut found, mut all) = (Vec::new(), true);
        let (mut read_rows, mut room) = (0, MAX_BODY_BYTES);
        let mut start: Option<Item> = None;
        loop {
            let query = Page {
                partition: keys::activities(workspace),
                limit: Some(PAGE),
                start,
                ..Page::default()
            };
            let (items, next) = self.page(query).await?;
            read_rows += items.len();
            let mut rows = Vec::new();
            for item in items {
                let row: Row = read(item)?;
                if row.expires_at > now.as_second() {
                    let mut row = Activity::from(row);
                    // It is not looked through and not shown.
                    row.tool_trace = Content::Absent;
                    rows.push(row);
                }
            }
            for rows in rows.chunks_mut(WITH_BODIES) {
                let had: Vec<_> = rows.iter().map(bodies).collect();
                self.inline_bodies(rows, room, now).await?;
                for (row, had) in rows.iter().zip(had) {
                    all &= bodies(row) == had;
                    let texts = texts(row);
                    room = room.saturating_sub(texts.iter().map(String::len).sum());
                    if pattern.is_none_or(|it| texts.iter().any(|text| it.is_in(text))) {
                        found.push(row.clone());
                        if found.len() == limit {
                            return Ok((found, all));
                        }
                    }
                }
            }
            start = next;
            if start.is_none() {
                return Ok((found, all));
            }
            if read_rows >= MAX_ROWS {
                return Ok((found, false));
            }
        }
    }
}

/// How many bodies a row has.
fn bodies(row: &Activity) -> usize {
    let bodies = [&row.request_body, &row.response_body];
    let there = bodies.iter().filter(|it| **it != &Content::Absent);
    there.count()
}

/// What of a row is looked through.
fn texts(row: &Activity) -> Vec<String> {
    let body = |content: &Content| match content {
        // Agents write "\u00e4" for "ä": nobody looks for that.
        Content::Inline(json) => Some(json.value().to_string()),
        Content::Absent | Content::Stored(_) => None,
    };
    let plain = [
        Some(row.activity_type.clone()),
        row.method.clone(),
        Some(row.status.clone()),
        row.summary.clone(),
        body(&row.request_body),
        body(&row.response_body),
    ];
    plain.into_iter().flatten().collect()
}

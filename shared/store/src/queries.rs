//! The queries of DynamoDB, each written once: keys of an index, keys and items of a partition.

use domain::Result;
use serde::de::DeserializeOwned;

use crate::{
    Store,
    expr::Item,
    keys::{Index, Key},
    ops::{key_of, read, unavailable},
};

impl Store {
    /// One page of keys of an index partition, oldest first, or newest first; and whether there
    /// may be more.
    pub(crate) async fn index_keys(
        &self,
        index: Index,
        partition: String,
        newest_first: bool,
        limit: Option<i32>,
    ) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .db
                .query()
                .table_name(&self.table)
                .index_name(index.name)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", index.pk)
                .expression_attribute_values(":pk", crate::expr::value(&partition))
                .scan_index_forward(!newest_first)
                .set_limit(limit)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(unavailable)?;
            keys.extend(page.items().iter().filter_map(key_of));
            start = page.last_evaluated_key;
            let enough = limit.is_some_and(|limit| keys.len() >= limit as usize);
            if start.is_none() || enough {
                return Ok(keys);
            }
        }
    }

    /// The first `limit` keys of an index partition whose sort key is not above `until`, each with
    /// that sort key.
    pub(crate) async fn due_keys(
        &self,
        index: Index,
        partition: String,
        until: String,
        limit: i32,
    ) -> Result<Vec<(Key, String)>> {
        self.some_keys(index, "<=", partition, until, limit).await
    }

    /// The first `limit` keys of an index partition whose sort key is above `from`, each with that
    /// sort key.
    pub(crate) async fn keys_above(
        &self,
        index: Index,
        partition: String,
        from: String,
        limit: i32,
    ) -> Result<Vec<(Key, String)>> {
        self.some_keys(index, ">", partition, from, limit).await
    }

    async fn some_keys(
        &self,
        index: Index,
        relation: &str,
        partition: String,
        bound: String,
        limit: i32,
    ) -> Result<Vec<(Key, String)>> {
        let page = self
            .db
            .query()
            .table_name(&self.table)
            .index_name(index.name)
            .key_condition_expression(format!("#pk = :pk AND #sk {relation} :bound"))
            .expression_attribute_names("#pk", index.pk)
            .expression_attribute_names("#sk", index.sk)
            .expression_attribute_values(":pk", crate::expr::value(&partition))
            .expression_attribute_values(":bound", crate::expr::value(&bound))
            .limit(limit)
            .send()
            .await
            .map_err(unavailable)?;
        let found = page.items().iter();
        Ok(found
            .filter_map(|item| Some((key_of(item)?, item.get(index.sk)?.as_s().ok()?.clone())))
            .collect())
    }

    /// The keys of a partition of the table from one sort key to another, as they were a moment ago.
    pub(crate) async fn keys_between(
        &self,
        partition: String,
        from: String,
        to: String,
    ) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .db
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", crate::expr::value(&partition))
                .expression_attribute_values(":from", crate::expr::value(&from))
                .expression_attribute_values(":to", crate::expr::value(&to))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(unavailable)?;
            keys.extend(page.items().iter().filter_map(key_of));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
    }

    /// One page of a partition's items, newest (highest) first, between two sort keys: without them
    /// where there is one, with them where there are both.
    pub(crate) async fn page(&self, query: Page<'_>) -> Result<(Vec<Item>, Option<Item>)> {
        let mut request = self
            .db
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(query.oldest_first)
            .set_limit(query.limit)
            .set_exclusive_start_key(query.start)
            .expression_attribute_values(":pk", crate::expr::value(&query.partition));
        request = request.key_condition_expression(match (query.after, query.before) {
            (None, None) => "pk = :pk",
            (Some(_), None) => "pk = :pk AND sk > :after",
            (None, Some(_)) => "pk = :pk AND sk < :before",
            // There is no form for two bounds that leaves them out.
            (Some(_), Some(_)) => "pk = :pk AND sk BETWEEN :after AND :before",
        });
        for (name, bound) in [(":after", query.after), (":before", query.before)] {
            if let Some(bound) = bound {
                let bound = crate::expr::value(bound);
                request = request.expression_attribute_values(name, bound);
            }
        }
        let page = request.send().await.map_err(unavailable)?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }

    /// The first `limit` rows of a partition above a sort key that `keep` takes, lowest first.
    pub(crate) async fn oldest_above<Row: DeserializeOwned, Kept>(
        &self,
        partition: String,
        after: String,
        limit: usize,
        mut keep: impl FnMut(Row) -> Option<Kept>,
    ) -> Result<Vec<Kept>> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let query = Page {
                partition: partition.clone(),
                after: Some(&after),
                oldest_first: true,
                limit: i32::try_from(limit).ok(),
                start,
                ..Page::default()
            };
            let (items, next) = self.page(query).await?;
            for item in items {
                if found.len() == limit {
                    return Ok(found);
                }
                found.extend(keep(read(item)?));
            }
            start = next;
            if start.is_none() || found.len() == limit {
                return Ok(found);
            }
        }
    }
}

/// What [`Store::page`] asks for.
#[derive(Default)]
pub(crate) struct Page<'a> {
    pub(crate) partition: String,
    pub(crate) after: Option<&'a str>,
    pub(crate) before: Option<&'a str>,
    pub(crate) oldest_first: bool,
    pub(crate) limit: Option<i32>,
    pub(crate) start: Option<Item>,
}

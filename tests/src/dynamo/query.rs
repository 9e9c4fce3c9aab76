//! Reads: by key, and by partition of the table or of an index.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use store::keys::{DUE, Index, LOG, PK, SK, TREE};

use super::{
    Id, Item, Refusal, condition, only,
    parse::Reader,
    table::{Table, id},
    text,
};

/// The most that one page holds, in bytes.
const PAGE: usize = 1024 * 1024;

/// The table as a reader sees it who may be late.
struct View<'a> {
    table: &'a Table,
    past: BTreeMap<Id, Option<Item>>,
}

impl<'a> View<'a> {
    fn new(table: &'a Table, consistent: &Value, late: usize) -> Self {
        let late = if consistent == &Value::Bool(true) {
            0
        } else {
            late
        };
        let past = table.past(late);
        Self { table, past }
    }

    fn get(&self, id: &Id) -> Option<&Item> {
        match self.past.get(id) {
            Some(past) => past.as_ref(),
            None => self.table.get(id),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Item> {
        let now = self.table.items.iter();
        let now = now.filter(|(id, _)| !self.past.contains_key(*id));
        now.map(|(_, item)| item)
            .chain(self.past.values().flatten())
    }
}

/// `BatchGetItem`, of one table.
pub(super) fn batch_get(table: &Table, request: &Value, late: usize) -> Value {
    only(request, &["RequestItems", "ReturnConsumedCapacity"]);
    let tables = request["RequestItems"].as_object().expect("tables");
    let mut responses = Map::new();
    for (name, wanted) in tables {
        only(wanted, &["Keys", "ConsistentRead"]);
        let view = View::new(table, &wanted["ConsistentRead"], late);
        let keys = wanted["Keys"].as_array().expect("keys");
        assert!(keys.len() <= 100, "more keys than DynamoDB takes");
        let found = keys.iter().filter_map(|key| view.get(&id(key)));
        responses.insert(name.clone(), json!(found.collect::<Vec<_>>()));
    }
    json!({"Responses": responses, "UnprocessedKeys": {}})
}

/// `GetItem`.
pub(super) fn get(table: &Table, request: &Value, late: usize) -> Value {
    only(request, &["TableName", "Key", "ConsistentRead"]);
    let view = View::new(table, &request["ConsistentRead"], late);
    match view.get(&id(&request["Key"])) {
        Some(item) => json!({ "Item": item }),
        None => json!({}),
    }
}

/// Where a query looks, and what it sorts by.
struct Order {
    sk: &'static str,
    index: bool,
}

impl Order {
    fn of(request: &Value) -> Self {
        let Some(name) = text(request, "IndexName") else {
            return Self {
                sk: SK,
                index: false,
            };
        };
        let known = [TREE, LOG, DUE]
            .into_iter()
            .find(|it: &Index| it.name == name);
        let index = known.unwrap_or_else(|| panic!("no index {name}"));
        Self {
            sk: index.sk,
            index: true,
        }
    }

    /// What the index has of an item: keys only.
    fn shown(&self, item: &Item) -> Item {
        if !self.index {
            return item.clone();
        }
        let pk = self.sk.replace("_sk", "_pk").replace("due_at", "due_pk");
        let keys = [PK, SK, self.sk, pk.as_str()];
        let kept = item
            .iter()
            .filter(|(name, _)| keys.contains(&name.as_str()));
        kept.map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn place(&self, item: &Item) -> (String, Id) {
        let of = |name: &str| super::value::text(&item[name]).to_owned();
        (of(self.sk), (of(PK), of(SK)))
    }
}

/// `Query`.
pub(super) fn query(table: &Table, request: &Value, late: usize) -> Result<Value, Refusal> {
    only(
        request,
        &[
            "TableName",
            "IndexName",
            "KeyConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ProjectionExpression",
            "ScanIndexForward",
            "ExclusiveStartKey",
            "ConsistentRead",
            "Limit",
        ],
    );
    let mut reader = Reader::new(request);
    assert!(
        reader.open("KeyConditionExpression"),
        "a query without a partition"
    );
    let condition = condition::read(&mut reader)?;
    reader.done();
    let mut shown = Vec::new();
    if reader.open("ProjectionExpression") {
        shown.push(reader.path()?);
        while reader.sign(",") {
            shown.push(reader.path()?);
        }
        reader.done();
    }
    reader.all_used()?;
    let order = Order::of(request);
    assert!(
        !order.index || request["ConsistentRead"] != true,
        "indexes are read eventually"
    );
    let view = View::new(table, &request["ConsistentRead"], late);
    let mut found: Vec<&Item> = view
        .all()
        .filter(|item| item.contains_key(order.sk) && condition.holds(item))
        .collect();
    found.sort_by_key(|item| order.place(item));
    if request["ScanIndexForward"] == false {
        found.reverse();
    }
    let start = &request["ExclusiveStartKey"];
    if !start.is_null() {
        let start = order.place(&super::table::item(start));
        let forward = request["ScanIndexForward"] != false;
        found.retain(|item| (order.place(item) > start) == forward && order.place(item) != start);
    }
    let limit = request["Limit"]
        .as_u64()
        .map_or(usize::MAX, |it| it as usize);
    let (mut page, mut bytes, mut more) = (Vec::new(), 0, false);
    for item in found {
        if page.len() == limit || bytes > PAGE {
            more = true;
            break;
        }
        bytes += crate::counted::item_bytes(&json!(item));
        page.push(order.shown(item));
    }
    // A page that is full has a place to go on at, even if nothing follows.
    let last = page.last().filter(|_| more || page.len() == limit);
    let last = last.map(|item| key_of(item, &order));
    let items: Vec<Item> = page.iter().map(|item| projected(item, &shown)).collect();
    let mut answer = json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items});
    if let Some(last) = last {
        answer["LastEvaluatedKey"] = json!(last);
    }
    Ok(answer)
}

fn key_of(item: &Item, order: &Order) -> Item {
    let index = Order {
        sk: order.sk,
        index: true,
    };
    let mut key = index.shown(item);
    if !order.index {
        key.retain(|name, _| name == PK || name == SK);
    }
    key
}

fn projected(item: &Item, paths: &[Vec<String>]) -> Item {
    if paths.is_empty() {
        return item.clone();
    }
    let kept = item
        .iter()
        .filter(|(name, _)| paths.iter().any(|path| path[0] == **name));
    kept.map(|(k, v)| (k.clone(), v.clone())).collect()
}

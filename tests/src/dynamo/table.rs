//! The table: its items, and the changes that were made, newest last.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use store::keys::{DUE, LOG, PK, SK, TREE};

use super::{Refusal, value};

/// An item as it is on the wire.
pub type Item = BTreeMap<String, Value>;
/// Partition and sort key.
pub type Id = (String, String);

/// The attributes that indexes sort by: texts, and not empty.
const SORTED: [&str; 6] = [TREE.pk, TREE.sk, LOG.pk, LOG.sk, DUE.pk, DUE.sk];
/// The most an item may be, in bytes.
const MOST_BYTES: usize = 400 * 1024;
/// How many changes late readers may be behind.
const REMEMBERED: usize = 32;

/// An item that was written.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its key.
    pub id: Id,
    /// What was there.
    pub before: Option<Item>,
    /// What is there now.
    pub after: Option<Item>,
}

/// The table.
#[derive(Debug, Default)]
pub struct Table {
    /// Its items.
    pub items: BTreeMap<Id, Item>,
    /// The writes since somebody took them, each with all it changed.
    pub written: Vec<Vec<Change>>,
    lately: VecDeque<Change>,
}

impl Table {
    /// What is under a key.
    pub fn get(&self, id: &Id) -> Option<&Item> {
        self.items.get(id)
    }

    /// The items as they were so many changes ago.
    pub(super) fn past(&self, late: usize) -> BTreeMap<Id, Option<Item>> {
        let undone = self.lately.iter().rev().take(late);
        undone
            .map(|change| (change.id.clone(), change.before.clone()))
            .collect()
    }

    /// Makes all these changes at once.
    pub(super) fn apply(&mut self, changes: Vec<Change>) {
        for change in &changes {
            match &change.after {
                Some(item) => drop(self.items.insert(change.id.clone(), item.clone())),
                None => drop(self.items.remove(&change.id)),
            }
            self.lately.push_back(change.clone());
        }
        while self.lately.len() > REMEMBERED {
            self.lately.pop_front();
        }
        self.written.push(changes);
    }
}

/// The key in a request or an item.
///
/// # Panics
/// It has none.
pub(super) fn id(of: &Value) -> Id {
    let text = |name: &str| value::text(&of[name]).to_owned();
    (text(PK), text(SK))
}

/// An item of a request.
pub(super) fn item(of: &Value) -> Item {
    let attributes = of.as_object().into_iter().flatten();
    attributes.map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Whether DynamoDB would take an item.
pub(super) fn check(item: &Item) -> Result<(), Refusal> {
    for name in SORTED {
        let fine = item.get(name).is_none_or(|found| {
            let (kind, inner) = value::parts(found);
            kind == "S" && inner.as_str().is_some_and(|text| !text.is_empty())
        });
        if !fine {
            return Err(Refusal::validation(format!("no key of an index: {name}")));
        }
    }
    let whole = serde_json::to_value(item).expect("JSON");
    if crate::counted::item_bytes(&whole) > MOST_BYTES {
        return Err(Refusal::validation("Item size has exceeded the maximum"));
    }
    Ok(())
}

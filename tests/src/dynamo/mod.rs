//! DynamoDB in memory, behind the SDK's own client: as much of it as the store uses.
//!
//! The store's real code runs on it thousands of times a second, and whatever DynamoDB refuses that
//! the emulator takes is refused here: overlapping paths, two writes of one item in a transaction,
//! names and values that no expression uses. What the fake does not know it panics at: it never
//! pretends. `tests/it/dynamo` holds it and the emulator to one suite.

mod condition;
mod parse;
mod query;
mod refusal;
mod table;
mod transact;
mod update;
mod value;
mod wire;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use refusal::Refusal;
use serde_json::{Value, json};
pub use table::{Change, Id, Item, Table};
pub use wire::{Call, Fair, Line, Weather, unsigned};

/// A table in memory. Clones share it.
#[derive(Clone, Default)]
pub struct Dynamo(Arc<Mutex<Table>>);

impl fmt::Debug for Dynamo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items", self.table().items.len())
    }
}

impl Dynamo {
    /// The table itself, to look at and to set up.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        // Whoever panicked while it held the table has failed its test already.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call, as it comes over the wire. `late` is by how many changes a read may be behind that
    /// does not ask to be consistent.
    ///
    /// # Panics
    /// The call, or something in it, is not known here.
    pub fn call(&self, operation: &str, request: &Value, late: usize) -> Result<Value, Refusal> {
        let mut table = self.table();
        match operation {
            "BatchGetItem" => Ok(query::batch_get(&table, request, late)),
            "GetItem" => Ok(query::get(&table, request, late)),
            "Query" => query::query(&table, request, late),
            "PutItem" => transact::alone(&mut table, "Put", request),
            "UpdateItem" => transact::alone(&mut table, "Update", request),
            "DeleteItem" => transact::alone(&mut table, "Delete", request),
            "TransactWriteItems" => {
                transact::all(&mut table, request)?;
                Ok(json!({}))
            }
            other => panic!("{other} is not known to the fake of DynamoDB"),
        }
    }
}

/// A field of a request that only some calls have.
fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of[name].as_str()
}

/// Panics if a request has a field that is not known: it might change what is asked.
fn only(request: &Value, known: &[&str]) {
    let fields = request.as_object().into_iter().flatten();
    for (name, _) in fields {
        assert!(
            known.contains(&name.as_str()),
            "{name} is not known to the fake of DynamoDB: {request}"
        );
    }
}

#[cfg(test)]
mod tests;

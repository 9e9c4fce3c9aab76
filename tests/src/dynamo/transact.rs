//! Writes: alone, or all of some or none.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Item, Refusal, condition, only,
    parse::Reader,
    table::{Change, Table, check, id, item},
    text, update,
};

/// The most writes of a transaction.
const MOST: usize = 100;

const KNOWN: [&str; 10] = [
    "TableName",
    "Key",
    "Item",
    "UpdateExpression",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValues",
    "ReturnValuesOnConditionCheckFailure",
    "ReturnConsumedCapacity",
];

/// What one write finds and what it would leave.
struct Judged {
    holds: bool,
    change: Change,
    tells: bool,
}

fn judge(table: &Table, kind: &str, request: &Value) -> Result<Judged, Refusal> {
    only(request, &KNOWN);
    let mut reader = Reader::new(request);
    let key = if kind == "Put" {
        &request["Item"]
    } else {
        &request["Key"]
    };
    let id = id(key);
    let before = table.get(&id).cloned();
    let there = before.clone().unwrap_or_default();
    let holds = if reader.open("ConditionExpression") {
        let condition = condition::read(&mut reader)?;
        reader.done();
        condition.holds(&there)
    } else {
        assert_ne!(kind, "ConditionCheck", "a check without a condition");
        true
    };
    let after = match kind {
        "Put" => Some(item(&request["Item"])),
        "Delete" => None,
        "ConditionCheck" => before.clone(),
        "Update" if reader.open("UpdateExpression") => {
            let update = update::read(&mut reader)?;
            // A condition that is broken comes first: the paths are only looked for if it holds.
            let keyed = || item(key);
            match holds {
                true => Some(update.apply(&before.clone().unwrap_or_else(keyed))?),
                false => None,
            }
        }
        other => panic!("{other} is not known to the fake of DynamoDB: {request}"),
    };
    reader.all_used()?;
    if let Some(item) = &after {
        check(item)?;
    }
    Ok(Judged {
        holds,
        change: Change { id, before, after },
        tells: text(request, "ReturnValuesOnConditionCheckFailure") == Some("ALL_OLD"),
    })
}

/// A write of its own.
pub(super) fn alone(table: &mut Table, kind: &str, request: &Value) -> Result<Value, Refusal> {
    let judged = judge(table, kind, request)?;
    let before = judged.change.before.clone();
    if !judged.holds {
        return Err(Refusal::Condition(before.filter(|_| judged.tells)));
    }
    table.apply(vec![judged.change]);
    Ok(match (text(request, "ReturnValues"), before) {
        (None | Some("NONE"), _) | (Some("ALL_OLD"), None) => json!({}),
        (Some("ALL_OLD"), Some(before)) => json!({ "Attributes": before }),
        (Some(other), _) => panic!("{other} is not known to the fake of DynamoDB"),
    })
}

/// All writes of a transaction, or none.
pub(super) fn all(table: &mut Table, request: &Value) -> Result<(), Refusal> {
    only(
        request,
        &[
            "TransactItems",
            "ClientRequestToken",
            "ReturnConsumedCapacity",
        ],
    );
    let writes = request["TransactItems"].as_array().expect("writes");
    if writes.is_empty() || writes.len() > MOST {
        return Err(Refusal::validation(format!("{} writes", writes.len())));
    }
    let mut seen = BTreeSet::new();
    let mut judged = Vec::with_capacity(writes.len());
    for write in writes {
        let (kind, body) = write
            .as_object()
            .and_then(|it| it.iter().next())
            .expect("a write");
        let one = judge(table, kind, body)?;
        if !seen.insert(one.change.id.clone()) {
            let why = "Transaction request cannot include multiple operations on one item";
            return Err(Refusal::validation(format!("{why}: {:?}", one.change.id)));
        }
        judged.push((kind != "ConditionCheck", one));
    }
    if judged.iter().any(|(_, one)| !one.holds) {
        let found = |one: &Judged| -> Option<Option<Item>> {
            (!one.holds).then(|| one.change.before.clone().filter(|_| one.tells))
        };
        return Err(Refusal::Cancelled(
            judged.iter().map(|(_, one)| found(one)).collect(),
        ));
    }
    let changes = judged.into_iter().filter(|(writes, _)| *writes);
    table.apply(changes.map(|(_, one)| one.change).collect());
    Ok(())
}

//! What the table's stream shows: rows before and after a change, read as what they are.

use domain::{WorkspaceId, activity::Activity};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{activity, beats::Beat, connections::Connection, events::EventRow};

/// A batch, as Lambda gets it.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The changes, of each item in their order.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// One change.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// What changed.
    pub dynamodb: Change,
}

/// An item before and after.
#[derive(Debug, Deserialize)]
pub struct Change {
    /// Names the change within its shard.
    #[serde(rename = "SequenceNumber", default)]
    pub sequence: String,
    /// Its key, typed as DynamoDB types values.
    #[serde(rename = "Keys", default)]
    pub keys: Value,
    #[serde(rename = "NewImage", default)]
    new: Value,
    #[serde(rename = "OldImage", default)]
    old: Value,
}

/// What a change is about.
#[derive(Debug)]
pub enum Seen {
    /// An event was written.
    Event(EventRow),
    /// A row of activity was written.
    Activity(Activity),
    /// A beat changed.
    Beat {
        /// Whose.
        workspace: WorkspaceId,
        /// How it was.
        before: Box<Beat>,
        /// How it is.
        after: Box<Beat>,
    },
    /// Somebody listens.
    Connection(Connection),
    /// Nothing that anybody is told of.
    Nothing,
}

impl Change {
    /// What it is about.
    ///
    /// # Errors
    /// The row is none that this code wrote: it will not be readable next time either.
    pub fn seen(&self) -> Result<Seen, serde_json::Error> {
        let key = |name: &str| self.keys[name]["S"].as_str().unwrap_or_default();
        if self.new.is_null() {
            return Ok(Seen::Nothing);
        }
        match key("pk").split('#').next().unwrap_or_default() {
            "EVENTS" => Ok(Seen::Event(serde_json::from_value(plain(&self.new))?)),
            "ACTIVITY" => Ok(Seen::Activity(activity::from_json(plain(&self.new))?)),
            "CONNECTIONS" => Ok(Seen::Connection(serde_json::from_value(plain(&self.new))?)),
            "BEAT" if !self.old.is_null() => {
                let Ok(workspace) = key("sk").parse() else {
                    return Ok(Seen::Nothing);
                };
                Ok(Seen::Beat {
                    workspace,
                    before: serde_json::from_value(plain(&self.old))?,
                    after: serde_json::from_value(plain(&self.new))?,
                })
            }
            _ => Ok(Seen::Nothing),
        }
    }
}

/// An item without the types of its values. Binary ones, which nobody reads here, stay as they are.
fn plain(item: &Value) -> Value {
    let fields = item.as_object().into_iter().flatten();
    let fields = fields.map(|(name, typed)| (name.clone(), value(typed)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn value(typed: &Value) -> Value {
    let Some((kind, inner)) = typed.as_object().and_then(|it| it.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "NULL" => Value::Null,
        "N" => {
            let number = inner.as_str().and_then(|text| text.parse().ok());
            number.map_or(Value::Null, Value::Number)
        }
        "M" => plain(inner),
        "L" => inner.as_array().into_iter().flatten().map(value).collect(),
        _ => inner.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "0190a0b0-0000-7000-8000-000000000001";
    const WORKSPACE: &str = "0a1b2c3d-0000-4000-8000-00000000000f";

    fn change(pk: &str, sk: &str, old: Value, new: Value) -> Result<Seen, serde_json::Error> {
        let record = json!({"Records": [{"eventName": "INSERT", "dynamodb": {
            "SequenceNumber": "7",
            "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
            "OldImage": old,
            "NewImage": new,
        }}]});
        let batch: Batch = serde_json::from_value(record).expect("a batch");
        batch.records[0].dynamodb.seen()
    }

    #[test]
    fn rows_are_read_from_their_images() {
        let event = json!({
            "pk": {"S": "EVENTS#x"}, "sk": {"S": ID}, "id": {"S": ID},
            "event_type": {"S": "TASK_UPDATED"}, "workspace_id": {"S": WORKSPACE},
            "payload": {"S": "{\"active_tasks\":1}"}, "created_at": {"N": "1764000000000000"},
            "expires_at": {"N": "1764000600"},
        });
        let Ok(Seen::Event(row)) = change("EVENTS#x", ID, Value::Null, event.clone()) else {
            panic!("no event");
        };
        assert_eq!(row.payload(), json!({"active_tasks": 1}));
        assert!(!row.is_persisted());

        let row = json!({
            "id": {"S": ID}, "workspace_id": {"S": WORKSPACE}, "activity_type": {"S": "agent_log"},
            "response_body": {"M": {"json": {"S": "{\"a\":[1]}"}}}, "status": {"S": "ok"},
            "created_at": {"N": "1764000000000000"}, "expires_at": {"N": "1764000600"},
        });
        let Ok(Seen::Activity(row)) = change("ACTIVITY#x", ID, Value::Null, row) else {
            panic!("no activity");
        };
        let body = domain::activity::Content::from(json!({"a": [1]}));
        assert_eq!(row.response_body, body);

        let beat = |at: &str| {
            json!({
                "status": {"S": "online"}, "beat_at": {"N": at}, "active_tasks": {"N": "2"},
                "error_rate": {"N": "0.5"}, "tokens": {"BS": ["AAAA"]},
                "capabilities": {"N": "0"},
            })
        };
        let seen = change("BEAT#1", WORKSPACE, beat("1"), beat("2"));
        let Ok(Seen::Beat { before, after, .. }) = seen else {
            panic!("no beat: {seen:?}");
        };
        assert!(before.beat_at < after.beat_at);
        assert_eq!(after.active_tasks, 2);

        // Deleted, or nobody's business.
        let gone = change("EVENTS#x", ID, event.clone(), Value::Null);
        assert!(matches!(gone, Ok(Seen::Nothing)));
        let other = change("WS#x", "META", Value::Null, event);
        assert!(matches!(other, Ok(Seen::Nothing)));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_no_panic() {
        for image in [
            json!({"id": {"S": "nonsense"}}),
            json!({}),
            json!([]),
            json!("x"),
        ] {
            change("EVENTS#x", ID, Value::Null, image).expect_err("no row");
        }
    }
}

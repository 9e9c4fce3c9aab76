//! What DynamoDB charges, computed from the bytes of items: the emulator's own figures are wrong.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use store::keys::{DUE, Index, LOG, TREE};

/// A write unit is a step of so many bytes.
const WRITE_STEP: usize = 1024;
/// A read unit is a step of so many bytes.
const READ_STEP: usize = 4096;

/// What a written item weighed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes before; 0 if it was not there.
    pub before: usize,
    /// Bytes after; 0 if it is gone.
    pub after: usize,
    /// Write units of the indexes. They hold keys only: entering and leaving cost one each, and a
    /// change that leaves the keys alone costs nothing.
    pub index_units: usize,
}

impl Weight {
    /// Of an item before and after a write.
    pub fn of(before: Option<&Value>, after: Option<&Value>) -> Self {
        let place = |item: Option<&Value>, index: Index| {
            let item = item?;
            Some((item.get(index.pk)?.clone(), item.get(index.sk)?.clone()))
        };
        let moved = |index| match (place(before, index), place(after, index)) {
            (from, to) if from == to => 0,
            (Some(_), Some(_)) => 2,
            _ => 1,
        };
        Self {
            before: before.map_or(0, item_bytes),
            after: after.map_or(0, item_bytes),
            index_units: [TREE, LOG, DUE].map(moved).iter().sum(),
        }
    }

    /// Write units outside a transaction.
    pub fn write_units(&self) -> usize {
        self.before.max(self.after).div_ceil(WRITE_STEP).max(1)
    }
}

/// The bytes DynamoDB counts for an item (as JSON on the wire): names and values.
pub fn item_bytes(item: &Value) -> usize {
    let attributes = item.as_object().into_iter().flatten();
    attributes
        .map(|(name, value)| name.len() + bytes(value))
        .sum()
}

/// The bytes of one attribute value, `{"S": "text"}`.
fn bytes(value: &Value) -> usize {
    let Some((kind, inner)) = value.as_object().and_then(|object| object.iter().next()) else {
        return 0;
    };
    let text = || inner.as_str().unwrap_or_default();
    let list = || inner.as_array().into_iter().flatten();
    let texts = || list().map(|each| each.as_str().unwrap_or_default());
    match kind.as_str() {
        "S" => text().len(),
        "N" => number_bytes(text()),
        "B" => binary_bytes(text()),
        "SS" => texts().map(str::len).sum(),
        "NS" => texts().map(number_bytes).sum(),
        "BS" => texts().map(binary_bytes).sum(),
        // Three bytes for the container, one for each entry.
        "L" => 3 + list().map(|each| 1 + bytes(each)).sum::<usize>(),
        "M" => {
            let entries = inner.as_object().map_or(0, serde_json::Map::len);
            3 + entries + item_bytes(inner)
        }
        _ => 1,
    }
}

/// One byte for two significant digits, one for the rest, one for a sign.
fn number_bytes(text: &str) -> usize {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_matches('0').len();
    digits.div_ceil(2) + 1 + usize::from(text.starts_with('-'))
}

fn binary_bytes(text: &str) -> usize {
    STANDARD.decode(text).map_or(0, |bytes| bytes.len())
}

/// A batch get: each key its own steps, the missing ones too.
pub(crate) fn batch_get(request: &Value, response: &Value) -> f64 {
    let mut units = 0.0;
    for (table, wanted) in request["RequestItems"].as_object().into_iter().flatten() {
        let each = share(&wanted["ConsistentRead"]);
        let asked = wanted["Keys"].as_array().map_or(0, Vec::len);
        let found = response["Responses"][table].as_array();
        let found: Vec<usize> = found.into_iter().flatten().map(item_bytes).collect();
        let missing = asked.saturating_sub(found.len());
        let steps: usize = found.iter().map(|bytes| read_steps(*bytes)).sum();
        units += each * count(steps + missing);
    }
    units
}

/// A query: the items together, rounded up once.
pub(crate) fn query(request: &Value, response: &Value) -> f64 {
    let items = response["Items"].as_array().into_iter().flatten();
    share(&request["ConsistentRead"]) * count(read_steps(items.map(item_bytes).sum()))
}

fn read_steps(bytes: usize) -> usize {
    bytes.div_ceil(READ_STEP).max(1)
}

fn share(consistent: &Value) -> f64 {
    if consistent == &Value::Bool(true) {
        1.0
    } else {
        0.5
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand at most")]
fn count(steps: usize) -> f64 {
    steps as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_as_dynamodb_counts_them() {
        for (item, expected) in [
            (json!({}), 0),
            (json!({"a": {"S": "ü"}}), 1 + 2),
            (json!({"n": {"N": "0"}}), 1 + 1),
            (json!({"n": {"N": "123"}}), 1 + 3),
            (json!({"n": {"N": "-1200"}}), 1 + 3),
            (json!({"n": {"N": "0.5"}}), 1 + 2),
            (json!({"b": {"B": "AAAA"}}), 1 + 3),
            (json!({"s": {"BS": ["AAAA", "AAAA"]}}), 1 + 6),
            (json!({"t": {"BOOL": true}}), 1 + 1),
            (
                json!({"l": {"L": [{"S": "ab"}, {"NULL": true}]}}),
                1 + 3 + 2 + 3,
            ),
            (json!({"m": {"M": {"k": {"S": "v"}}}}), 1 + 3 + 1 + 2),
        ] {
            assert_eq!(item_bytes(&item), expected, "{item}");
        }
    }

    #[test]
    fn steps_and_shares() {
        let item = |bytes: usize| json!({"a": {"S": "x".repeat(bytes - 1)}});
        let weight = Weight::of(Some(&item(1025)), Some(&item(10)));
        assert_eq!(weight.write_units(), 2);
        assert_eq!(Weight::of(None, None).write_units(), 1);
        let keys = json!({"T": {"Keys": [{}, {}, {}], "ConsistentRead": true}});
        let found = json!({"Responses": {"T": [item(4096), item(4097)]}});
        let read = batch_get(&json!({"RequestItems": keys}), &found);
        assert!((read - 4.0).abs() < f64::EPSILON);
        let page = query(&json!({}), &json!({"Items": [item(4000), item(4000)]}));
        assert!((page - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn an_index_costs_only_when_its_keys_change() {
        let at = |place: &str| json!({"tree_pk": {"S": place}, "tree_sk": {"S": "1"}});
        let units = |before: Option<Value>, after: Option<Value>| {
            Weight::of(before.as_ref(), after.as_ref()).index_units
        };
        assert_eq!(units(None, Some(at("a"))), 1);
        assert_eq!(units(Some(at("a")), Some(at("a"))), 0);
        assert_eq!(units(Some(at("a")), Some(at("b"))), 2);
        assert_eq!(units(Some(at("a")), None), 1);
    }
}

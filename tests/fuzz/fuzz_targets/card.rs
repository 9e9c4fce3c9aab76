//! Cards: any JSON, kept as text and shown as it came.
#![no_main]

use std::collections::BTreeMap;

use domain::capabilities::{Capabilities, MAX_IDLE_TIMEOUT_SECONDS, RuntimeMetadata};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The same shape and the same texts; numbers are as near as text keeps them.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a.is_f64() == b.is_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
        }
        _ => one == other,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(card) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let kept = card.to_string();
    let shown: Value = serde_json::from_str(&kept).expect("what was written is read");
    assert!(same(&card, &shown), "{kept}");
    if let Ok(flags) = serde_json::from_value::<BTreeMap<String, bool>>(card.clone()) {
        assert!(Capabilities::declared(&flags).bits() < 128);
    }
    let metadata = RuntimeMetadata::new(&BTreeMap::new(), card.as_i64());
    let asked = metadata.idle_timeout_seconds;
    assert!(asked.is_none_or(|it| (1..=MAX_IDLE_TIMEOUT_SECONDS).contains(&it)));
});

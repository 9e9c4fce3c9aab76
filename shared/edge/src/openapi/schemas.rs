//! What is the same for all types on the wire.

use serde_json::Value;

/// Fields that are moments although their names do not end in `_at`.
const MOMENTS: [&str; 4] = [
    "timestamp",
    "period_start",
    "period_end",
    "expected_next_run",
];

/// Says of moments, which are strings in Rust, that they are: RFC 3339, UTC.
pub(super) fn finish(schema: &mut Value) {
    match schema {
        Value::Object(all) => {
            if let Some(Value::Object(properties)) = all.get_mut("properties") {
                for (name, property) in properties {
                    let is_moment = name.ends_with("_at") || MOMENTS.contains(&name.as_str());
                    let said = &property["type"];
                    let is_text = said == "string" || said[0] == "string";
                    if is_moment && is_text {
                        property["format"] = "date-time".into();
                    }
                }
            }
            all.values_mut().for_each(finish);
        }
        Value::Array(all) => all.iter_mut().for_each(finish),
        _ => {}
    }
}

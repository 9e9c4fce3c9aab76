//! Templates: read within bounds or refused, and written so that they are read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[path = "../../../functions/templates/src/yaml.rs"]
mod yaml;

/// Whether YAML can have these keys: as they are written, on one line, of 1,024 characters at most.
fn keys_fit(value: &Value) -> bool {
    match value {
        Value::Array(all) => all.iter().all(keys_fit),
        Value::Object(entries) => entries.iter().all(|(key, inner)| {
            let written = Value::from(key.as_str()).to_string();
            written.chars().count() < 1000 && keys_fit(inner)
        }),
        _ => true,
    }
}

fuzz_target!(|text: &str| {
    let Ok(value) = yaml::parse(text) else {
        return;
    };
    if !keys_fit(&value) {
        return;
    }
    let written = yaml::emit(&value);
    if written.len() <= yaml::MAX_BYTES {
        assert!(yaml::parse(&written).is_ok(), "{written}");
    }
});

//! Templates: read within bounds or refused, and written so that they are read back.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../functions/templates/src/yaml.rs"]
mod yaml;

fuzz_target!(|text: &str| {
    let Ok(value) = yaml::parse(text) else {
        return;
    };
    let written = yaml::emit(&value);
    if written.len() <= yaml::MAX_BYTES {
        assert!(yaml::parse(&written).is_ok(), "{written}");
    }
});

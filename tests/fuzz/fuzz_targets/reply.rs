//! What agents answer: its parts, and what it says it used.
#![no_main]

use domain::reply::{MOST_PER_REPLY, text, usage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Bytes that are no UTF-8 grow to three.
    assert!(text(bytes).len() <= 3 * bytes.len());
    if let Some((input, output)) = usage(bytes) {
        assert!((0..=MOST_PER_REPLY).contains(&input) && (0..=MOST_PER_REPLY).contains(&output));
        assert!((input, output) != (0, 0));
    }
});

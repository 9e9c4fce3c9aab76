//! What callers post to an agent: refused, or made whole for good.
#![no_main]

use domain::envelope::{for_caller, read};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| {
    let Ok(whole) = read(bytes, || Uuid::from_u128(7)) else {
        return;
    };
    let sent: Value = serde_json::from_slice(&whole.body).expect("JSON");
    assert!(sent.get("jsonrpc").is_some());
    assert_eq!(whole.digest.len(), 64);
    let again = read(&whole.body, || panic!("an id is missing")).expect("whole");
    assert_eq!(again.method, whole.method);
    assert_eq!(again.message_id, whole.message_id);
    let answer = for_caller(bytes.to_vec(), whole.rpc_id.as_ref());
    assert!(bytes.is_empty() || !answer.is_empty());
});

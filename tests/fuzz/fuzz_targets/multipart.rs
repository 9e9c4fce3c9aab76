//! Forms: read to the end or refused.
#![no_main]

use domain::chat_file::{StoredName, safe_name};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

// The route's own source: its crate would bring the SDKs along.
#[path = "../../../functions/activity/src/uploads/form.rs"]
mod form;

fuzz_target!(|input: (&str, &[u8])| {
    let (content_type, body) = input;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    for header in [content_type, "multipart/form-data; boundary=XX"] {
        let files = runtime.block_on(form::files(header, body.to_vec()));
        for file in files.into_iter().flatten() {
            assert!(!file.name.is_empty() && file.bytes.len() <= body.len());
            assert!(file.content_type.len() <= body.len());
            let name = StoredName::new(Uuid::from_u128(7), &file.name);
            assert!(StoredName::of_uri(&name.uri()).is_ok(), "{:?}", file.name);
            assert!(!safe_name(&file.name).contains('/'));
        }
    }
});

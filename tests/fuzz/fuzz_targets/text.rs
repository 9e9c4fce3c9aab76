//! Short texts out of paths, headers and bodies: ids, names, references, traces, ranges, patterns.
#![no_main]

use domain::{
    EventId, WorkspaceId,
    chat_file::{StoredName, check_path, disposition, safe_name},
    image::{Digest, Reference},
    search::{MAX_PATTERN, Pattern},
    secret::SecretName,
    template,
    trace::Trace,
};
use libfuzzer_sys::fuzz_target;

#[path = "../../../functions/activity/src/downloads/range.rs"]
mod range;

#[path = "../../../functions/templates/src/org/dotenv.rs"]
#[allow(dead_code)] // the template's other half
mod dotenv;

fuzz_target!(|input: (u64, &str)| {
    let (length, text) = input;
    if let Ok(id) = text.parse::<WorkspaceId>() {
        assert_eq!(id.to_string().parse::<WorkspaceId>().ok(), Some(id));
    }
    let _ = text.parse::<EventId>();
    if let Ok(trace) = text.parse::<Trace>() {
        assert_eq!(trace.to_string().parse(), Ok(trace));
    }
    if let Some(trace) = Trace::from_xray(text) {
        assert_eq!(trace.to_string().parse(), Ok(trace));
    }
    let _ = (
        text.parse::<Digest>(),
        text.parse::<Reference>(),
        text.parse::<SecretName>(),
    );
    let name = safe_name(text);
    assert!(!name.is_empty() && !name.contains(['/', '\0']), "{name:?}");
    assert!(!disposition(text).contains(char::is_control));
    let _ = (StoredName::of_uri(text), StoredName::at(text));
    if check_path(text).is_ok() {
        assert!(!text.split('/').any(|part| part == ".."), "{text:?}");
    }
    if let Some(path) = template::relative(text) {
        assert!(
            !path.starts_with('/') && !path.split('/').any(|part| part == ".."),
            "{path:?}"
        );
    }
    if text.len() <= MAX_PATTERN
        && let Some(pattern) = Pattern::of(text)
    {
        let _ = pattern.is_in(text);
    }
    if let range::Asked::Part(first, last) = range::of(Some(text), length) {
        assert!(first <= last && last < length);
    }
    for (key, _) in dotenv::read(text) {
        assert!(!key.is_empty());
    }
});

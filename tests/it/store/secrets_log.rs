//! What the log gets to know of secrets: which, and why not. Never what they are.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use domain::Mode;
use e2e::counted::{ALWAYS, Fault, InProcess};
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

const PLAIN: &str = "sk-plain-0123456789";

#[tokio::test]
async fn a_failure_is_logged_by_name_and_code() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let path = format!("/workspaces/{}/secrets", own.id);
    let set = |key: &str, value: &str| {
        let call = inside.post(&path).bearer(&own.token);
        call.json(&json!({"key": key, "value": value}))
    };
    let values = || {
        let call = inside.get(&format!("{path}/values"));
        call.bearer(&own.token)
    };
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    // Other tests' threads may have had this log's lines switched off for good.
    tracing::callsite::rebuild_interest_cache();
    set("KEY", PLAIN).await.expect(200);
    values().await.expect(200);
    set("K-Y", PLAIN).await.expect(400);
    assert_eq!(lines.take(), Vec::<String>::new());

    let no = Fault::error("DisabledException", "arn:aws:kms:us-east-1:1:key/insides");
    inside.wire.fail("Decrypt", ALWAYS, no);
    values().await.expect(500);
    set("KEY", PLAIN).await.expect(500);
    drop(guard);
    let lines = lines.take();
    let [shown, written] = &lines[..] else {
        panic!("one line each: {lines:?}");
    };
    let causes = "cannot decrypt workspace:KEY; KMS: DisabledException";
    assert!(shown.contains(causes), "{shown}");
    assert!(shown.contains(&own.id), "{shown}");
    assert!(written.contains("KMS: DisabledException"), "{written}");
    for line in &lines {
        assert!(!line.contains(PLAIN) && !line.contains("insides"), "{line}");
    }
}

/// Keeps the log lines of the thread it is set for.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("lock"))
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // As the functions' application log level in the template.
        metadata.is_event() && *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().expect("lock").push(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

//! A table that does not answer in time: a function says so before Lambda stops it, as the gateway would say it in
//! another form.

use std::time::{Duration, Instant};

use domain::Mode;
use e2e::counted::{ALWAYS, Fault, InProcess};
use serde_json::json;

#[tokio::test]
async fn who_runs_out_of_time_says_so_in_the_one_form() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = inside.online("Late").await;
    // Three seconds for an attempt and eight for a call: a function has ten.
    inside.wire.fail("", ALWAYS, Fault::Silent);
    let begun = Instant::now();
    let time = Duration::from_secs(2);
    let beat = inside.beat(&own, json!({})).stopping_in(time).await;
    assert!(begun.elapsed() < time, "{:?}", begun.elapsed());
    let body = json!({
        "error": "platform datastore unavailable — retry shortly",
        "code": "platform_unavailable",
    });
    assert_eq!((beat.status, beat.json), (503, body));
    assert_eq!(beat.headers["x-content-type-options"], "nosniff");

    inside.wire.mend();
    let beat = inside.beat(&own, json!({})).stopping_in(time);
    beat.await.expect(200);
}

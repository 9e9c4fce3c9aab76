//! Reads that decide: what has expired is not there, and a page is not the end.

use domain::{
    Mode, WorkspaceId,
    activity::{Activity, Content, RETENTION_DAYS, Source},
};
use e2e::counted::InProcess;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::{
    activity::{self, Filter, Patience},
    bodies,
};

fn row(workspace: WorkspaceId, kind: &str, body: usize, at: Timestamp) -> Activity {
    Activity {
        id: activity::new_id(),
        workspace,
        activity_type: kind.to_owned(),
        source: Source::Person,
        target_id: None,
        method: None,
        summary: Some(kind.to_owned()),
        request_body: Content::from(json!("x".repeat(body))),
        response_body: Content::Absent,
        tool_trace: Content::Absent,
        duration_ms: None,
        status: "ok".to_owned(),
        error_detail: None,
        created_at: at,
    }
}

/// The moment after which what was written at `at` may go.
fn after_retention(at: Timestamp) -> Timestamp {
    at + SignedDuration::from_hours(24 * RETENTION_DAYS) + SignedDuration::from_secs(1)
}

#[tokio::test]
async fn rows_go_when_their_time_is_over_tidied_or_not() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = super::id(&inside.online("Own").await);
    let (store, now) = (&inside.app.store, Timestamp::now());
    let written = store.log_activity(row(own, "agent_log", 1, now)).await;
    assert!(written.expect("an answer"));
    let all = Filter {
        limit: 10,
        ..Filter::default()
    };
    let found = store.activity(own, &all, now).await.expect("rows");
    assert_eq!(found.len(), 1);
    let later = after_retention(now);
    let found = store.activity(own, &all, later).await.expect("rows");
    assert!(found.is_empty());
}

#[tokio::test]
async fn bodies_go_when_their_time_is_over_tidied_or_not() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let store = &inside.app.store;
    let (now, long_ago) = (Timestamp::now(), SignedDuration::from_hours(24 * 30));
    for bytes in [10, bodies::IN_TABLE + 1] {
        let (kept, gone) = (bodies::new_id(), bodies::new_id());
        let body = vec![b'1'; bytes];
        store.put_body(kept, &body, now).await.expect("written");
        store
            .put_body(gone, &body, now - long_ago)
            .await
            .expect("written");
        assert_eq!(store.body(kept, now).await.expect("read"), Some(body));
        assert_eq!(
            store.body(gone, now).await.expect("read"),
            None,
            "{bytes} bytes"
        );
    }
}

#[tokio::test]
async fn a_filter_looks_beyond_the_first_page() {
    const ROWS: usize = 120;
    /// Just under what lies in the row itself; 120 of them are more than a page of 1 MB.
    const BODY: usize = 15 * 1024;
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = super::id(&inside.online("Own").await);
    let (store, now) = (&inside.app.store, Timestamp::now());
    let kind = |n: usize| {
        if n.is_multiple_of(40) {
            "error"
        } else {
            "agent_log"
        }
    };
    let rows: Vec<Activity> = (0..ROWS).map(|n| row(own, kind(n), BODY, now)).collect();
    for row in &rows {
        let written = store.log_activity(row.clone()).await;
        assert!(written.expect("an answer"));
    }
    let errors: Vec<_> = rows.iter().step_by(40).map(|row| row.id).collect();
    let filter = |after, limit| Filter {
        activity_type: Some("error".to_owned()),
        after,
        limit,
        ..Filter::default()
    };
    inside.wire.take();
    for (after, limit, expected) in [
        (None, 10, vec![errors[2], errors[1], errors[0]]),
        (None, 2, vec![errors[2], errors[1]]),
        (Some(rows[1].id), 10, vec![errors[1], errors[2]]),
        (Some(rows[1].id), 1, vec![errors[1]]),
        (Some(rows[ROWS - 1].id), 10, vec![]),
    ] {
        let filter = filter(after, limit);
        let found = store.activity(own, &filter, now).await.expect("rows");
        let found: Vec<_> = found.iter().map(|row| row.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let pages = inside.wire.take();
    assert!(pages.len() > 5, "{} pages for 5 questions", pages.len());
}

#[tokio::test]
async fn patience_ends_when_there_are_enough_or_too_much_was_looked_at() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = super::id(&inside.online("Own").await);
    let (store, now) = (&inside.app.store, Timestamp::now());
    // The newest and the oldest of 102.
    for n in 0..102 {
        let kind = if n % 101 == 0 {
            "delegation"
        } else {
            "agent_log"
        };
        let written = store.log_activity(row(own, kind, 1, now)).await;
        assert!(written.expect("an answer"));
    }
    for (patience, expected) in [
        (None, 2),
        (Some((1, 25, 500)), 1),
        (Some((1, 500, 500)), 2),
        (Some((2, 25, 500)), 2),
        (Some((2, 25, 50)), 1),
    ] {
        let patience = patience.map(|(enough, after, most)| Patience {
            enough,
            after,
            most,
        });
        let filter = Filter {
            activity_type: Some("delegation".to_owned()),
            limit: 25,
            patience,
            ..Filter::default()
        };
        let found = store.activity(own, &filter, now).await.expect("rows");
        assert_eq!(found.len(), expected, "{patience:?}");
    }
}

#[tokio::test]
async fn a_newest_row_costs_no_whole_page() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let own = super::id(&inside.online("Own").await);
    let (store, now) = (&inside.app.store, Timestamp::now());
    for _ in 0..60 {
        let written = store
            .log_activity(row(own, "agent_log", 15 * 1024, now))
            .await;
        assert!(written.expect("an answer"));
    }
    inside.wire.take();
    let newest = Filter {
        limit: 1,
        ..Filter::default()
    };
    assert_eq!(
        store.activity(own, &newest, now).await.expect("rows").len(),
        1
    );
    let units: f64 = inside
        .wire
        .take()
        .iter()
        .map(|call| call.read_units())
        .sum();
    // 25 rows at least are read at once; a whole page would be 256 units.
    assert!(units <= 100.0, "{units} read units for one row");
}

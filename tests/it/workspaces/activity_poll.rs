//! `GET /workspaces/{id}/activity` as agents that fetch their messages ask: by time, by peer, from a row on

use domain::{ActivityId, Mode, WorkspaceId};
use e2e::{World, counted::InProcess};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::keys;
use uuid::Builder;

/// The id of a row that was made then.
fn id_of(at: Timestamp, n: u8) -> String {
    let ms = u64::try_from(at.as_millisecond()).expect("after 1970");
    let id = Builder::from_unix_timestamp_millis(ms, &[n; 10]).into_uuid();
    ActivityId::from_uuid(id).to_string()
}

/// A workspace with a row of each of these ages, in seconds: its summary is its age.
async fn aged(inside: &InProcess, ages: &[i64]) -> (e2e::Workspace, Timestamp) {
    let own = inside.online("Own").await;
    let workspace: WorkspaceId = own.id.parse().expect("an id");
    let now = domain::time::to_micros(Timestamp::now());
    for (n, age) in (0..).zip(ages) {
        let at = now - SignedDuration::from_secs(*age);
        let id = id_of(at, n);
        let key = keys::activity(workspace, id.parse().expect("an id"));
        for (name, text) in [
            ("id", id.as_str()),
            ("workspace_id", &own.id),
            ("activity_type", "agent_log"),
            ("summary", &age.to_string()),
            ("status", "ok"),
        ] {
            inside.scale.set(&key, name, text).await;
        }
        let kept = at + SignedDuration::from_hours(7 * 24);
        inside
            .scale
            .set_number(&key, "created_at", at.as_microsecond())
            .await;
        inside
            .scale
            .set_number(&key, "expires_at", kept.as_second())
            .await;
    }
    (own, now)
}

fn column(rows: &Value, name: &str) -> Vec<String> {
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| row[name].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn rows_are_filtered_by_their_time() {
    const DAY: i64 = 24 * 3600;
    let inside = InProcess::new(Mode::DevClosed).await;
    let ages = [10, 100, 130, 3600, 2 * DAY, 8 * DAY];
    let (own, now) = aged(&inside, &ages).await;
    let ago = |age: i64| (now - SignedDuration::from_secs(age)).to_string();
    let get = |query: &str| {
        let path = format!("/workspaces/{}/activity?{query}", own.id);
        inside.get(&path).bearer(&own.token)
    };
    let all = get("").await.expect(200).json;
    // What is older than a week may still lie there, and is not kept.
    assert_eq!(
        column(&all, "summary"),
        ["10", "100", "130", "3600", "172800"]
    );
    let id_of = |n: usize| column(&all, "id")[n].clone();
    for (query, expected) in [
        ("since_secs=60".to_owned(), vec!["10"]),
        ("since_secs=120".to_owned(), vec!["10", "100"]),
        ("since_secs=120&limit=1".to_owned(), vec!["10"]),
        (
            "since_secs=99999999999999999".to_owned(),
            vec!["10", "100", "130", "3600", "172800"],
        ),
        (
            format!("before_ts={}", ago(50)),
            vec!["100", "130", "3600", "172800"],
        ),
        (format!("before_ts={}", ago(130)), vec!["3600", "172800"]),
        (format!("before_ts={}&limit=2", ago(10)), vec!["100", "130"]),
        (
            format!("before_ts={}&since_secs=7200", ago(50)),
            vec!["100", "130", "3600"],
        ),
        (format!("before_ts={}&since_secs=60", ago(3600)), vec![]),
        ("before_ts=1969-12-31T00:00:00Z".to_owned(), vec![]),
        ("before_ts=-009999-01-02T01:59:59Z".to_owned(), vec![]),
        (
            "before_ts=9999-12-30T22:00:00Z&limit=1".to_owned(),
            vec!["10"],
        ),
        (format!("since_id={}", id_of(2)), vec!["100", "10"]),
        (
            format!("since_id={}&before_ts={}", id_of(3), ago(50)),
            vec!["130", "100"],
        ),
        (format!("since_id={}&since_secs=60", id_of(3)), vec!["10"]),
        (
            "since_secs=&before_ts=&peer_id=&since_id=&limit=1".to_owned(),
            vec!["10"],
        ),
    ] {
        let rows = get(&query).await.expect(200).json;
        assert_eq!(column(&rows, "summary"), expected, "{query}");
    }
    for (query, sentence) in [
        ("since_secs=0", "since_secs must be a positive integer"),
        ("since_secs=-5", "since_secs must be a positive integer"),
        ("since_secs=1.5", "since_secs must be a positive integer"),
        ("since_secs=x", "since_secs must be a positive integer"),
        (
            "before_ts=yesterday",
            "before_ts must be an RFC 3339 timestamp, as 2026-11-25T03:12:47Z",
        ),
        (
            "before_ts=2026-11-25T03:12:47",
            "before_ts must be an RFC 3339 timestamp, as 2026-11-25T03:12:47Z",
        ),
        ("peer_id=x", "peer_id must be a UUID"),
        ("since_id=x", "invalid activity ID"),
    ] {
        assert_eq!(get(query).await.error(), (400, sentence), "{query}");
    }
}

#[tokio::test]
async fn a_time_saves_reading_what_is_outside_of_it() {
    let inside = InProcess::new(Mode::DevClosed).await;
    let ages: Vec<i64> = (0..60).map(|n| 7200 + n).collect();
    let (own, _) = aged(&inside, &ages).await;
    let get = |query: &str| {
        let path = format!("/workspaces/{}/activity?source=canvas&{query}", own.id);
        inside.get(&path).bearer(&own.token).counted()
    };
    let pages = |calls: &[e2e::counted::AwsCall]| {
        calls
            .iter()
            .filter(|call| call.operation == "Query")
            .count()
    };
    // Sixty rows that a filter may want, of which the newest or the oldest are asked for.
    for query in [
        "since_secs=60&limit=25",
        "before_ts=2026-01-01T00:00:00Z&limit=25",
    ] {
        let (answer, calls) = get(query).await;
        assert_eq!(
            (answer.expect(200).json, pages(&calls)),
            (json!([]), 1),
            "{query}"
        );
    }
    let (answer, calls) = get("limit=25").await;
    assert_eq!(answer.expect(200).json.as_array().map(Vec::len), Some(25));
    assert_eq!(pages(&calls), 1);
}

#[tokio::test]
async fn rows_are_filtered_by_peer() {
    let world = World::new();
    let (own, _agent) = world.online("Popular").await;
    let (peer, other) = (
        world.workspace("Peer").await,
        world.workspace("Other").await,
    );
    for from in [&peer, &other] {
        let text = format!("from {}", from.id);
        world.message_from(from, &own.id, &text).await.expect(200);
        let sent = json!({"activity_type": "a2a_send", "target_id": from.id, "summary": "sent"});
        world.report(&own, &sent).await.expect(200);
    }
    let bare = json!({"activity_type": "agent_log", "target_id": "somebody", "summary": "bare"});
    world.report(&own, &bare).await.expect(200);
    let rows = |query: String| {
        let world = &world;
        let own = &own;
        async move { json!(world.activity(&own.id, &query).await) }
    };
    let upper = peer.id.to_uppercase();
    for id in [&peer.id, &upper] {
        let found = rows(format!("peer_id={id}")).await;
        assert_eq!(column(&found, "activity_type"), ["a2a_send", "a2a_receive"]);
        assert_eq!(found[0]["target_id"], peer.id);
        assert_eq!(found[1]["source_id"], peer.id);
    }
    let found = rows(format!("peer_id={}&type=a2a_receive", peer.id)).await;
    assert_eq!(column(&found, "source_id"), [peer.id.as_str()]);
    let cursor = rows("limit=500".to_owned()).await;
    let oldest = column(&cursor, "id").pop().expect("a row");
    let found = rows(format!("peer_id={}&since_id={oldest}", other.id)).await;
    assert_eq!(column(&found, "activity_type"), ["a2a_receive", "a2a_send"]);
    let nobody = rows(format!("peer_id={}", e2e::STRANGER)).await;
    assert_eq!(nobody, json!([]));
}

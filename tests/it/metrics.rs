//! `GET /metrics`

use e2e::World;

#[tokio::test]
async fn prometheus_reads_how_many_workspaces_there_are_and_when_sweeps_ran() {
    let world = World::new();
    world.workspace("Waits for its agent").await;
    let answer = world.get("/metrics").bearer(&world.admin).await.expect(200);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(answer.header("content-type"), kind);
    let text = String::from_utf8(answer.bytes).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let value = |series: &str| -> Option<i64> {
        let line = lines.iter().find_map(|line| line.strip_prefix(series))?;
        line.trim().parse().ok()
    };
    let waiting = value("molecule_workspaces{status=\"awaiting_agent\"}");
    assert!(waiting >= Some(1), "{lines:?}");
    assert!(value("molecule_active_tasks") >= Some(0), "{lines:?}");
    assert!(
        value("molecule_websocket_connections_active") >= Some(0),
        "{lines:?}"
    );
    // The contract's series of requests are CloudWatch's, and the answer says so.
    for series in [
        "molecule_http_requests_total",
        "molecule_http_request_duration_seconds_total",
    ] {
        assert_eq!(value(series), None);
        let told = lines
            .iter()
            .any(|line| line.starts_with("# ") && line.contains(series));
        assert!(told, "{lines:?}");
    }
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        assert!(series.starts_with("molecule_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

//! What files of chats cost: above all a look of a machine at nothing new, which is made every ten
//! seconds.

use domain::Mode;
use e2e::counted::{AwsCall, InProcess, round_trips, show};
use serde_json::json;

use super::names;

#[tokio::test]
async fn files_of_chats_keep_to_their_budgets() {
    let inside = InProcess::weighing(Mode::DevClosed).await;
    let own = inside.online("Own").await;
    let at = |rest: &str| format!("/workspaces/{}/chat/{rest}", own.id);
    let get = |rest: &str| inside.get(&at(rest)).bearer(&own.token);
    let post = |rest: &str| inside.post(&at(rest)).bearer(&own.token);
    let form = || post("uploads").form("a.txt", "text");
    let sent = form().await.expect(200);
    let uri = sent.json["files"][0]["uri"].as_str().expect("a URI");
    let path = uri.strip_prefix("workspace:").expect(uri);
    let seen = get("uploads").await.expect(200).text("seen");
    let wanted = json!({"name": "b", "size": 1});
    let whole = json!({"uri": uri});
    // What, the most round trips, write units, read units, and calls to the bucket.
    let budgets = [
        (
            "a look, nothing new",
            1,
            0,
            2.0,
            0,
            get(&format!("uploads?seen={seen}")),
        ),
        ("a look, something new", 2, 0, 2.0, 1, get("uploads")),
        (
            "a small download",
            3,
            0,
            1.0,
            2,
            get(&format!("download?path={path}")),
        ),
        (
            "presign",
            1,
            0,
            4.0,
            0,
            post("uploads/presign").json(&wanted),
        ),
        (
            "complete",
            3,
            1,
            4.0,
            1,
            post("uploads/complete").json(&whole),
        ),
        ("a form of one file", 3, 1, 4.0, 1, form()),
    ];
    let mut table = vec!["files of chats           round trips  write   read  calls".to_owned()];
    for (what, most, writes, reads, files, call) in budgets {
        let (answer, calls) = call.counted().await;
        assert!(answer.status < 300, "{what}: {answer:?}");
        let asked = calls.iter().filter(|call| call.service == "s3").count();
        let written: usize = calls.iter().map(AwsCall::write_units).sum();
        let read: f64 = calls.iter().map(AwsCall::read_units).sum();
        let trips = round_trips(&calls);
        let line = format!(
            "{what:24} {trips:>11} {written:>6} {read:>6}  {}",
            names(&calls)
        );
        assert_eq!(asked, files, "{line}");
        assert!(trips <= most, "too many round trips: {line}");
        assert!(written <= writes, "too many write units: {line}");
        assert!(read <= reads, "too many read units: {line}");
        table.push(line);
    }
    show(&table.join("\n"));
}

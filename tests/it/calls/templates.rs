//! What templates cost: round trips, write units, and the calls to the bucket.

use domain::Mode;
use e2e::counted::{AwsCall, InCall, InProcess, round_trips, show};
use serde_json::{Value, json};

use super::names;

#[tokio::test]
async fn templates_keep_to_their_budgets() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let get = |path: &str| inside.get(path).bearer(&inside.admin);
    let post = |path: &str, body: Value| inside.post(path).bearer(&inside.admin).json(&body);
    let name = format!("calls-{}", uuid::Uuid::new_v4());
    let import = || {
        let body = json!({"name": name, "files": {"a.md": "a", "b.md": "b"}});
        post("/templates/import", body)
    };
    let create = |template: &str| {
        post(
            "/workspaces",
            json!({"name": "New", "external": true, "template": template}),
        )
    };
    let org = |count: usize| {
        let one = |n: usize| json!({"name": n.to_string()});
        let workspaces: Vec<Value> = (0..count).map(one).collect();
        post(
            "/org/import",
            json!({"template": {"name": "O", "workspaces": workspaces}}),
        )
    };
    // What, the most round trips, the most write units, the calls to the bucket.
    let budgets: Vec<(&str, usize, usize, usize, InCall)> = vec![
        ("list, none yet", 1, 0, 0, get("/templates")),
        // Claim, look, the files, config.yaml, and the head in the claim's place.
        ("import two files", 5, 6, 4, import()),
        ("list", 1, 0, 0, get("/templates")),
        ("list of organisations", 1, 0, 0, get("/org/templates")),
        ("create, no template", 1, 14, 0, create("")),
        ("create, template", 2, 14, 0, create(&name)),
        (
            "one workspace",
            1,
            0,
            0,
            get(&format!("/workspaces/{}", own.id)),
        ),
        ("list of workspaces", 2, 0, 0, get("/workspaces")),
        ("organisation of one", 1, 12, 0, org(1)),
        ("organisation of nine", 9, 108, 0, org(9)),
        // Looks, reads org.yaml, then what it includes, variables and a prompt; keeps what is
        // skipped. Two of its transactions make schedules.
        (
            "organisation of three",
            9,
            88,
            5,
            post("/org/import", json!({"dir": "trio"})),
        ),
    ];
    let mut table = vec!["templates                round trips  write   read  calls".to_owned()];
    for (what, most, units, files, call) in budgets {
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
        assert!(written <= units, "too many write units: {line}");
        table.push(line);
    }
    show(&table.join("\n"));
}

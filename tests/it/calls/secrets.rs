//! What secrets cost: round trips, write units, and the calls to KMS.

use domain::Mode;
use e2e::{
    cost::Counted,
    counted::{AwsCall, InCall, InProcess, round_trips, show},
};
use reqwest::Method;
use serde_json::json;

use super::names;

/// What `make cost` tells of, by its names.
const TOLD: [(&str, &str); 2] = [
    ("set, another", "set a secret"),
    ("values", "read the environment"),
];
const NONE: &[&str] = &[];
const MAKE: &[&str] = &["kms:GenerateDataKey"];
const OPEN: &[&str] = &["kms:Decrypt"];

#[tokio::test]
async fn secrets_keep_to_their_budgets() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let path = format!("/workspaces/{}/secrets", own.id);
    let at = |rest: &str| format!("{path}{rest}");
    let get = |path: &str| inside.get(path).bearer(&own.token);
    let set = |key: &str| {
        let call = inside.post(&path).bearer(&own.token);
        call.json(&json!({"key": key, "value": "sk-0123456789abcdef"}))
    };
    let delete = inside
        .call(Method::DELETE, &at("/SECOND"))
        .bearer(&own.token);
    let model = format!("/workspaces/{}/model", own.id);
    let choose = |name: &str| {
        let call = inside.call(Method::PUT, &model).bearer(&own.token);
        call.json(&json!({"model": name}))
    };
    let create = inside.post("/workspaces").bearer(&inside.admin);
    let create = create.json(&json!({
        "name": "Born", "external": true, "secrets": {"A": "1", "B": "2"},
    }));
    // What, the most round trips, the most write units, and the calls to KMS. Each call is the
    // first of its process here: while a process lives, a key is unwrapped once in five minutes.
    let budgets: Vec<(&str, usize, usize, &[&str], InCall)> = vec![
        ("list, none yet", 1, 0, NONE, get(&at(""))),
        ("values, none yet", 1, 0, NONE, get(&at("/values"))),
        ("set, the first", 3, 8, MAKE, set("FIRST")),
        ("set, another", 3, 8, OPEN, set("SECOND")),
        ("set, again", 3, 8, OPEN, set("SECOND")),
        ("list", 1, 0, NONE, get(&at(""))),
        ("values", 3, 0, OPEN, get(&at("/values"))),
        ("model, none", 1, 0, NONE, get(&model)),
        ("set a model", 3, 10, OPEN, choose("m")),
        ("model", 3, 0, OPEN, get(&model)),
        ("clear it", 3, 8, NONE, choose("")),
        ("clear none", 2, 4, NONE, choose("")),
        ("delete", 2, 6, NONE, delete),
        ("create with two", 2, 20, MAKE, create),
    ];
    let mut table = vec!["secrets             round trips  write   read  calls".to_owned()];
    for (what, most, units, kms, call) in budgets {
        let function = call.function();
        let (answer, calls) = call.counted().await;
        if let Some((_, asked)) = TOLD.iter().find(|(of, _)| *of == what) {
            Counted::of(asked, &function, &calls).leave();
        }
        assert!(answer.status < 300, "{what}: {answer:?}");
        let asked: Vec<String> = calls
            .iter()
            .filter(|call| call.service == "kms")
            .map(AwsCall::name)
            .collect();
        let written: usize = calls.iter().map(AwsCall::write_units).sum();
        let read: f64 = calls.iter().map(AwsCall::read_units).sum();
        let trips = round_trips(&calls);
        let line = format!(
            "{what:20} {trips:>10} {written:>6} {read:>6}  {}",
            names(&calls)
        );
        assert_eq!(asked, kms, "{line}");
        assert!(trips <= most, "too many round trips: {line}");
        assert!(written <= units, "too many write units: {line}");
        table.push(line);
    }
    show(&table.join("\n"));
}

#[tokio::test]
async fn an_environment_takes_two_reads_and_two_calls_to_kms() {
    let inside = InProcess::alone(Mode::DevClosed).await;
    let own = inside.workspace("Own").await;
    let at = format!("/workspaces/{}/secrets", own.id);
    for path in [&at, "/settings/secrets"] {
        for n in 0..3 {
            let set = inside.post(path).bearer(&inside.admin);
            let set = set.json(&json!({"key": format!("K{n}"), "value": "v"}));
            set.await.expect(200);
        }
    }
    let values = inside.get(&format!("{at}/values")).bearer(&own.token);
    let (answer, calls) = values.counted().await;
    assert_eq!(
        answer.expect(200).json,
        json!({"K0": "v", "K1": "v", "K2": "v"})
    );
    assert_eq!(
        names(&calls),
        "BatchGetItem BatchGetItem kms:Decrypt kms:Decrypt"
    );
}

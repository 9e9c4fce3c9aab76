//! What our functions tell one another, and what AWS tells them: read or refused, and what is written again
//! is what was read.

use std::env;

use domain::{
    job::Job,
    requirement::Requirement,
    restart::Restart,
    schedule::Fire,
    template::{OrgTemplate, Template},
};
use e2e::garble::garble;
use fastrand::Rng;
use messages::{deliver::Given, flow::deliver::Offer, kick, outcome::Outcome};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// How often each is changed, unless `GARBAGE_CASES` says otherwise.
const CASES: u64 = 300;

const ID: &str = "3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69";

/// Whether it was read; else what is wrong with that.
type Reads = fn(&str) -> Result<bool, String>;

fn read<T: DeserializeOwned>(text: &str) -> Result<bool, String> {
    Ok(serde_json::from_str::<T>(text).is_ok())
}

fn kept<T: DeserializeOwned + Serialize>(text: &str) -> Result<bool, String> {
    let written = |it: &T| serde_json::to_string(it).map_err(|error| error.to_string());
    let Ok(first) = serde_json::from_str::<T>(text) else {
        return Ok(false);
    };
    let once = written(&first)?;
    let again: T = serde_json::from_str(&once).map_err(|error| format!("{error}: {once}"))?;
    let twice = written(&again)?;
    if once == twice {
        Ok(true)
    } else {
        Err(format!("{once} became {twice}"))
    }
}

fn all() -> Vec<(&'static str, Value, Reads)> {
    let restart = json!({"at": 1_764_040_367_500_000_i64, "ended": 1_764_040_000_000_000_i64});
    let job = json!({"job": "RestartContextV1", "workspace_id": ID, "restart": restart});
    let offer = json!({
        "request_id": ID,
        "fence": 7,
        "call": {
            "url": "https://8.8.8.8/agent",
            "recorded": "10.0.0.7",
            "body": "{}",
            "target_name": "Carol",
            "idle_timeout_seconds": 60,
            "deadline": "2026-11-29T00:00:00Z",
        },
    });
    let record = json!({
        "messageId": "m",
        "receiptHandle": "r",
        "body": job.to_string(),
        "attributes": {"ApproximateReceiveCount": "1"},
    });
    let queue = json!({"Records": [record]});
    let change = json!({
        "SequenceNumber": "1",
        "Keys": {"pk": {"S": "WS#1"}, "sk": {"S": "META"}},
        "NewImage": {"pk": {"S": "WS#1"}, "sk": {"S": "META"}, "n": {"N": "1"}},
    });
    let stream = json!({"Records": [{"dynamodb": change}]});
    let answered = json!({"outcome": "answered", "status": 200, "body": {"text": "{}"}});
    let fire = json!({"schedule_id": ID, "slot": 1_764_040_367_500_000_i64});
    let template = json!({
        "name": "Writer",
        "tier": 2,
        "required_env": ["A_KEY"],
        "models": [{"id": "m", "name": "M", "required_env": ["B_KEY"]}],
    });
    let org =
        json!({"name": "Trio", "workspaces": 3, "required_env": ["A", {"any_of": ["B", "C"]}]});
    vec![
        ("a job", job.clone(), kept::<Job>),
        ("a restart", restart, kept::<Restart>),
        ("a fire", fire, kept::<Fire>),
        ("a template", template, kept::<Template>),
        ("an organisation's template", org, kept::<OrgTemplate>),
        (
            "a choice",
            json!({"any_of": ["B", "C"]}),
            kept::<Requirement>,
        ),
        ("an offer", offer.clone(), kept::<Offer>),
        ("an outcome", answered, kept::<Outcome>),
        ("to deliver, directly", offer, read::<Given>),
        ("to deliver, from the queue", queue.clone(), read::<Given>),
        (
            "to fleet, from a queue",
            queue.clone(),
            read::<fleet::jobs::Batch>,
        ),
        (
            "to restarts, from their queue",
            queue,
            read::<workspaces::restarts::Batch>,
        ),
        (
            "to kick, from the stream",
            stream.clone(),
            read::<kick::Batch>,
        ),
        (
            "to relay, from the stream",
            stream,
            read::<store::stream::Batch>,
        ),
        (
            "what EC2 tells",
            json!({"detail": {"instance-id": "i-0123456789abcdef0", "state": "running"}}),
            read::<fleet::instance_events::Told>,
        ),
        (
            "the end of a connection",
            json!({"requestContext": {"connectionId": "c", "routeKey": "$disconnect"}}),
            read::<events::handshake::Told>,
        ),
    ]
}

#[test]
fn what_is_read_is_what_is_written() {
    let cases = env::var("GARBAGE_CASES")
        .ok()
        .and_then(|it| it.parse().ok());
    let mut wrong = Vec::new();
    for (what, sample, reads) in all() {
        let sample = sample.to_string();
        assert_eq!(reads(&sample), Ok(true), "{what}: {sample}");
        let mut refused = 0;
        for seed in 0..cases.unwrap_or(CASES) {
            let text = garble(&mut Rng::with_seed(seed), &sample);
            match reads(&text) {
                Ok(was_read) => refused += u32::from(!was_read),
                Err(why) => wrong.push(format!("{what}, seed {seed}: {why}")),
            }
        }
        assert!(refused > 0, "{what} was never changed");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
